//! Logs every request when it comes and when it is done, at DEBUG. At INFO it costs one comparison.

use std::time::Instant;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Service, ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::{Error, HttpRequest};
use log::{Level, debug, log_enabled};
use uuid::Uuid;

use super::errors::CorrelationId;
use super::layer::Layer;
use crate::logging::REQUEST;

/// Logs the request, unless nobody wants to read it.
pub struct RequestLog;

impl Layer for RequestLog {
    async fn call<S, B>(&self, request: ServiceRequest, inner: &S) -> Result<ServiceResponse<BoxBody>, Error>
    where
        S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
        B: MessageBody + 'static,
    {
        if !log_enabled!(target: REQUEST, Level::Debug) {
            return Ok(inner.call(request).await?.map_into_boxed_body());
        }
        let entry = Entry::open(request.request());
        let response = inner.call(request).await?.map_into_boxed_body();
        entry.close(response.status().as_u16());
        Ok(response)
    }
}

/// One request's line, which is written in any case: dropping an open entry means that the client has left.
struct Entry {
    method: Method,
    path: String,
    query: String,
    request_id: Option<String>,
    correlation_id: Uuid,
    client: Option<String>,
    since: Instant,
    status: Option<u16>,
}

impl Entry {
    fn open(request: &HttpRequest) -> Self {
        let request_id = request.headers().get("x-request-id");
        let entry = Self {
            method: request.method().clone(),
            path: request.path().to_owned(),
            query: request.query_string().to_owned(),
            request_id: request_id.map(|id| String::from_utf8_lossy(id.as_bytes()).into_owned()),
            correlation_id: CorrelationId::of(request),
            client: request.peer_addr().map(|address| address.to_string()),
            since: Instant::now(),
            status: None,
        };
        debug!(
            target: REQUEST,
            method:% = entry.method, path = entry.path, query = entry.query, request_id = entry.request_id,
            correlation_id:% = entry.correlation_id, client = entry.client;
            "Request received"
        );
        entry
    }

    fn close(mut self, status: u16) {
        self.status = Some(status);
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let duration_ms = self.since.elapsed().as_micros() as f64 / 1000.0;
        let event = match self.status {
            Some(_) => "Request completed",
            None => "Request aborted by the client",
        };
        debug!(
            target: REQUEST,
            method:% = self.method, path = self.path, query = self.query, request_id = self.request_id,
            correlation_id:% = self.correlation_id, client = self.client, status = self.status, duration_ms;
            "{event}"
        );
    }
}
