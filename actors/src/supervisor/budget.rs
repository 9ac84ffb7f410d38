//! How many retries all calls together may make: a share of the calls, and some a second. Pure.
//!
//! Retries multiply the load of a server that already fails; a budget bounds the multiplication. The idea is
//! Finagle's retry budget. It must cost nothing while nothing fails: calls are only counted, elsewhere, and the
//! count is read here when a retry is asked for.

use std::time::{Duration, Instant};

/// Credit earned by a call is worth nothing after this long, so that a quiet day does not pay for a storm.
const WINDOW: Duration = Duration::from_secs(SECONDS as u64);

/// [`WINDOW`] in seconds.
const SECONDS: usize = 10;

/// How retries are earned.
#[derive(Clone, Debug, PartialEq)]
pub struct BudgetSettings {
    /// Retries earned by each call (0.2 is one retry for five calls).
    pub ratio: f64,
    /// Retries earned by each second, at most one second's worth saved up.
    pub per_second: f64,
}

/// The retries that may still be made.
#[derive(Debug)]
pub struct Budget {
    settings: BudgetSettings,
    earned_by_calls: Credit,
    earned_by_time: f64,
    calls_seen: u64,
    read_at: Instant,
}

/// What calls have earned, by the second in which it was noticed, so that each second's share ends on its own.
#[derive(Debug)]
struct Credit {
    start: Instant,
    /// The latest second that has a place here, counted from the start.
    latest: u64,
    /// The place of a second is its remainder.
    seconds: [f64; SECONDS],
}

/// The budget does not allow one more retry now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spent;

impl Budget {
    /// Makes a budget that starts with one second's worth of retries. `calls` have been counted before it; they earn
    /// nothing.
    pub fn new(settings: BudgetSettings, calls: u64, now: Instant) -> Self {
        let earned_by_time = settings.per_second;
        Self { settings, earned_by_calls: Credit::new(now), earned_by_time, calls_seen: calls, read_at: now }
    }

    /// Takes one retry, `calls` being the calls counted since the start.
    ///
    /// # Errors
    ///
    /// [`Spent`] when there is none to take.
    pub fn withdraw(&mut self, calls: u64, now: Instant) -> Result<(), Spent> {
        self.earn(calls, now);
        if self.earned_by_time >= 1.0 {
            self.earned_by_time -= 1.0;
        } else if self.earned_by_time + self.earned_by_calls.total() >= 1.0 {
            self.earned_by_calls.take(1.0 - self.earned_by_time);
            self.earned_by_time = 0.0;
        } else {
            return Err(Spent);
        }
        Ok(())
    }

    fn earn(&mut self, calls: u64, now: Instant) {
        let elapsed = now.saturating_duration_since(self.read_at);
        // Of what was earned over a longer time than the window, only the window's share is kept.
        let kept = if elapsed > WINDOW { WINDOW.as_secs_f64() / elapsed.as_secs_f64() } else { 1.0 };
        #[allow(
            clippy::cast_precision_loss,
            reason = "a count of calls between two failures is far below 2^52"
        )]
        let new_calls = calls.saturating_sub(self.calls_seen) as f64;

        self.earned_by_calls.add(self.settings.ratio * new_calls * kept, now);
        self.earned_by_time = (self.earned_by_time + self.settings.per_second * elapsed.as_secs_f64())
            .min(self.settings.per_second.max(1.0));
        self.calls_seen = calls;
        self.read_at = now;
    }
}

impl Credit {
    fn new(start: Instant) -> Self {
        Self { start, latest: 0, seconds: [0.0; SECONDS] }
    }

    fn total(&self) -> f64 {
        self.seconds.iter().sum()
    }

    /// Adds to the second of `now`, once those that are too old have made room.
    fn add(&mut self, amount: f64, now: Instant) {
        let second = now.saturating_duration_since(self.start).as_secs().max(self.latest);
        for new in (self.latest + 1..=second).take(SECONDS) {
            *self.of(new) = 0.0;
        }
        self.latest = second;
        *self.of(second) += amount;
    }

    /// Takes what ends first, first.
    fn take(&mut self, mut amount: f64) {
        let oldest = self.latest + 1;
        for second in oldest..oldest + WINDOW.as_secs() {
            let there = self.of(second);
            let taken = there.min(amount);
            *there -= taken;
            amount -= taken;
        }
    }

    fn of(&mut self, second: u64) -> &mut f64 {
        #[allow(clippy::cast_possible_truncation, reason = "the remainder of a small number is small")]
        let place = (second % WINDOW.as_secs()) as usize;
        &mut self.seconds[place]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(ratio: f64, per_second: f64) -> BudgetSettings {
        BudgetSettings { ratio, per_second }
    }

    /// How many retries can be taken in a row.
    fn drain(budget: &mut Budget, calls: u64, now: Instant) -> u32 {
        (0..100_000).take_while(|_| budget.withdraw(calls, now).is_ok()).count().try_into().unwrap()
    }

    #[test]
    fn it_starts_with_one_seconds_worth() {
        let now = Instant::now();
        assert_eq!(drain(&mut Budget::new(settings(0.2, 10.0), 0, now), 0, now), 10);
        assert_eq!(drain(&mut Budget::new(settings(0.0, 0.0), 0, now), 0, now), 0);
    }

    #[test]
    fn calls_earn_their_share() {
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
    fn seconds_earn_theirs_and_save_up_no_more_than_one() {
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
    fn what_was_earned_long_ago_is_worth_nothing() {
        let now = Instant::now();
        let mut budget = Budget::new(settings(0.2, 0.0), 0, now);
        // An hour at 100 calls a second leaves what ten seconds earn, 200, not 72 000.
        assert_eq!(drain(&mut budget, 360_000, now + Duration::from_secs(3_600)), 200);
    }

    #[test]
    fn credit_that_is_read_again_and_again_ends_no_later() {
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
        // 20 % of 6 000 calls, 10 for each of 60 seconds, and the first second's worth.
        assert!(retries <= 1_200 + 600 + 10, "{retries}");
        assert!(retries >= 1_700, "{retries}");
    }
}
