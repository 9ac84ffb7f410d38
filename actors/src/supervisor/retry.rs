//! Decides whether a failed attempt is retried, and when. Pure.
//!
//! It must never choose a wait that ends past the call's deadline, nor retry before the server allows it.

use std::time::{Duration, Instant};

use super::backoff::Backoff;

/// When failed attempts of a call are retried.
#[derive(Clone, Debug, PartialEq)]
pub struct RetryPolicy {
    /// Attempts in all, the first included.
    pub max_attempts: u32,
    /// The waits between them.
    pub backoff: Backoff,
    /// The longest `Retry-After` that is waited for.
    pub retry_after_max: Duration,
}

/// A failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FailedAttempt {
    /// Its number, from 1.
    pub number: u32,
    /// Whether this kind of failure can be retried at all.
    pub retryability: Retryability,
    /// How long the server asked to wait, if it did.
    pub retry_after: Option<Duration>,
    /// When the whole call must have ended.
    pub deadline: Instant,
}

/// Whether a failure can be retried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retryability {
    /// Another attempt may succeed.
    Retryable,
    /// Another attempt would fail too, or the request must not be sent twice.
    NotRetryable,
}

/// What happens after a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It is retried after this wait, if the breaker then still admits it.
    Retry {
        /// How long to wait first.
        wait: Duration,
    },
    /// It is not retried.
    GiveUp(GiveUp),
}

/// Why a failed attempt is not retried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GiveUp {
    /// The failure cannot be retried.
    NotRetryable,
    /// All attempts have been made.
    AttemptsExhausted,
    /// The server asks to wait longer than the policy allows.
    RetryAfterTooLong,
    /// The wait would end past the deadline of the call.
    DeadlineTooNear,
    /// All calls together have spent the retry budget.
    BudgetSpent,
    /// The circuit breaker has opened meanwhile.
    CircuitOpen,
}

impl RetryPolicy {
    /// Returns the wait before the next attempt.
    ///
    /// # Errors
    ///
    /// [`GiveUp`] when there must be no next attempt.
    pub fn wait_after(
        &self,
        failed: &FailedAttempt,
        now: Instant,
        rng: &mut fastrand::Rng,
    ) -> Result<Duration, GiveUp> {
        if failed.retryability == Retryability::NotRetryable {
            return Err(GiveUp::NotRetryable);
        }
        if failed.number >= self.max_attempts {
            return Err(GiveUp::AttemptsExhausted);
        }
        let asked = failed.retry_after.unwrap_or_default();
        if asked > self.retry_after_max {
            return Err(GiveUp::RetryAfterTooLong);
        }
        let wait = self.backoff.wait(failed.number, rng).max(asked);
        if wait >= failed.deadline.saturating_duration_since(now) {
            return Err(GiveUp::DeadlineTooNear);
        }
        Ok(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::supervisor::backoff::Jitter;

    const fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    #[test]
    fn each_failed_attempt_gets_its_decision() {
        let policy = RetryPolicy {
            max_attempts: 3,
            backoff: Backoff { min: seconds(1), max: seconds(60), multiplier: 2.0, jitter: Jitter::None },
            retry_after_max: seconds(60),
        };
        let now = Instant::now();
        let failed = |number, retryability, retry_after, deadline| FailedAttempt {
            number,
            retryability,
            retry_after,
            deadline: now + deadline,
        };
        let (yes, no, minute) = (Retryability::Retryable, Retryability::NotRetryable, seconds(60));
        let table = [
            ("the first wait", failed(1, yes, None, minute), Ok(seconds(1))),
            ("the second wait", failed(2, yes, None, minute), Ok(seconds(2))),
            ("the last attempt", failed(3, yes, None, minute), Err(GiveUp::AttemptsExhausted)),
            ("an attempt beyond it", failed(2_000, yes, None, minute), Err(GiveUp::AttemptsExhausted)),
            ("useless", failed(1, no, None, minute), Err(GiveUp::NotRetryable)),
            ("asked for longer", failed(1, yes, Some(seconds(9)), minute), Ok(seconds(9))),
            ("asked for less", failed(2, yes, Some(seconds(1)), minute), Ok(seconds(2))),
            ("asked for nothing", failed(1, yes, Some(seconds(0)), minute), Ok(seconds(1))),
            ("asked for the most", failed(1, yes, Some(seconds(60)), seconds(99)), Ok(seconds(60))),
            (
                "asked for more",
                failed(1, yes, Some(seconds(61)), seconds(99)),
                Err(GiveUp::RetryAfterTooLong),
            ),
            ("absurd", failed(1, yes, Some(Duration::MAX), minute), Err(GiveUp::RetryAfterTooLong)),
            ("just in time", failed(1, yes, None, Duration::from_millis(1_001)), Ok(seconds(1))),
            ("at the deadline", failed(1, yes, None, seconds(1)), Err(GiveUp::DeadlineTooNear)),
            ("past it", failed(1, yes, None, seconds(0)), Err(GiveUp::DeadlineTooNear)),
            ("asked past it", failed(1, yes, Some(seconds(9)), seconds(5)), Err(GiveUp::DeadlineTooNear)),
        ];
        let mut rng = fastrand::Rng::with_seed(1);
        for (case, failed, expected) in table {
            assert_eq!(policy.wait_after(&failed, now, &mut rng), expected, "{case}");
        }
    }
}
