//! Random waits, deadlines and loads: how long a retry waits, whether it is made, and how many all calls make.
//!
//! A failing case is shrunk to its simplest form. `PROPTEST_CASES` sets how many are tried, `SEED` repeats a run.

mod property;

use std::time::{Duration, Instant};

use proptest::collection::vec;
use proptest::prelude::*;
use resilience_actors::supervisor::backoff::{Backoff, Jitter};
use resilience_actors::supervisor::budget::{Budget, BudgetSettings};
use resilience_actors::supervisor::retry::{FailedAttempt, GiveUp, RetryPolicy, Retryability};

const DAY: u64 = 86_400_000_000_000;

/// Up to a day, the common and the extreme ones often.
fn duration() -> impl Strategy<Value = Duration> {
    let nanos = prop_oneof![
        Just(0),
        Just(1),
        1..1_000u64,
        (0..10_000u64).prop_map(|millis| millis * 1_000_000),
        0..=DAY,
        Just(DAY),
    ];
    nanos.prop_map(Duration::from_nanos)
}

fn jitter() -> impl Strategy<Value = Jitter> {
    prop_oneof![Just(Jitter::Full), Just(Jitter::None)]
}

/// Every backoff that makes sense, but for multipliers so close to 1 that [`bound`] would take too long.
fn backoff() -> impl Strategy<Value = Backoff> {
    let multiplier = prop_oneof![Just(1.0), Just(2.0), Just(1_000.0), 1.01..1.1f64, 1.01..=1_000.0f64];
    (duration(), duration(), multiplier, jitter()).prop_map(|(one, other, multiplier, jitter)| Backoff {
        min: one.min(other),
        max: one.max(other),
        multiplier,
        jitter,
    })
}

fn number() -> impl Strategy<Value = u32> {
    prop_oneof![1..20u32, 1..2_000u32, any::<u32>().prop_map(|n| n.max(1)), Just(u32::MAX)]
}

/// `min(max, min * multiplier^exponent)` by multiplying again and again, which ends because it stops at `max`.
fn bound(backoff: &Backoff, exponent: u32) -> f64 {
    let (mut bound, max) = (backoff.min.as_secs_f64(), backoff.max.as_secs_f64());
    if bound == 0.0 || backoff.multiplier == 1.0 {
        return bound;
    }
    for _ in 0..exponent {
        if bound >= max {
            return max;
        }
        bound *= backoff.multiplier;
    }
    bound.min(max)
}

/// What two ways to calculate one wait may differ by: their rounding, and a nanosecond.
fn nearly(wait: f64) -> f64 {
    wait * 1e-9 + 2e-9
}

/// When the whole call ends.
#[derive(Debug, Clone)]
enum Ends {
    Ago(Duration),
    In(Duration),
    /// To the nanosecond.
    WithTheWait,
}

fn ends() -> impl Strategy<Value = Ends> {
    prop_oneof![
        1 => duration().prop_map(Ends::Ago),
        4 => duration().prop_map(Ends::In),
        1 => Just(Ends::WithTheWait),
    ]
}

