//! The slots of a session: at most so many requests are processed at once, and the others wait for a slot, first come,
//! first served.
//!
//! Only the data plane needs one: the person who drives a test must be able to reset it while every slot is taken by
//! a request that hangs.

use actix_web::HttpRequest;
use log::debug;
use tokio::sync::TryAcquireError;

use crate::connection::{Exchange, OnClientExit};
use crate::context::{RequestContext, Slot};
use crate::error::ApiError;
use crate::logging::CONCURRENCY;

/// Gets a slot for the request. It is given back when what is returned is dropped, unless an execution under an
/// idempotency key or a hang has taken it over. The semaphore is fair: a new request never overtakes those that wait.
///
/// # Errors
/// [`ApiError`] when the request has no session.
pub(super) async fn get(request: &HttpRequest) -> Result<GiveBack, ApiError> {
    // A client that closes its side gives back its slot, or its place in the queue, at once.
    if let Some(exchange) = Exchange::of(request) {
        exchange.on_client_exit(OnClientExit::Drop);
    }
    let slot = acquire(request).await?;
    RequestContext::put_slot(request, slot);
    Ok(GiveBack(request.clone()))
}

/// Waits for a slot. Dropping the future gives back the place in the queue.
async fn acquire(request: &HttpRequest) -> Result<Slot, ApiError> {
    let slots = RequestContext::slots(request).ok_or(ApiError::NotFound)?;
    match slots.try_acquire_owned() {
        Ok(slot) => Ok(slot),
        Err(TryAcquireError::Closed) => Err(ApiError::SlotsClosed),
        Err(TryAcquireError::NoPermits) => {
            let correlation_id = RequestContext::correlation_id(request);
            debug!(target: CONCURRENCY, correlation_id:%; "Request waits for a slot");
            let slots = RequestContext::slots(request).ok_or(ApiError::NotFound)?;
            let slot = slots.acquire_owned().await.map_err(|_| ApiError::SlotsClosed)?;
            debug!(target: CONCURRENCY, correlation_id:%; "Request got a slot");
            Ok(slot)
        }
    }
}

/// Gives back the slot of a request when it is dropped: after the answer, at a timeout, or when the client leaves.
#[must_use = "dropping it gives the slot back"]
pub(super) struct GiveBack(HttpRequest);

impl Drop for GiveBack {
    fn drop(&mut self) {
        drop(RequestContext::take_slot(&self.0));
    }
}
