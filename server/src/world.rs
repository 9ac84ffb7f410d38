//! What a request to `/msg` depends on, as one value that is passed around and never a global: a process can hold
//! as many as it likes.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use actix_web::web::Bytes;
use resilience_actors::failure::{self, FailureHandle};
use resilience_actors::idempotency::{self, CacheSettings, IdempotencyHandle};
use resilience_actors::{ActorError, Unstarted};
use tokio::sync::Semaphore;
use uuid::Uuid;

use crate::config::Config;
use crate::logging;

/// The state that requests share, and the limits that they share.
pub struct World {
    /// Which requests are to fail.
    pub failures: FailureHandle,
    /// The answers by idempotency key.
    pub answers: IdempotencyHandle<Uuid>,
    /// Places for requests to `/msg`, first come first served.
    pub slots: Semaphore,
    /// Bound on one request.
    pub request_timeout: Duration,
    /// The OpenAPI document; `None` when it is not to be served.
    pub openapi: Option<Bytes>,
    started: Instant,
    actors: Mutex<Option<[Unstarted; 2]>>,
}

impl World {
    /// A world in which nothing fails and nothing is cached. Its actors wait for [`start_actors`](Self::start_actors).
    #[must_use]
    pub fn new(config: &Config) -> Self {
        let (failures, failure_actor) = failure::prepare(logging::FAILURE);
        let settings = CacheSettings { max_size: config.cache_max_size, ttl: config.cache_ttl };
        let (answers, cache_actor) = idempotency::prepare(settings, logging::CACHE);
        Self {
            failures,
            answers,
            slots: Semaphore::new(config.max_concurrency),
            request_timeout: config.request_timeout,
            openapi: config.enable_docs.then(|| Bytes::from(crate::openapi::document())),
            started: Instant::now(),
            actors: Mutex::new(Some([failure_actor, cache_actor])),
        }
    }

    /// Starts the actors on the current thread's arbiter; every call but the first does nothing.
    ///
    /// The workers call it as they start, so the actors live on the thread of the first one: with a single worker
    /// no message ever has to wake another thread.
    pub fn start_actors(&self) {
        // A poisoned lock still holds the actors that nobody has taken.
        let actors = self.actors.lock().unwrap_or_else(PoisonError::into_inner).take();
        for actor in actors.into_iter().flatten() {
            actor.start();
        }
    }

    /// Since when this world exists.
    #[must_use]
    pub fn uptime(&self) -> Duration {
        self.started.elapsed()
    }

    /// Whether the actors are there and answer.
    ///
    /// # Errors
    /// [`ActorError`] when one has not answered.
    pub async fn check(&self) -> Result<(), ActorError> {
        self.failures.status().await?;
        self.answers.stats().await.map(drop)
    }
}
