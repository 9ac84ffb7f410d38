//! Requests on a connection that an injected fault has spent: they are read, and not executed.

use std::time::Duration;

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::{HttpMessage, HttpResponse};

use super::layer::Answered;
use crate::body;
use crate::connection::Exchange;
use crate::context::RequestContext;
use crate::observe::recorder;

/// How long such a request may take to come.
const READ_TIMEOUT: Duration = Duration::from_secs(2);

/// Passes the request on to `inner`. One that comes on a connection which an earlier answer has spent gets the end of
/// the connection, from the connection itself; here its body is read.
///
/// # Errors
/// Those of `inner`.
pub async fn pass_on(
    request: ServiceRequest,
    inner: impl AsyncFnOnce(ServiceRequest) -> Answered,
) -> Answered {
    match Exchange::spent_before(request.request()) {
        None => inner(request).await,
        Some(_) => Ok(Box::pin(read(request)).await),
    }
}

async fn read(mut request: ServiceRequest) -> ServiceResponse<BoxBody> {
    if let Some(context) = RequestContext::of(request.request()) {
        recorder::begin(&context, request.request());
    }
    let mut payload = request.take_payload();
    let drained = body::drain(&mut payload, body::DRAINED);
    // However much of it has come: the answer is the same.
    let _ = tokio::time::timeout(READ_TIMEOUT, drained).await;
    request.into_response(HttpResponse::NoContent().finish())
}
