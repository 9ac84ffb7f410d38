//! The execution of one request under an idempotency key.
//!
//! An execution that has begun is finished even if its client leaves, so that a client that comes back with its key
//! gets what was made meanwhile. Such an execution therefore runs as a task of its own, and holds the slot of its
//! request until it ends. An execution that has nothing to wait for is never interrupted and needs no task.

use std::time::Duration;

use actix_web::HttpRequest;
use log::debug;
use resilience_actors::idempotency::{Key, Lease};
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::context::{RequestContext, Slot};
use crate::error::ApiError;
use crate::logging::{CACHE, REQUEST};

/// Waits for the delay that a request has asked for.
pub async fn wait(delay: Duration, correlation_id: Uuid) {
    if !delay.is_zero() {
        debug!(target: REQUEST, correlation_id:%, delay_seconds = delay.as_secs_f64(); "Delay begun");
        sleep(delay).await;
    }
}

/// An execution that has begun.
///
/// Dropping it (at its deadline, at a panic, or when the server stops) passes the execution on to the first of the
/// requests that wait for the same key.
pub struct Execution {
    key: Key,
    lease: Lease<Uuid>,
    slot: Option<Slot>,
    deadline: Option<Instant>,
    ended: Option<CancellationToken>,
    correlation_id: Uuid,
}

impl Execution {
    /// Begins the execution that `lease` stands for, on behalf of `request`.
    pub fn begin(request: &HttpRequest, key: Key, lease: Lease<Uuid>) -> Self {
        Self {
            key,
            lease,
            slot: None,
            deadline: RequestContext::deadline(request),
            ended: RequestContext::session(request).map(|session| session.ended.clone()),
            correlation_id: RequestContext::correlation_id(request),
        }
    }

    /// Makes a new message id after `delay`, stores it, and returns it. The caller may leave meanwhile: then the
    /// execution goes on up to the deadline of `request`.
    ///
    /// # Errors
    /// [`ApiError::Panicked`] when the execution panicked.
    pub async fn finish(mut self, request: &HttpRequest, delay: Duration) -> Result<Uuid, ApiError> {
        if delay.is_zero() {
            return Ok(self.complete());
        }
        self.slot = RequestContext::take_slot(request);
        let finished = actix_rt::spawn(self.complete_after(delay)).await.map_err(|_| ApiError::Panicked)?;
        match finished {
            Some(id) => Ok(id),
            // The request has the same deadline and session: its timeout answers, or the session's end closes its
            // connection.
            None => std::future::pending().await,
        }
    }

    async fn complete_after(self, delay: Duration) -> Option<Uuid> {
        let ended = self.ended.clone().unwrap_or_default();
        let is_due = async {
            tokio::select! {
                () = wait(delay, self.correlation_id) => true,
                // Nobody asks the session's cache any more.
                () = ended.cancelled() => false,
            }
        };
        let is_due = match self.deadline {
            Some(deadline) => timeout_at(deadline, is_due).await.unwrap_or(false),
            None => is_due.await,
        };
        is_due.then(|| self.complete())
    }

    fn complete(self) -> Uuid {
        let id = Uuid::new_v4();
        self.lease.complete(id);
        debug!(
            target: CACHE, correlation_id:% = self.correlation_id, request_id = &*self.key;
            "Cache store"
        );
        id
    }
}
