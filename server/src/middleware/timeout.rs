//! Bounds the whole of a request, its body and its wait for a slot included, and answers 408 when the time is up.
//!
//! The work is dropped then, which gives back everything that it holds, and the connection stays usable.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Service, ServiceRequest, ServiceResponse};
use actix_web::{Error, HttpRequest};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

use super::body;
use super::envelope::catching_panics;
use super::layer::Layer;
use crate::context::RequestContext;
use crate::error::ApiError;
use crate::logging::REQUEST;

/// Applies the request timeout of the request's session.
pub struct Timeout;

impl Layer for Timeout {
    async fn call<S, B>(
        &self,
        mut request: ServiceRequest,
        inner: &S,
    ) -> Result<ServiceResponse<BoxBody>, Error>
    where
        S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
        B: MessageBody + 'static,
    {
        let http_request = request.request().clone();
        let deadline =
            RequestContext::start_clock(&http_request, Instant::now()).ok_or(ApiError::NotFound)?;
        let work = async {
            body::ignore(&mut request).await?;
            catching_panics(inner.call(request)).await
        };
        let answer = match timeout_at(deadline, work).await {
            Ok(Ok(response)) => return Ok(response.map_into_boxed_body()),
            Ok(Err(error)) => error,
            Err(_elapsed) => {
                log(&http_request);
                ApiError::Timeout.into()
            }
        };
        Ok(ServiceResponse::from_err(answer, http_request))
    }
}

fn log(request: &HttpRequest) {
    let timeout = RequestContext::session(request).map_or(Duration::ZERO, |session| session.request_timeout);
    log::warn!(
        target: REQUEST,
        method:% = request.method(), path = request.path(),
        correlation_id:% = RequestContext::correlation_id(request), timeout_seconds = timeout.as_secs();
        "Request timeout"
    );
}
