//! What the actor and all handles of a supervisor share, and callers read without a message.

use std::time::Instant;

use super::{
    circuit::Circuit,
    counters::Counters,
    origins::Origins,
    published::{BreakerState, Published, View},
    settings::Scope,
};

/// The published states of all breakers, and the counters.
#[derive(Debug)]
pub(super) struct Shared {
    /// The breaker of the whole client. Where origins have their own, it only carries out commands.
    pub(super) client: Published,
    /// `None` unless origins have breakers of their own.
    pub(super) origins: Option<Origins>,
    pub(super) counters: Counters,
}

impl Shared {
    pub(super) fn new(scope: Scope, now: Instant) -> Self {
        let origins = match scope {
            Scope::Client => None,
            Scope::Origin { most } => Some(Origins::new(most)),
        };
        Self { client: Published::new(now, 1), origins, counters: Counters::default() }
    }

    /// Returns where the state of a breaker is published.
    pub(super) fn published<'a>(&'a self, circuit: &'a Circuit) -> &'a Published {
        circuit.get().map_or(&self.client, |origin| origin.published())
    }

    /// Reads the state of a breaker. A client that was opened by hand is open for every origin.
    pub(super) fn view(&self, circuit: &Circuit, now: impl Fn() -> Instant) -> View {
        let Some(origin) = circuit.get() else { return self.client.view(now) };
        match self.client.view(&now) {
            open @ View::Open(_) => open,
            _ => origin.published().view(now),
        }
    }

    /// Reads the state of the client: that of its breaker, or the worst of all origins.
    pub(super) fn state(&self, now: impl Fn() -> Instant) -> BreakerState {
        let client = self.client.view(&now).state();
        let all = self.origins.as_ref().map(Origins::all).unwrap_or_default();
        all.iter().map(|origin| origin.published().view(&now).state()).fold(client, BreakerState::worse)
    }
}
