//! What a supervisor counts: numbers that only grow, written and read without a message.

use std::sync::atomic::{AtomicU64, Ordering};

use super::breaker::Transition;

/// Counters since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SupervisorStats {
    /// Calls counted.
    pub calls: u64,
    /// Retries granted.
    pub retries: u64,
    /// Hedges granted.
    pub hedges: u64,
    /// Times the breaker opened.
    pub opened: u64,
    /// Times it became half-open.
    pub half_opened: u64,
    /// Times it closed again.
    pub closed: u64,
    /// Times the actor was restarted after a panic, with a closed breaker and a fresh budget.
    pub restarts: u64,
}

/// The counters behind [`SupervisorStats`]. They go on over a restart of the actor.
#[derive(Debug, Default)]
pub(super) struct Counters {
    calls: AtomicU64,
    retries: AtomicU64,
    hedges: AtomicU64,
    opened: AtomicU64,
    half_opened: AtomicU64,
    closed: AtomicU64,
}

impl Counters {
    pub(super) fn count_call(&self) {
        add_one(&self.calls);
    }

    pub(super) fn count_retry(&self) {
        add_one(&self.retries);
    }

    pub(super) fn count_hedge(&self) {
        add_one(&self.hedges);
    }

    pub(super) fn count_transition(&self, transition: Transition) {
        add_one(match transition {
            Transition::Opened { .. } => &self.opened,
            Transition::HalfOpened => &self.half_opened,
            Transition::Closed => &self.closed,
        });
    }

    pub(super) fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// Reads all counters. The actor counts its own restarts elsewhere.
    pub(super) fn stats(&self, restarts: u64) -> SupervisorStats {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        SupervisorStats {
            calls: self.calls(),
            retries: read(&self.retries),
            hedges: read(&self.hedges),
            opened: read(&self.opened),
            half_opened: read(&self.half_opened),
            closed: read(&self.closed),
            restarts,
        }
    }
}

fn add_one(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}
