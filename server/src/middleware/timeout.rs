//! Bounds the whole of a request, its body and its wait for a slot included. What was going on is dropped, which
//! gives back whatever it held, and the connection stays usable.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpMessage};
use futures::StreamExt;

use super::errors::{CorrelationId, catching_panics};
use crate::error::ApiError;
use crate::logging::REQUEST;
use crate::world::World;

/// The largest body that is read and ignored. No route takes one, but many clients send an empty object.
pub const MAX_IGNORED_BODY: usize = 16 * 1024;

/// Answers 408 when the time is up.
pub async fn timeout(
    world: Data<World>,
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let http_request = request.request().clone();
    let work = async {
        ignore_body(request.take_payload()).await?;
        catching_panics(next.call(request)).await
    };
    match actix_rt::time::timeout(world.request_timeout, work).await {
        Ok(Ok(response)) => Ok(response.map_into_boxed_body()),
        Ok(Err(error)) => Ok(ServiceResponse::from_err(error, http_request)),
        Err(_elapsed) => {
            log::warn!(
                target: REQUEST,
                method:% = http_request.method(), path = http_request.path(),
                correlation_id:% = CorrelationId::of(&http_request),
                timeout_seconds = world.request_timeout.as_secs();
                "Request timeout"
            );
            Ok(ServiceResponse::from_err(ApiError::Timeout, http_request))
        }
    }
}

async fn ignore_body(mut body: Payload) -> Result<(), ApiError> {
    if matches!(body, Payload::None) {
        return Ok(());
    }
    let mut size = 0;
    while let Some(chunk) = body.next().await {
        size += chunk.map_err(|_| ApiError::BodyMalformed)?.len();
        if size > MAX_IGNORED_BODY {
            return Err(ApiError::BodyTooLarge);
        }
    }
    Ok(())
}
