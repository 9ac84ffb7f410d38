//! What the server counts for `/metrics`.
//!
//! Counting is one relaxed addition to a cell that is known before the request comes: no label is looked up, and no
//! label comes from a client, so that the number of series is bounded. [`exposition`] makes the text at each scrape.

mod exposition;
mod requests;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use actix_web::HttpRequest;
use actix_web::web::Data;

use crate::fault::Fault;
use crate::state::AppState;
use crate::verdict::{Row, Verdict};

pub use exposition::text;
pub use requests::{Count, Requests, RouteCounter};

/// The counters of one server.
#[derive(Debug, Default)]
pub struct Metrics {
    /// The requests, by route and status.
    pub requests: Requests,
    /// The faults that were injected, in the order of [`Fault::KINDS`].
    faults: [AtomicU64; Fault::KINDS.len()],
    /// The mere delays that were injected.
    delays: AtomicU64,
    cache_hits: AtomicU64,
    cache_misses: AtomicU64,
    journal_entries: AtomicU64,
    slots_waiting: AtomicU64,
    /// The findings, in the order of [`Row::ALL`].
    findings: [AtomicU64; Row::ALL.len()],
}

/// Something that is counted alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happened {
    /// A stored answer was replayed.
    CacheHit,
    /// A request with a key was executed.
    CacheMiss,
    /// A request was recorded in a journal.
    JournalEntry,
}

/// A request that waits for a slot. Dropping it ends the wait.
#[derive(Debug)]
pub struct Waiting(Arc<Metrics>);

impl Metrics {
    /// The counters of the server that a request came to; `None` in a test without a server.
    #[must_use]
    pub fn of(request: &HttpRequest) -> Option<&Arc<Self>> {
        request.app_data::<Data<AppState>>().map(|state| &state.metrics)
    }

    /// Counts something.
    pub fn count(&self, what: Happened) {
        let counter = match what {
            Happened::CacheHit => &self.cache_hits,
            Happened::CacheMiss => &self.cache_misses,
            Happened::JournalEntry => &self.journal_entries,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts an injected fault; `None` is a mere delay.
    pub fn count_fault(&self, fault: Option<&Fault>) {
        let index = fault.and_then(|fault| Fault::KINDS.iter().position(|kind| *kind == fault.kind()));
        let counter = index.map_or(&self.delays, |index| &self.faults[index]);
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts the findings of a verdict which `seen`, the findings of the session so far, does not have yet.
    pub fn count_findings(&self, verdict: &Verdict, seen: &AtomicU64) {
        for finding in &verdict.findings {
            let Some(index) = Row::ALL.iter().position(|row| *row == finding.id) else { continue };
            let bit = 1 << index;
            if seen.fetch_or(bit, Ordering::Relaxed) & bit == 0 {
                self.findings[index].fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// Counts a request that waits for a slot, until the value is dropped.
    #[must_use]
    pub fn wait(self: &Arc<Self>) -> Waiting {
        self.slots_waiting.fetch_add(1, Ordering::Relaxed);
        Waiting(Arc::clone(self))
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.slots_waiting.fetch_sub(1, Ordering::Relaxed);
    }
}
