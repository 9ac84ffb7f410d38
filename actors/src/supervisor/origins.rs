//! The origins that have a breaker of their own, up to a bound beyond which the longest unused one is forgotten.
//!
//! Callers find the breaker of an origin here without a message. The actor is sent what was forgotten.

use std::{
    num::NonZeroUsize,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use lru::LruCache;

use super::{circuit::OriginCircuit, published::Published};

/// The breakers of origins, the most recently used one first.
#[derive(Debug)]
pub(super) struct Origins(Mutex<Table>);

#[derive(Debug)]
struct Table {
    circuits: LruCache<Box<str>, Arc<OriginCircuit>>,
    issued: u64,
    /// The generation after which new breakers begin; it grows when the actor restarts.
    last_generation: u64,
}

/// The breaker of an origin, and the one that was forgotten in its place.
pub(super) struct Found {
    pub(super) circuit: Arc<OriginCircuit>,
    pub(super) forgotten: Option<Arc<OriginCircuit>>,
}

impl Origins {
    pub(super) fn new(most: NonZeroUsize) -> Self {
        // Not with this capacity: most clients call a few origins.
        let mut circuits = LruCache::unbounded();
        circuits.resize(most);
        Self(Mutex::new(Table { circuits, issued: 0, last_generation: 0 }))
    }

    /// Finds the breaker of an origin, or makes one, and notes that it is used.
    pub(super) fn find(&self, origin: &str, now: impl FnOnce() -> Instant) -> Found {
        let mut table = self.lock();
        if let Some(circuit) = table.circuits.get(origin) {
            return Found { circuit: Arc::clone(circuit), forgotten: None };
        }
        table.issued += 1;
        let published = Published::new(now(), table.last_generation + 1);
        let circuit = Arc::new(OriginCircuit::new(table.issued, origin, published));
        let forgotten = table.circuits.push(origin.into(), Arc::clone(&circuit)).map(|(_, oldest)| oldest);
        Found { circuit, forgotten }
    }

    /// Looks up the breaker of an origin. This does not count as a use of it.
    pub(super) fn peek(&self, origin: &str) -> Option<Arc<OriginCircuit>> {
        self.lock().circuits.peek(origin).cloned()
    }

    /// Returns all breakers.
    pub(super) fn all(&self) -> Vec<Arc<OriginCircuit>> {
        self.lock().circuits.iter().map(|(_, circuit)| Arc::clone(circuit)).collect()
    }

    /// Lets breakers that are made from now on begin after this generation, and returns those that were made before.
    pub(super) fn restart(&self, last_generation: u64) -> Vec<Arc<OriginCircuit>> {
        self.lock().last_generation = last_generation;
        self.all()
    }

    /// No code that runs under the lock can leave the table half changed.
    fn lock(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
