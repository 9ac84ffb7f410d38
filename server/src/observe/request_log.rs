//! Logs every request when it begins and when it ends, at DEBUG.

use std::time::Instant;

use actix_web::HttpRequest;
use actix_web::http::Method;
use log::{Level, debug, log_enabled};
use uuid::Uuid;

use super::{End, Listener, Outcome};
use crate::context::RequestContext;
use crate::logging::REQUEST;

/// The listener that writes log lines. It is interested while DEBUG is on.
pub struct RequestLog;

/// What both log lines of a request say.
pub struct Entry {
    method: Method,
    path: String,
    query: String,
    request_id: Option<String>,
    correlation_id: Uuid,
    client: Option<String>,
    since: Instant,
}

impl Listener for RequestLog {
    type Begun = Entry;

    fn is_interested(&self) -> bool {
        log_enabled!(target: REQUEST, Level::Debug)
    }

    fn begun(&self, request: &HttpRequest) -> Entry {
        let request_id = request.headers().get("x-request-id");
        let entry = Entry {
            method: request.method().clone(),
            path: request.path().to_owned(),
            query: request.query_string().to_owned(),
            request_id: request_id.map(|id| String::from_utf8_lossy(id.as_bytes()).into_owned()),
            correlation_id: RequestContext::correlation_id(request),
            client: request.peer_addr().map(|address| address.to_string()),
            since: Instant::now(),
        };
        debug!(
            target: REQUEST,
            method:% = entry.method, path = entry.path, query = entry.query, request_id = entry.request_id,
            correlation_id:% = entry.correlation_id, client = entry.client;
            "Request received"
        );
        entry
    }

    fn ended(&self, entry: Entry, end: &End<'_>) {
        let duration_ms = entry.since.elapsed().as_micros() as f64 / 1000.0;
        let (event, status) = match end.outcome {
            Outcome::Answered(status) | Outcome::TimedOut(status) => ("Request completed", Some(status)),
            Outcome::ClientLeft => ("Request aborted by the client", None),
        };
        debug!(
            target: REQUEST,
            method:% = entry.method, path = entry.path, query = entry.query, request_id = entry.request_id,
            correlation_id:% = entry.correlation_id, client = entry.client, status, duration_ms;
            "{event}"
        );
    }
}
