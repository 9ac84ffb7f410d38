//! The changes of a breaker, for logs, counters and observers.

use std::{fmt, time::Duration};

/// A change of state, for logs and counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transition {
    /// The breaker opened.
    Opened {
        /// What opened it.
        cause: Cause,
        /// For how long; `None` when it was opened by hand.
        recovery: Option<Duration>,
    },
    /// The breaker became half-open: it lets probes through.
    HalfOpened,
    /// The breaker closed.
    Closed,
}

/// What opened the breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Calls that failed one after another, or a probe that failed.
    Consecutive {
        /// How many.
        failures: u32,
    },
    /// The share of failed calls in the window.
    FailureRate {
        /// The failed calls.
        failed: u32,
        /// All calls in the window.
        calls: u32,
    },
    /// The share of slow calls in the window.
    SlowCallRate {
        /// The slow calls.
        slow: u32,
        /// All calls in the window.
        calls: u32,
    },
    /// An operator.
    ByHand,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Consecutive { failures } => write!(f, "after {failures} failures"),
            Self::FailureRate { failed, calls } => {
                write!(f, "after {failed} of the last {calls} calls failed")
            }
            Self::SlowCallRate { slow, calls } => {
                write!(f, "after {slow} of the last {calls} calls were slow")
            }
            Self::ByHand => f.write_str("by hand"),
        }
    }
}
