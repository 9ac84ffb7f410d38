//! The breaker that a call is subject to, as callers name it.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use super::published::Published;

/// The breaker of a call: the one of the whole client, or the one of the origin that is called.
#[derive(Clone, Debug, Default)]
pub struct Circuit(Option<Arc<OriginCircuit>>);

/// The breaker of one origin, as its readers see it. The actor owns its rules.
#[derive(Debug)]
pub(super) struct OriginCircuit {
    /// An origin that is forgotten and called again has a new number, so nothing of the former breaker reaches the new
    /// one.
    id: u64,
    name: Box<str>,
    published: Published,
    forgotten: AtomicBool,
}

impl Circuit {
    /// The breaker of the whole client.
    pub const CLIENT: Self = Self(None);

    pub(super) fn of(origin: Arc<OriginCircuit>) -> Self {
        Self(Some(origin))
    }

    /// Returns the origin whose breaker this is; `None` for the breaker of the whole client.
    pub fn origin(&self) -> Option<&str> {
        self.0.as_ref().map(|origin| &*origin.name)
    }

    pub(super) fn get(&self) -> Option<&Arc<OriginCircuit>> {
        self.0.as_ref()
    }
}

impl OriginCircuit {
    pub(super) fn new(id: u64, name: &str, published: Published) -> Self {
        Self { id, name: name.into(), published, forgotten: AtomicBool::new(false) }
    }

    pub(super) fn id(&self) -> u64 {
        self.id
    }

    pub(super) fn published(&self) -> &Published {
        &self.published
    }

    /// Marks the breaker as forgotten: calls that still have it pass, and count for no breaker.
    pub(super) fn forget(&self) {
        self.forgotten.store(true, Ordering::Release);
        self.published.publish_closed(0);
    }

    pub(super) fn is_forgotten(&self) -> bool {
        self.forgotten.load(Ordering::Acquire)
    }
}
