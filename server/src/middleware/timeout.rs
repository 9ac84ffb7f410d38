//! Bounds the whole of a request, its body and its wait for a slot included. What was going on is dropped, which
//! gives back whatever it held, and the connection stays usable.

use std::time::Duration;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Service, ServiceRequest, ServiceResponse};
use actix_web::{Error, HttpRequest};

use super::body;
use super::errors::{CorrelationId, catching_panics};
use super::layer::Layer;
use crate::error::ApiError;
use crate::logging::REQUEST;

/// Answers 408 when the time is up.
pub struct Timeout {
    /// The bound.
    pub after: Duration,
}

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
        let work = async {
            body::ignore(&mut request).await?;
            catching_panics(inner.call(request)).await
        };
        let answer = match actix_rt::time::timeout(self.after, work).await {
            Ok(Ok(response)) => return Ok(response.map_into_boxed_body()),
            Ok(Err(error)) => error,
            Err(_elapsed) => {
                self.log(&http_request);
                ApiError::Timeout.into()
            }
        };
        Ok(ServiceResponse::from_err(answer, http_request))
    }
}

impl Timeout {
    fn log(&self, request: &HttpRequest) {
        log::warn!(
            target: REQUEST,
            method:% = request.method(), path = request.path(),
            correlation_id:% = CorrelationId::of(request), timeout_seconds = self.after.as_secs();
            "Request timeout"
        );
    }
}