proptest! {
    #![proptest_config(property::config())]

    #[test]
    fn a_wait_lies_between_the_minimum_and_its_bound(backoff in backoff(), n in number(), seed in any::<u64>()) {
        let wait = backoff.wait(n, &mut fastrand::Rng::with_seed(seed));
        prop_assert!(backoff.min <= wait && wait <= backoff.max, "{wait:?}");
        match backoff.jitter {
            Jitter::Full => {
                let top = bound(&backoff, n);
                prop_assert!(wait.as_secs_f64() <= top + nearly(top), "{wait:?} is above {top} s");
            }
            Jitter::None => {
                let exact = bound(&backoff, n - 1);
                prop_assert!((wait.as_secs_f64() - exact).abs() <= nearly(exact), "{wait:?}, not {exact} s");
            }
        }
    }

    #[test]
    fn without_jitter_a_later_retry_never_waits_less(backoff in backoff(), n in number(), m in number()) {
        let backoff = Backoff { jitter: Jitter::None, ..backoff };
        let mut rng = fastrand::Rng::with_seed(0);
        prop_assert!(backoff.wait(n.min(m), &mut rng) <= backoff.wait(n.max(m), &mut rng));
    }

    #[test]
    fn no_backoff_however_extreme_overflows(
        (min, max) in (any::<Duration>(), prop_oneof![any::<Duration>(), Just(Duration::MAX)]),
        multiplier in any::<f64>(),
        jitter in jitter(),
        n in any::<u32>(),
        seed in any::<u64>(),
    ) {
        let backoff = Backoff { min, max, multiplier, jitter };
        prop_assert!(backoff.wait(n, &mut fastrand::Rng::with_seed(seed)) <= max);
    }

    #[test]
    fn a_retry_respects_the_number_of_attempts_the_deadline_and_retry_after(
        (backoff, max_attempts, retry_after_max) in (backoff(), 1..10u32, duration()),
        number in prop_oneof![1..10u32, number()],
        useless in any::<bool>(),
        retry_after in prop_oneof![Just(None), duration().prop_map(Some), Just(Some(Duration::MAX))],
        ends in ends(),
        seed in any::<u64>(),
    ) {
        let asked = retry_after.unwrap_or_default();
        // The same seed gives the same jitter, so this is the wait that the decision is about.
        let planned = backoff.wait(number, &mut fastrand::Rng::with_seed(seed)).max(asked);
        let now = Instant::now() + Duration::from_nanos(DAY);
        let deadline = match ends {
            Ends::Ago(ago) => now - ago,
            Ends::In(left) => now + left,
            Ends::WithTheWait => now + planned.min(Duration::from_nanos(DAY)),
        };
        let retryability = if useless { Retryability::NotRetryable } else { Retryability::Retryable };
        let failed = FailedAttempt { number, retryability, retry_after, deadline };
        let policy = RetryPolicy { max_attempts, backoff, retry_after_max };
        match policy.wait_after(&failed, now, &mut fastrand::Rng::with_seed(seed)) {
            Ok(wait) => {
                prop_assert!(now + wait < deadline, "it waits past the deadline");
                prop_assert!(wait >= asked, "it comes back before the server wants it");
                prop_assert!(asked <= retry_after_max);
                prop_assert!(number < max_attempts && !useless);
                prop_assert_eq!(wait, planned);
            }
            Err(GiveUp::NotRetryable) => prop_assert!(useless),
            Err(GiveUp::AttemptsExhausted) => prop_assert!(number >= max_attempts),
            Err(GiveUp::RetryAfterTooLong) => prop_assert!(asked > retry_after_max),
            Err(GiveUp::DeadlineTooNear) => prop_assert!(deadline.saturating_duration_since(now) <= planned),
            Err(other) => prop_assert!(false, "{other:?} is not for this rule to say"),
        }
    }
}

/// Something happens to all calls together.
#[derive(Debug, Clone)]
enum Event {
    Calls(u64),
    Withdraw(u32),
    /// In milliseconds.
    Pass(u64),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        prop_oneof![0..10u64, Just(1_000)].prop_map(Event::Calls),
        prop_oneof![Just(1), 1..50u32].prop_map(Event::Withdraw),
        prop_oneof![0..100u64, Just(1_000), 0..30_000u64].prop_map(Event::Pass),
    ]
}

/// For how long calls pay for retries once the budget has noticed them, which it does when it is asked for one.
const CREDIT: u64 = 10_000;

proptest! {
    #![proptest_config(property::config())]

    #[test]
    fn over_any_window_retries_stay_within_rate_and_share(
        ratio in prop_oneof![Just(0.0), Just(0.2), 0.0..2.0f64],
        per_second in prop_oneof![Just(0.0), Just(10.0), 0.0..20.0f64],
        sequence in vec(event(), 0..80),
    ) {
        let start = Instant::now();
        let mut budget = Budget::new(BudgetSettings { ratio, per_second }, 0, start);
        let (mut now, mut calls, mut unnoticed) = (0, 0, 0);
        let (mut noticed, mut retried): (Vec<(u64, u64)>, Vec<u64>) = (Vec::new(), Vec::new());
        for event in sequence {
            match event {
                Event::Calls(more) => {
                    calls += more;
                    unnoticed += more;
                }
                Event::Withdraw(times) => {
                    noticed.push((now, std::mem::take(&mut unnoticed)));
                    let at = start + Duration::from_millis(now);
                    let granted = (0..times).filter(|_| budget.withdraw(calls, at).is_ok()).count();
                    retried.extend(std::iter::repeat_n(now, granted));
                }
                Event::Pass(millis) => now += millis,
            }
        }
        for (first, from) in retried.iter().enumerate() {
            for (last, to) in retried.iter().enumerate().skip(first) {
                #[allow(clippy::cast_precision_loss, reason = "counts of a sequence are small")]
                let (seconds, retries) = ((to - from) as f64 / 1e3, (last - first + 1) as f64);
                let window = from.saturating_sub(CREDIT)..=*to;
                let paying: u64 = noticed.iter().filter(|(at, _)| window.contains(at)).map(|(_, n)| n).sum();
                #[allow(clippy::cast_precision_loss, reason = "counts of a sequence are small")]
                let allowed = per_second.max(1.0) + per_second * seconds + ratio * paying as f64;
                prop_assert!(
                    retries <= allowed + 1e-6,
                    "{retries} retries from {from} ms to {to} ms, where {allowed} are allowed"
                );
            }
        }
    }
}
