//! Lets at most so many requests through at once. The others wait for a slot, first come, first served.
//!
//! Only the data plane passes through here: the person who drives a test must be able to reset it while every slot
//! is taken by a request that hangs.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Service, ServiceRequest, ServiceResponse};
use actix_web::{Error, HttpRequest};
use log::debug;
use tokio::sync::TryAcquireError;

use super::layer::Layer;
use crate::connection::{Exchange, OnClientExit};
use crate::context::{RequestContext, Slot};
use crate::error::ApiError;
use crate::logging::CONCURRENCY;

/// Gives the request a slot of its session. The slot is given back when the request ends, unless an execution under
/// an idempotency key has taken it over. The semaphore is fair: a new request never overtakes those that wait.
pub struct Concurrency;

impl Layer for Concurrency {
    async fn call<S, B>(&self, request: ServiceRequest, inner: &S) -> Result<ServiceResponse<BoxBody>, Error>
    where
        S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
        B: MessageBody + 'static,
    {
        // A client that closes its side gives back its slot, or its place in the queue, at once.
        if let Some(exchange) = Exchange::of(request.request()) {
            exchange.on_client_exit(OnClientExit::Drop);
        }
        let slot = acquire(request.request()).await?;
        RequestContext::put_slot(request.request(), slot);
        let _slot = GiveBack(request.request().clone());
        Ok(inner.call(request).await?.map_into_boxed_body())
    }
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
struct GiveBack(HttpRequest);

impl Drop for GiveBack {
    fn drop(&mut self) {
        drop(RequestContext::take_slot(&self.0));
    }
}
