//! The state of a breaker that callers read without a message, in one atomic word.
//!
//! It is one word so that no reader ever sees half of a change. Only the actor writes it, and it does so before it
//! answers the caller that caused the change.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use derive_more::Display;

use super::breaker::{Breaker, Refusal, State, Until};

const TAG: u64 = 0b11 << 62;
const CLEAN: u64 = 0b00 << 62;
const FAILING: u64 = 0b01 << 62;
const OPEN: u64 = 0b10 << 62;
const HALF_OPEN: u64 = 0b11 << 62;
/// The payload of a breaker that was opened by hand.
const FORCED: u64 = !TAG;

/// The word, shared by the actor and all handles.
#[derive(Debug)]
pub(super) struct Published {
    word: AtomicU64,
    started: Instant,
}

/// The state of the breaker, as callers see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Display)]
pub enum BreakerState {
    /// Calls pass.
    #[display("closed")]
    Closed,
    /// Calls are refused.
    #[display("open")]
    Open,
    /// A few calls pass as probes, or would pass if they came now.
    #[display("half_open")]
    HalfOpen,
}

/// The word, decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum View {
    /// Closed, and no call has failed since the last success.
    Clean { generation: u64 },
    /// Closed, with failures counted.
    Failing { generation: u64 },
    /// Open: refuse without asking.
    Open(Refusal),
    /// Half-open, or about to be: only the actor can decide.
    Ask,
}

impl Published {
    /// Makes the word of a closed breaker.
    pub(super) fn new(now: Instant, generation: u64) -> Self {
        Self { word: AtomicU64::new(CLEAN | generation), started: now }
    }

    /// Writes that the breaker is closed, with no failures counted.
    pub(super) fn publish_closed(&self, generation: u64) {
        self.word.store(CLEAN | generation & !TAG, Ordering::Release);
    }

    /// Writes the state of the breaker.
    pub(super) fn publish(&self, breaker: &Breaker) {
        let generation = breaker.generation() & !TAG;
        let word = match breaker.state() {
            State::Closed { failures: 0 } => CLEAN | generation,
            State::Closed { .. } => FAILING | generation,
            State::Open { until: Until::Forced } => OPEN | FORCED,
            State::Open { until: Until::Time(until) } => OPEN | self.micros(*until),
            State::HalfOpen { .. } => HALF_OPEN,
        };
        self.word.store(word, Ordering::Release);
    }

    /// Reads the state of the breaker. The time is only read when it is open.
    pub(super) fn view(&self, now: impl FnOnce() -> Instant) -> View {
        let word = self.word.load(Ordering::Acquire);
        let payload = word & !TAG;
        match word & TAG {
            CLEAN => View::Clean { generation: payload },
            FAILING => View::Failing { generation: payload },
            OPEN if payload == FORCED => View::Open(Refusal { retry_after: None }),
            OPEN => {
                let until = self.started + Duration::from_micros(payload);
                let left = until.saturating_duration_since(now());
                if left.is_zero() { View::Ask } else { View::Open(Refusal { retry_after: Some(left) }) }
            }
            _ => View::Ask,
        }
    }

    /// Converts to microseconds since the start, rounded up so that no caller asks before the actor would agree.
    fn micros(&self, until: Instant) -> u64 {
        let nanos = until.saturating_duration_since(self.started).as_nanos();
        u64::try_from(nanos.div_ceil(1_000)).unwrap_or(u64::MAX).min(FORCED - 1)
    }
}

impl BreakerState {
    /// Returns the worse of two states.
    pub(super) fn worse(self, other: Self) -> Self {
        match (self, other) {
            (Self::Open, _) | (_, Self::Open) => Self::Open,
            (Self::HalfOpen, _) | (_, Self::HalfOpen) => Self::HalfOpen,
            (Self::Closed, Self::Closed) => Self::Closed,
        }
    }
}

impl View {
    /// The generation of a closed breaker.
    pub(super) fn generation(self) -> Option<u64> {
        match self {
            Self::Clean { generation } | Self::Failing { generation } => Some(generation),
            Self::Open(_) | Self::Ask => None,
        }
    }

    pub(super) fn state(self) -> BreakerState {
        match self {
            Self::Clean { .. } | Self::Failing { .. } => BreakerState::Closed,
            Self::Open(_) => BreakerState::Open,
            // Half-open, or open for long enough that the next call becomes a probe.
            Self::Ask => BreakerState::HalfOpen,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::supervisor::breaker::{BreakerSettings, Outcome};

    #[test]
    fn the_word_says_what_the_breaker_is() {
        let now = Instant::now();
        let at = |d: u64| now + Duration::from_nanos(d);
        let published = Published::new(now, 1);
        let mut breaker = Breaker::new(
            BreakerSettings {
                failure_threshold: 2,
                recovery_timeout: Duration::from_nanos(1_500),
                half_open_max_calls: 1,
                rates: None,
            },
            0,
        );
        let see = |breaker: &Breaker, ns| {
            published.publish(breaker);
            published.view(|| at(ns))
        };
        assert_eq!(see(&breaker, 0), View::Clean { generation: 1 });

        let ticket = breaker.admit(now, now).0.unwrap();
        breaker.report(ticket, Outcome::Failure, now);
        assert_eq!(see(&breaker, 0), View::Failing { generation: 1 });

        breaker.report(ticket, Outcome::Failure, now);
        let refused = |ns| View::Open(Refusal { retry_after: Some(Duration::from_nanos(ns)) });
        assert_eq!(see(&breaker, 0), refused(2_000), "rounded up to a microsecond");
        assert_eq!(see(&breaker, 1_999), refused(1));
        assert_eq!(see(&breaker, 2_000), View::Ask);

        breaker.admit(at(2_000), at(9_000)).0.unwrap();
        assert_eq!(see(&breaker, 2_000), View::Ask);

        breaker.force_open();
        assert_eq!(see(&breaker, u64::MAX >> 8), View::Open(Refusal { retry_after: None }));
        breaker.close();
        assert_eq!(see(&breaker, 0), View::Clean { generation: breaker.generation() });
    }
}
