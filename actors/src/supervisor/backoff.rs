//! Computes the wait before a retry: exponential, bounded, with jitter. Pure.
//!
//! It must not overflow, whatever the number of the retry. The randomness is passed in.

use std::time::Duration;

/// Whether waits are random, so that clients that failed together do not come back together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Jitter {
    /// Uniform between the shortest wait and the exponential bound.
    Full,
    /// The exponential value itself.
    None,
}

/// The shape of the waits between attempts.
#[derive(Clone, Debug, PartialEq)]
pub struct Backoff {
    /// The shortest wait.
    pub min: Duration,
    /// The longest wait.
    pub max: Duration,
    /// The factor between the bounds of two consecutive retries.
    pub multiplier: f64,
    /// Whether the waits are random.
    pub jitter: Jitter,
}

impl Backoff {
    /// Returns the wait before retry `n` (1 is the first retry).
    ///
    /// With jitter, uniform in `[min, min(max, min * multiplier^n)]`; without, `min(max, min * multiplier^(n-1))`.
    pub fn wait(&self, n: u32, rng: &mut fastrand::Rng) -> Duration {
        match self.jitter {
            Jitter::None => self.bound(n.saturating_sub(1)),
            Jitter::Full => {
                let top = self.bound(n);
                let spread = top.saturating_sub(self.min);
                // Rounding must not carry the sum past its bound, nor past what a duration can hold.
                self.min.min(top).saturating_add(spread.mul_f64(rng.f64())).min(top)
            }
        }
    }

    /// Returns `min(max, min * multiplier^exponent)`; a value too large for a float is `max`.
    fn bound(&self, exponent: u32) -> Duration {
        // Zero times infinity would be NaN.
        if self.min.is_zero() {
            return Duration::ZERO;
        }
        let factor = self.multiplier.powf(f64::from(exponent));
        let seconds = self.min.as_secs_f64() * factor;
        if seconds.is_finite() && seconds < self.max.as_secs_f64() {
            Duration::from_secs_f64(seconds)
        } else {
            self.max
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn backoff(jitter: Jitter) -> Backoff {
        Backoff { min: Duration::from_secs(1), max: Duration::from_secs(60), multiplier: 2.0, jitter }
    }

    #[test]
    fn without_jitter_the_wait_doubles_up_to_the_maximum() {
        let mut rng = fastrand::Rng::with_seed(1);
        for (n, seconds) in [(1, 1), (2, 2), (3, 4), (6, 32), (7, 60), (8, 60), (2_000, 60), (u32::MAX, 60)] {
            assert_eq!(backoff(Jitter::None).wait(n, &mut rng), Duration::from_secs(seconds), "retry {n}");
        }
    }

    #[test]
    fn with_jitter_the_wait_lies_between_the_minimum_and_the_bound_of_its_retry() {
        let mut rng = fastrand::Rng::with_seed(crate::seed::seed());
        for (n, top) in [(1, 2.0), (2, 4.0), (5, 32.0), (6, 60.0), (2_000, 60.0), (u32::MAX, 60.0)] {
            let waits: Vec<f64> =
                (0..2_000).map(|_| backoff(Jitter::Full).wait(n, &mut rng).as_secs_f64()).collect();
            assert!(waits.iter().all(|w| (1.0..=top).contains(w)), "retry {n}");
            let mean = waits.iter().sum::<f64>() / 2_000.0;
            let expected = f64::midpoint(1.0, top);
            assert!(
                (mean - expected).abs() < (top - 1.0) * 0.05,
                "retry {n}: mean {mean}, expected {expected}"
            );
        }
    }

    #[test]
    fn a_multiplier_of_one_keeps_every_wait_at_the_minimum() {
        let mut rng = fastrand::Rng::with_seed(3);
        for jitter in [Jitter::Full, Jitter::None] {
            let steady = Backoff { multiplier: 1.0, ..backoff(jitter) };
            for n in [1, 2, 2_000] {
                assert_eq!(steady.wait(n, &mut rng), Duration::from_secs(1));
            }
        }
    }

    #[test]
    fn a_minimum_of_zero_never_waits_however_often_it_is_retried() {
        let mut rng = fastrand::Rng::with_seed(5);
        for jitter in [Jitter::Full, Jitter::None] {
            let eager = Backoff { min: Duration::ZERO, ..backoff(jitter) };
            for n in [1, 2, 1_023, 1_024, 1_025, u32::MAX] {
                assert_eq!(eager.wait(n, &mut rng), Duration::ZERO, "retry {n}");
            }
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_waits() {
        let waits = |seed| {
            let mut rng = fastrand::Rng::with_seed(seed);
            (1..20).map(|n| backoff(Jitter::Full).wait(n, &mut rng)).collect::<Vec<_>>()
        };
        assert_eq!(waits(11), waits(11));
        assert_ne!(waits(11), waits(12));
    }
}
