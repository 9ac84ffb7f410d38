//! What a client has done so far, and what it does now.

use crate::state::ClientState;

/// Counters since the start of a client, and gauges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stats {
    /// Calls that were admitted: all except those rejected because they were malformed or the breaker was open.
    pub calls: u64,
    /// Retries that were granted.
    pub retries: u64,
    /// Hedges that were granted: second requests beside slow ones.
    pub hedges: u64,
    /// Times the breaker opened.
    pub opened: u64,
    /// Times the breaker became half-open.
    pub half_opened: u64,
    /// Times the breaker closed again.
    pub closed: u64,
    /// Calls in flight, waiting ones included.
    pub in_flight: usize,
    /// Free slots of the bulkhead.
    pub available_slots: u32,
    /// All slots of the bulkhead; of an adaptive one, those of its present limit.
    pub slots: u32,
}

impl Stats {
    pub(crate) fn of(state: &ClientState) -> Self {
        let ClientState { supervisor, bulkhead, lifetime, .. } = state;
        let stats = supervisor.stats();
        Self {
            calls: stats.calls,
            retries: stats.retries,
            hedges: stats.hedges,
            opened: stats.opened,
            half_opened: stats.half_opened,
            closed: stats.closed,
            in_flight: lifetime.in_flight(),
            available_slots: bulkhead.available(),
            slots: bulkhead.size(),
        }
    }
}
