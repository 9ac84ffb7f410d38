//! Lets at most so many requests through at once; the others wait, first come first served.
//!
//! Only `/msg` passes through here: whoever drives a test must be able to reset it while every slot hangs.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, error::ErrorInternalServerError};
use tokio::sync::TryAcquireError;

use super::errors::CorrelationId;
use crate::logging::CONCURRENCY;
use crate::world::World;

/// Holds a slot while the request is processed. The semaphore is fair: nobody overtakes those who wait.
pub async fn concurrency<B: MessageBody>(
    world: Data<World>,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let slot = match world.slots.try_acquire() {
        Ok(slot) => slot,
        Err(TryAcquireError::Closed) => return Err(ErrorInternalServerError("no slots")),
        Err(TryAcquireError::NoPermits) => {
            let correlation_id = CorrelationId::of(request.request());
            log::debug!(target: CONCURRENCY, correlation_id:%; "Request waits for a slot");
            let slot = world.slots.acquire().await.map_err(ErrorInternalServerError)?;
            log::debug!(target: CONCURRENCY, correlation_id:%; "Request got a slot");
            slot
        }
    };
    let response = next.call(request).await;
    drop(slot);
    response
}
