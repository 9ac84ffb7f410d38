//! The retry budget, one fact a test.

use super::*;

fn settings(ratio: f64, per_second: f64) -> BudgetSettings {
    BudgetSettings { ratio, per_second }
}

/// How many retries can be taken in a row.
fn drain(budget: &mut Budget, calls: u64, now: Instant) -> u32 {
    (0..100_000).take_while(|_| budget.withdraw(calls, now).is_ok()).count().try_into().unwrap()
}

#[test]
fn it_starts_with_the_retries_of_one_second() {
    let now = Instant::now();
    assert_eq!(drain(&mut Budget::new(settings(0.2, 10.0), 0, now), 0, now), 10);
    assert_eq!(drain(&mut Budget::new(settings(0.0, 0.0), 0, now), 0, now), 0);
}

#[test]
fn each_call_earns_its_share() {
    let now = Instant::now();
    let mut budget = Budget::new(settings(0.2, 0.0), 0, now);
    assert_eq!(drain(&mut budget, 100, now), 20);
    assert_eq!(drain(&mut budget, 100, now), 0);
    assert_eq!(drain(&mut budget, 110, now), 2);
}

#[test]
fn calls_that_were_counted_before_a_budget_earn_nothing_in_it() {
    let now = Instant::now();
    let mut budget = Budget::new(settings(0.2, 10.0), 3_000, now);
    assert_eq!(drain(&mut budget, 3_000, now), 10, "one second's worth");
    assert_eq!(drain(&mut budget, 3_300, now), 60, "a share of 300 calls");
}

#[test]
fn each_second_earns_its_rate_and_at_most_one_second_is_saved() {
    let now = Instant::now();
    let mut budget = Budget::new(settings(0.0, 10.0), 0, now);
    drain(&mut budget, 0, now);
    assert_eq!(drain(&mut budget, 0, now + Duration::from_millis(500)), 5);
    assert_eq!(drain(&mut budget, 0, now + Duration::from_secs(3_600)), 10);
}

#[test]
fn a_rate_below_one_a_second_still_earns_a_whole_retry() {
    let now = Instant::now();
    let mut budget = Budget::new(settings(0.0, 0.5), 0, now);
    assert_eq!(drain(&mut budget, 0, now), 0);
    assert_eq!(drain(&mut budget, 0, now + Duration::from_secs(2)), 1);
}

#[test]
fn credit_that_is_older_than_the_window_is_worth_nothing() {
    let now = Instant::now();
    let mut budget = Budget::new(settings(0.2, 0.0), 0, now);
    // An hour at 100 calls a second leaves what ten seconds earn, 200, not 72 000.
    assert_eq!(drain(&mut budget, 360_000, now + Duration::from_secs(3_600)), 200);
}

#[test]
fn reading_credit_again_does_not_extend_it() {
    let start = Instant::now();
    let mut budget = Budget::new(settings(0.2, 0.0), 0, start);
    let granted: Vec<bool> = [0, 1_000, 9_000, 10_001, 10_001, 20_000]
        .map(|millis| budget.withdraw(1_000, start + Duration::from_millis(millis)).is_ok())
        .into();
    assert_eq!(granted, [true, true, true, false, false, false]);
}

#[test]
fn against_a_server_that_only_fails_retries_stay_within_share_and_rate() {
    let start = Instant::now();
    let mut budget = Budget::new(settings(0.2, 10.0), 0, start);
    let mut retries = 0;
    for call in 1..=6_000_u64 {
        let now = start + Duration::from_millis(10 * call);
        retries += u32::from(budget.withdraw(call, now).is_ok());
        retries += u32::from(budget.withdraw(call, now).is_ok());
    }
    // 20 % of 6 000 calls, 10 for each of 60 seconds, and the retries of the first second.
    assert!(retries <= 1_200 + 600 + 10, "{retries}");
    assert!(retries >= 1_700, "{retries}");
}
