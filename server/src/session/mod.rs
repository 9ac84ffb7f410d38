//! A session: everything that one test needs, apart from every other test.
//!
//! Handlers get the session of the request at hand from the extractor
//! [`CurrentSession`](crate::context::CurrentSession) and never ask which one it is. There is one session today,
//! `default`.

mod registry;

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use resilience_actors::failure::{self, FailureHandle};
use resilience_actors::idempotency::{self, CacheSettings, IdempotencyHandle};
use resilience_actors::{ActorError, Unstarted};
use tokio::sync::Semaphore;
use uuid::Uuid;

use crate::config::Config;
use crate::logging;

pub use registry::Sessions;

/// The state and the limits of one test.
pub struct Session {
    /// Which requests must fail.
    pub failures: FailureHandle,
    /// The answers by idempotency key.
    pub answers: IdempotencyHandle<Uuid>,
    /// Slots for requests to the data plane, granted first come, first served.
    pub slots: Arc<Semaphore>,
    /// The bound on one request.
    pub request_timeout: Duration,
    actors: Mutex<Option<[Unstarted; 2]>>,
}

/// What a session is created with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionSettings {
    /// How many requests of the data plane are processed at once.
    pub max_concurrency: usize,
    /// The bound on one request.
    pub request_timeout: Duration,
    /// How many answers are kept.
    pub cache_max_size: NonZeroUsize,
    /// How long an answer is kept.
    pub cache_ttl: Duration,
}

impl Session {
    /// Creates a session in which nothing fails and nothing is cached. Its actors do not run before
    /// [`start_actors`](Self::start_actors).
    #[must_use]
    pub fn new(settings: &SessionSettings) -> Self {
        let (failures, failure_actor) = failure::prepare(logging::FAILURE);
        let cache = CacheSettings { max_size: settings.cache_max_size, ttl: settings.cache_ttl };
        let (answers, cache_actor) = idempotency::prepare(cache, logging::CACHE);
        Self {
            failures,
            answers,
            slots: Arc::new(Semaphore::new(settings.max_concurrency)),
            request_timeout: settings.request_timeout,
            actors: Mutex::new(Some([failure_actor, cache_actor])),
        }
    }

    /// Starts the actors on the current thread's arbiter. Every call but the first does nothing.
    ///
    /// A single worker calls it as it starts, so that no message has to wake another thread. With several workers
    /// the server calls it before them, on a thread that outlasts them.
    pub fn start_actors(&self) {
        // A poisoned lock still holds the actors that have not been started.
        let actors = self.actors.lock().unwrap_or_else(PoisonError::into_inner).take();
        for actor in actors.into_iter().flatten() {
            actor.start();
        }
    }

    /// Asks every actor for a sign of life.
    ///
    /// # Errors
    /// [`ActorError`] when one of them does not answer.
    pub async fn check(&self) -> Result<(), ActorError> {
        self.failures.status().await?;
        self.answers.stats().await.map(drop)
    }
}

impl From<&Config> for SessionSettings {
    fn from(config: &Config) -> Self {
        Self {
            max_concurrency: config.max_concurrency,
            request_timeout: config.request_timeout,
            cache_max_size: config.cache_max_size,
            cache_ttl: config.cache_ttl,
        }
    }
}
