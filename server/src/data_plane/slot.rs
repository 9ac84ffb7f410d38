//! The slots of a session: at most so many requests are processed at once, and the others wait for a slot, first come,
//! first served.
//!
//! Only the data plane needs one: the person who drives a test must be able to reset it while every slot is taken by
//! a request that hangs.

use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use actix_web::HttpRequest;
use log::debug;
use tokio::sync::TryAcquireError;

use crate::connection::OnClientExit;
use crate::context::{CurrentSession, RequestContext, Slot};
use crate::error::ApiError;
use crate::logging::CONCURRENCY;
use crate::metrics::Metrics;

/// Waits for a slot. Dropping the future gives back the place in the queue, and dropping the slot gives it to the next
/// request. The semaphore is fair: a new request never overtakes those that wait.
///
/// # Errors
/// [`ApiError::SlotsClosed`], which never happens.
pub(super) async fn get(session: &CurrentSession, request: &HttpRequest) -> Result<Slot, ApiError> {
    // A client that closes its side gives back its slot, or its place in the queue, at once.
    if let Some(exchange) = session.context().exchange() {
        exchange.on_client_exit(OnClientExit::Drop);
    }
    match Arc::clone(&session.slots).try_acquire_owned() {
        Ok(slot) => Ok(slot),
        Err(TryAcquireError::Closed) => Err(ApiError::SlotsClosed),
        Err(TryAcquireError::NoPermits) => Box::pin(wait(session, request)).await,
    }
}

async fn wait(session: &CurrentSession, request: &HttpRequest) -> Result<Slot, ApiError> {
    let correlation_id = RequestContext::correlation_id(request);
    let mut slot = pin!(Arc::clone(&session.slots).acquire_owned());
    let slot = match futures::poll!(slot.as_mut()) {
        Poll::Ready(slot) => slot,
        Poll::Pending => {
            // Logged when the request has its place in the queue: what comes after this line is behind it.
            debug!(target: CONCURRENCY, correlation_id:%; "Request waits for a slot");
            let _waiting = Metrics::of(request).map(Metrics::wait);
            slot.await
        }
    };
    let slot = slot.map_err(|_| ApiError::SlotsClosed)?;
    debug!(target: CONCURRENCY, correlation_id:%; "Request got a slot");
    Ok(slot)
}
