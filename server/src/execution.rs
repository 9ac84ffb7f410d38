//! The execution of one request under an idempotency key.
//!
//! An execution that has begun is finished even if its client leaves, so that a client that comes back with its key
//! gets what was made meanwhile. Such an execution therefore runs as a task of its own, and holds the slot of its
//! request until it ends. An execution that has nothing to wait for is never interrupted and needs no task.

use std::sync::Arc;
use std::time::Duration;

use actix_web::HttpRequest;
use log::debug;
use resilience_actors::idempotency::{Key, Lease};
use tokio::time::{Instant, sleep, timeout_at};
use uuid::Uuid;

use crate::context::{CurrentSession, RequestContext, Slot};
use crate::error::ApiError;
use crate::logging::{CACHE, REQUEST};
use crate::session::SessionState;

/// Waits for the delay of a request.
pub async fn wait(delay: Duration, request: &HttpRequest) {
    if !delay.is_zero() {
        sleep_logged(delay, RequestContext::correlation_id(request)).await;
    }
}

async fn sleep_logged(delay: Duration, correlation_id: Uuid) {
    debug!(target: REQUEST, correlation_id:%, delay_seconds = delay.as_secs_f64(); "Delay begun");
    sleep(delay).await;
}

/// An execution that has begun.
///
/// Dropping it (at its deadline, at a panic, or when the server stops) passes the execution on to the first of the
/// requests that wait for the same key.
pub struct Execution {
    key: Key,
    lease: Lease<Uuid>,
    deadline: Instant,
    session: Arc<SessionState>,
    correlation_id: Uuid,
}

impl Execution {
    /// Begins the execution that `lease` stands for, on behalf of `request`.
    pub fn begin(session: &CurrentSession, request: &HttpRequest, key: Key, lease: Lease<Uuid>) -> Self {
        Self {
            key,
            lease,
            deadline: session.context().deadline(),
            session: Arc::clone(session.state()),
            correlation_id: RequestContext::correlation_id(request),
        }
    }

    /// Makes a new message id, stores it, and returns it.
    pub fn complete(self) -> Uuid {
        let id = Uuid::new_v4();
        self.lease.complete(id);
        debug!(
            target: CACHE, correlation_id:% = self.correlation_id, request_id = &*self.key;
            "Cache store"
        );
        id
    }

    /// Completes the execution after `delay`. The caller may leave meanwhile: then the execution goes on, with its slot,
    /// up to the deadline of its request.
    ///
    /// # Errors
    /// [`ApiError::Panicked`] when the execution panicked.
    pub async fn complete_after(self, delay: Duration, slot: Option<Slot>) -> Result<Uuid, ApiError> {
        let execution = async move {
            let _slot = slot;
            self.wait(delay).await.then(|| self.complete())
        };
        match actix_rt::spawn(execution).await.map_err(|_| ApiError::Panicked)? {
            Some(id) => Ok(id),
            // The request has the same deadline and session: its timeout answers, or the session's end closes its
            // connection.
            None => std::future::pending().await,
        }
    }

    /// Waits, and returns whether the execution is still wanted.
    async fn wait(&self, delay: Duration) -> bool {
        let work = async {
            tokio::select! {
                () = sleep_logged(delay, self.correlation_id) => true,
                // No request asks the session's cache any more.
                () = self.session.ended.cancelled() => false,
            }
        };
        timeout_at(self.deadline, work).await.unwrap_or(false)
    }
}
