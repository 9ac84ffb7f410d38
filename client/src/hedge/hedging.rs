//! What the hedged calls of a client share.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use super::latencies::Latencies;
use crate::config::HedgeAfter;

/// The latencies of the calls seen, and until when no hedge is sent. Only calls that may be hedged, and replies with
/// `Retry-After`, take its lock.
#[derive(Debug)]
pub(crate) struct Hedging(Mutex<Shared>);

#[derive(Debug)]
struct Shared {
    latencies: Latencies,
    quiet_until: Option<Instant>,
}

impl Hedging {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Shared { latencies: Latencies::new(), quiet_until: None }))
    }

    /// How long an attempt that begins now is in flight before a hedge is sent; `None` when none is.
    pub(crate) fn delay(&self, after: HedgeAfter) -> Option<Duration> {
        match after {
            HedgeAfter::Never => None,
            HedgeAfter::Delay(delay) => Some(delay),
            HedgeAfter::Quantile(quantile) => self.shared().latencies.quantile(quantile),
        }
    }

    /// Notes how long the first attempt of a round took, or has been in flight when it was cancelled.
    pub(crate) fn record(&self, latency: Duration) {
        self.shared().latencies.record(latency);
    }

    /// Notes that the server asks to wait.
    pub(crate) fn be_quiet(&self, until: Instant) {
        let quiet = &mut self.shared().quiet_until;
        *quiet = (*quiet).max(Some(until));
    }

    /// Until when no hedge is sent, if the server has ever asked to wait.
    pub(crate) fn quiet_until(&self) -> Option<Instant> {
        self.shared().quiet_until
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
