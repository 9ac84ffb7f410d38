//! `GET /msg`: the one route that fails, waits, and answers idempotently.

use std::time::Duration;

use actix_web::http::header::HeaderValue;
use actix_web::web::Query;
use actix_web::{HttpRequest, HttpResponse};
use log::debug;
use resilience_actors::failure::{Decision, Reason};
use resilience_actors::idempotency::{Key, Outcome};
use serde::Serialize;
use utoipa::{IntoParams, OpenApi, ToSchema};
use uuid::Uuid;

use super::{Plane, Route};
use crate::context::{CurrentSession, RequestContext};
use crate::error::{ApiError, Problem};
use crate::execution::{self, Execution};
use crate::headers::{REPLAYED, REQUEST_ID};
use crate::logging::{CACHE, FAILURE};
use crate::validation::{self, Fault, HttpValidationError, Rule};

/// The longest delay that a request can ask for, in milliseconds.
const MAX_DELAY_MS: u32 = 30_000;

#[derive(OpenApi)]
#[openapi(paths(get_message))]
struct Document;

/// The route.
pub fn route() -> Route {
    Route::documented(Plane::Data, Document::openapi()).get(get_message)
}

/// A message, known by its id.
#[derive(Debug, Serialize, ToSchema)]
struct Message {
    /// A UUID of version 4, new unless the answer is replayed.
    message_id: Uuid,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "read by the derive alone")]
struct DelayParameter {
    /// Milliseconds to wait before a new answer is made.
    #[param(required = false, minimum = 0, maximum = 30000, default = 0)]
    delay: u32,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "read by the derive alone")]
struct KeyParameter {
    /// Idempotency key: requests with the same key get the same answer. An empty value counts as no key.
    #[param(rename = "X-Request-ID", required = false, max_length = 255, pattern = "^[!-~]*$")]
    x_request_id: String,
}

/// Get a message
///
/// Answers with a new UUID; with the UUID of an earlier request that had the same `X-Request-ID`; or with a 500
/// while a failure is due, which comes before the stored answer and leaves it in the cache.
#[utoipa::path(
    get,
    path = "/msg",
    params(DelayParameter, KeyParameter),
    responses(
        (status = 200, description = "A message", body = Message, headers(
            ("Idempotent-Replayed" = String,
                description = "`true` when the answer was made for another request with this key"),
        )),
        (status = 422, description = "A value does not parse or is out of range", body = HttpValidationError),
        (status = 500, description = "An induced failure", body = Problem),
    )
)]
async fn get_message(session: CurrentSession, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let asked = Asked::of(&request)?;
    // A failure comes before the cache, so that it hides a stored answer and leaves it where it is.
    if let Decision::Fail(failure) = session.failures.decide().await? {
        log_failure(&request, failure.spend());
        return Err(ApiError::InducedFailure);
    }
    let Some(key) = asked.key else {
        execution::wait(asked.delay, RequestContext::correlation_id(&request)).await;
        return Ok(answer(Uuid::new_v4(), Origin::Made));
    };
    match session.answers.begin(Key::clone(&key)).await? {
        Outcome::Replay(id) => {
            log_cache(&request, &key, "Cache hit");
            Ok(answer(id, Origin::Replayed))
        }
        Outcome::Execute(lease) => {
            log_cache(&request, &key, "Cache miss");
            let execution = Execution::begin(&request, key, lease);
            let id = execution.finish(&request, asked.delay).await?;
            Ok(answer(id, Origin::Made))
        }
    }
}

/// Where the answer comes from: made now, or stored before.
#[derive(Clone, Copy)]
enum Origin {
    Made,
    Replayed,
}

fn answer(id: Uuid, origin: Origin) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    if let Origin::Replayed = origin {
        response.insert_header((REPLAYED, HeaderValue::from_static("true")));
    }
    response.json(Message { message_id: id })
}

/// What the request asks for, validated.
struct Asked {
    delay: Duration,
    key: Option<Key>,
}

impl Asked {
    fn of(request: &HttpRequest) -> Result<Self, ApiError> {
        let mut faults = Vec::new();
        let delay = delay(request).unwrap_or_else(|fault| {
            faults.push(fault);
            Duration::ZERO
        });
        let key = key(request).unwrap_or_else(|fault| {
            faults.push(fault);
            None
        });
        if faults.is_empty() { Ok(Self { delay, key }) } else { Err(ApiError::Invalid(faults)) }
    }
}

/// Reads the delay. The last `delay` of the query counts, as in FastAPI.
fn delay(request: &HttpRequest) -> Result<Duration, Fault> {
    if request.query_string().is_empty() {
        return Ok(Duration::ZERO);
    }
    // Form decoding replaces bytes that are not UTF-8, so this cannot fail. The value is checked below.
    let pairs = Query::<Vec<(String, String)>>::from_query(request.query_string());
    let pairs = pairs.map(Query::into_inner).unwrap_or_default();
    match pairs.iter().rev().find(|(name, _)| name == "delay") {
        Some((_, value)) => validation::whole_number(["query", "delay"], value, &(0..=MAX_DELAY_MS))
            .map(|milliseconds| Duration::from_millis(milliseconds.into())),
        None => Ok(Duration::ZERO),
    }
}

/// Reads the idempotency key. A missing header and an empty one both mean that there is no key.
fn key(request: &HttpRequest) -> Result<Option<Key>, Fault> {
    const LOCATION: [&str; 2] = ["header", "X-Request-ID"];
    let mut values = request.headers().get_all(REQUEST_ID);
    let Some(first) = values.next() else { return Ok(None) };
    if let Some(second) = values.next() {
        let both = [first, second].map(|value| String::from_utf8_lossy(value.as_bytes()));
        return Err(Fault { rule: Rule::StringPatternMismatch, location: LOCATION, input: both.join(", ") });
    }
    if first.is_empty() {
        return Ok(None);
    }
    validation::idempotency_key(LOCATION, first.as_bytes()).map(|key| Some(Key::from(key)))
}

/// Logs an induced failure. A count is an integer, a duration in seconds a float.
fn log_failure(request: &HttpRequest, reason: Reason) {
    let correlation_id = RequestContext::correlation_id(request);
    match reason {
        Reason::Count { left, .. } => {
            debug!(target: FAILURE, correlation_id:%, reason = "count", left; "Induced failure");
        }
        Reason::Duration { left } => {
            let left = left.as_secs_f64();
            debug!(target: FAILURE, correlation_id:%, reason = "duration", left; "Induced failure");
        }
    }
}

fn log_cache(request: &HttpRequest, key: &str, event: &str) {
    debug!(target: CACHE, correlation_id:% = RequestContext::correlation_id(request), request_id = key; "{event}");
}
