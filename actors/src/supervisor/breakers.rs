//! The breakers of a client: one for the client, and one for each origin if origins have their own. Pure.

use std::collections::HashMap;

use super::{
    breaker::{Breaker, BreakerSettings},
    circuit::Circuit,
};

/// The breakers, which only the actor changes.
#[derive(Debug)]
pub(super) struct Breakers {
    settings: BreakerSettings,
    /// The generation after which every breaker of this state begins.
    last_generation: u64,
    client: Breaker,
    /// The breakers of origins, from the first message about each.
    origins: HashMap<u64, Breaker>,
}

impl Breakers {
    pub(super) fn new(settings: BreakerSettings, last_generation: u64) -> Self {
        let client = Breaker::new(settings.clone(), last_generation);
        Self { settings, last_generation, client, origins: HashMap::new() }
    }

    /// Returns the breaker of the whole client.
    pub(super) fn client(&self) -> &Breaker {
        &self.client
    }

    /// Returns a breaker; `None` for one that is forgotten.
    pub(super) fn get(&mut self, circuit: &Circuit) -> Option<&mut Breaker> {
        let Some(origin) = circuit.get() else { return Some(&mut self.client) };
        if origin.is_forgotten() {
            return None;
        }
        let (settings, last) = (&self.settings, self.last_generation);
        Some(self.origins.entry(origin.id()).or_insert_with(|| Breaker::new(settings.clone(), last)))
    }

    /// Takes the breaker of an origin out, if there was a message about it.
    pub(super) fn remove(&mut self, id: u64) -> Option<Breaker> {
        self.origins.remove(&id)
    }

    /// Returns the highest generation of all breakers.
    pub(super) fn last_generation(&self) -> u64 {
        let origins = self.origins.values().map(Breaker::generation);
        origins.fold(self.client.generation(), u64::max)
    }
}
