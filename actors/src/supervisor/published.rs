//! What the supervisor lets everybody read without a message: the breaker's state in one atomic word.
//!
//! One word, so that no reader ever sees half of a change. The actor alone writes it, before it answers whoever
//! caused the change; it must never be written from anywhere else.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use super::breaker::{Breaker, Refusal, State, Transition, Until};

const TAG: u64 = 0b11 << 62;
const CLEAN: u64 = 0b00 << 62;
const FAILING: u64 = 0b01 << 62;
const OPEN: u64 = 0b10 << 62;
const HALF_OPEN: u64 = 0b11 << 62;
/// The payload of an open breaker that waits to be told.
const FORCED: u64 = !TAG;

/// The word, and counters that only grow.
#[derive(Debug)]
pub(super) struct Published {
    word: AtomicU64,
    started: Instant,
    calls: AtomicU64,
    retries: AtomicU64,
    transitions: [AtomicU64; 3],
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
    /// Only the actor can tell.
    Ask,
}

impl Published {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            word: AtomicU64::new(CLEAN),
            started: now,
            calls: AtomicU64::new(0),
            retries: AtomicU64::new(0),
            transitions: [const { AtomicU64::new(0) }; 3],
        }
    }

    /// Tells everybody what the breaker is now.
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

    /// What the breaker is; the time is only read when it is open.
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

    pub(super) fn count_call(&self) {
        self.calls.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_retry(&self) {
        self.retries.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_transition(&self, transition: Transition) {
        self.transitions[index(transition)].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    pub(super) fn retries(&self) -> u64 {
        self.retries.load(Ordering::Relaxed)
    }

    pub(super) fn opened(&self) -> u64 {
        self.transitions[0].load(Ordering::Relaxed)
    }

    pub(super) fn half_opened(&self) -> u64 {
        self.transitions[1].load(Ordering::Relaxed)
    }

    pub(super) fn closed(&self) -> u64 {
        self.transitions[2].load(Ordering::Relaxed)
    }

    /// Microseconds since the start, rounded up so that nobody asks before the actor would agree.
    fn micros(&self, until: Instant) -> u64 {
        let nanos = until.saturating_duration_since(self.started).as_nanos();
        u64::try_from(nanos.div_ceil(1_000)).unwrap_or(u64::MAX).min(FORCED - 1)
    }
}

fn index(transition: Transition) -> usize {
    match transition {
        Transition::Opened { .. } => 0,
        Transition::HalfOpened => 1,
        Transition::Closed => 2,
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
        let published = Published::new(now);
        let mut breaker = Breaker::new(
            BreakerSettings {
                failure_threshold: 2,
                recovery_timeout: Duration::from_nanos(1_500),
                half_open_max_calls: 1,
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
