//! Lets at most so many requests through at once; the others wait, first come first served.
//!
//! Only `/msg` passes through here: whoever drives a test must be able to reset it while every slot hangs.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Service, ServiceRequest, ServiceResponse};
use actix_web::web::Data;
use actix_web::{Error, error::ErrorInternalServerError};
use tokio::sync::TryAcquireError;

use super::errors::CorrelationId;
use super::layer::Layer;
use crate::logging::CONCURRENCY;
use crate::world::World;

/// Holds a slot while the request is processed. The semaphore is fair: nobody overtakes those who wait.
pub struct Concurrency {
    /// Where the slots are.
    pub world: Data<World>,
}

impl Layer for Concurrency {
    async fn call<S, B>(&self, request: ServiceRequest, inner: &S) -> Result<ServiceResponse<BoxBody>, Error>
    where
        S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
        B: MessageBody + 'static,
    {
        let slots = &self.world.slots;
        let _slot = match slots.try_acquire() {
            Ok(slot) => slot,
            Err(TryAcquireError::Closed) => return Err(ErrorInternalServerError("no slots")),
            Err(TryAcquireError::NoPermits) => {
                let correlation_id = CorrelationId::of(request.request());
                log::debug!(target: CONCURRENCY, correlation_id:%; "Request waits for a slot");
                let slot = slots.acquire().await.map_err(ErrorInternalServerError)?;
                log::debug!(target: CONCURRENCY, correlation_id:%; "Request got a slot");
                slot
            }
        };
        Ok(inner.call(request).await?.map_into_boxed_body())
    }
}
