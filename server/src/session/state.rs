//! The state of a session from its creation, or its last reset, to the next reset or its end.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use resilience_actors::failure::{self, FailureHandle};
use resilience_actors::fault::{self, FaultHandle};
use resilience_actors::idempotency::{self, CacheSettings, IdempotencyHandle};
use resilience_actors::{ActorError, Unstarted};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::settings::SessionSettings;
use crate::fault::Fault;
use crate::journal::Journal;
use crate::logging;
use crate::verdict::Grouping;

/// What the requests of one session share. A request keeps the state that it began with, so what it reports after a
/// reset changes nothing.
pub struct SessionState {
    /// Which requests must fail.
    pub failures: FailureHandle,
    /// Which requests get which fault.
    pub faults: FaultHandle<Fault>,
    /// The answers by idempotency key.
    pub answers: IdempotencyHandle<Uuid>,
    /// The requests to the data plane; `None` when the journal is off.
    pub journal: Option<Journal>,
    /// Slots for requests to the data plane, granted first come, first served.
    pub slots: Arc<Semaphore>,
    /// The bound on one request.
    pub request_timeout: Duration,
    /// The seed of plans that have none of their own.
    pub seed: u64,
    /// Whether all requests to the data plane are of one call.
    pub grouping: Grouping,
    /// Cancelled when this state ends: what waits in it ends, and its connections close.
    pub ended: CancellationToken,
    /// The findings that have been counted, a bit each.
    pub counted_findings: AtomicU64,
    actors: Mutex<Vec<Unstarted>>,
}

impl SessionState {
    /// Creates a state in which nothing fails and nothing is cached, and which ends with `ended`. Its actors do not
    /// run before [`start_actors`](Self::start_actors).
    #[must_use]
    pub fn new(settings: &SessionSettings, ended: CancellationToken) -> Self {
        let (failures, failure_actor) = failure::prepare(logging::FAILURE);
        let (faults, fault_actor) = fault::prepare(settings.key_budget.clone(), logging::FAULT);
        let cache = CacheSettings { max_size: settings.cache_max_size, ttl: settings.cache_ttl };
        let (answers, cache_actor) = idempotency::prepare(cache, logging::CACHE);
        let mut actors = vec![failure_actor, fault_actor, cache_actor];
        let journal = Journal::prepare(&settings.journal).map(|(journal, actor)| {
            actors.push(actor);
            journal
        });
        Self {
            failures,
            faults,
            answers,
            journal,
            slots: Arc::new(Semaphore::new(settings.max_concurrency)),
            request_timeout: settings.request_timeout,
            seed: settings.seed,
            grouping: settings.grouping,
            ended,
            counted_findings: AtomicU64::new(0),
            actors: Mutex::new(actors),
        }
    }

    /// Starts the actors on the current thread's arbiter. Every call but the first does nothing.
    pub fn start_actors(&self) {
        // A poisoned lock still holds the actors that have not been started.
        let actors = std::mem::take(&mut *self.actors.lock().unwrap_or_else(PoisonError::into_inner));
        for actor in actors {
            actor.start();
        }
    }

    /// Asks every actor for a sign of life.
    ///
    /// # Errors
    /// [`ActorError`] when one of them does not answer.
    pub async fn check(&self) -> Result<(), ActorError> {
        self.failures.status().await?;
        self.faults.report().await?;
        self.answers.stats().await.map(drop)
    }
}
