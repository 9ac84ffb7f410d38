//! `GET /msg`: the one route that fails, waits, and answers idempotently.

use std::time::Duration;

use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::web::{Data, Query};
use actix_web::{HttpRequest, HttpResponse};
use log::debug;
use resilience_actors::failure::{Decision, Reason};
use resilience_actors::idempotency::{Key, Lease, Outcome};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::error::ApiError;
use crate::logging::{CACHE, FAILURE};
use crate::middleware::errors::CorrelationId;
use crate::validation::{self, Fault, Rule};
use crate::world::World;

/// Says that an answer was made before, or for another request with the same key.
pub const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// The idempotency key.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The longest delay that a request can ask for, in milliseconds.
pub const MAX_DELAY_MS: u32 = 30_000;

/// A message, known by its id.
#[derive(Debug, Serialize, ToSchema)]
pub struct Message {
    /// A UUID of version 4, new unless the answer is replayed.
    pub message_id: Uuid,
}

/// Answers with a new UUID, or with the one that this key has got before, or fails as told.
///
/// The order is part of the contract: an induced failure comes before the cache, so it hides a stored answer and
/// leaves it where it is.
pub async fn message(world: Data<World>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let asked = Asked::of(&request)?;
    if let Decision::Fail(failure) = world.failures.decide().await? {
        log_failure(&request, failure.spend());
        return Err(ApiError::InducedFailure);
    }
    let Some(key) = asked.key else {
        return Ok(answer(make(asked.delay).await, Origin::Made));
    };
    match world.answers.begin(Key::clone(&key)).await? {
        Outcome::Replay(id) => {
            log_cache(&request, &key, "Cache hit");
            Ok(answer(id, Origin::Replayed))
        }
        Outcome::Execute(lease) => {
            log_cache(&request, &key, "Cache miss");
            let id = make_and_store(asked.delay, lease).await;
            log_cache(&request, &key, "Cache store");
            Ok(answer(id, Origin::Made))
        }
    }
}

async fn make(delay: Duration) -> Uuid {
    if !delay.is_zero() {
        actix_rt::time::sleep(delay).await;
    }
    Uuid::new_v4()
}

/// Dropped on the way, the lease goes to the next request that waits for this key.
async fn make_and_store(delay: Duration, lease: Lease<Uuid>) -> Uuid {
    let id = make(delay).await;
    lease.complete(id);
    id
}

/// Where an answer comes from.
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

/// What a request asks for, checked.
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

/// The last `delay` of the query counts, as it does in FastAPI.
fn delay(request: &HttpRequest) -> Result<Duration, Fault> {
    if request.query_string().is_empty() {
        return Ok(Duration::ZERO);
    }
    // Form decoding replaces what is not UTF-8, so this cannot fail, and what it yields is checked below.
    let pairs = Query::<Vec<(String, String)>>::from_query(request.query_string());
    let pairs = pairs.map(Query::into_inner).unwrap_or_default();
    match pairs.iter().rev().find(|(name, _)| name == "delay") {
        Some((_, value)) => validation::whole_number(["query", "delay"], value, &(0..=MAX_DELAY_MS))
            .map(|milliseconds| Duration::from_millis(milliseconds.into())),
        None => Ok(Duration::ZERO),
    }
}

/// No header and an empty one both mean that there is no key.
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

fn log_failure(request: &HttpRequest, reason: Reason) {
    let (reason, left) = match reason {
        Reason::Count { left, .. } => ("count", f64::from(left)),
        Reason::Duration { left } => ("duration", left.as_secs_f64()),
    };
    debug!(
        target: FAILURE, correlation_id:% = CorrelationId::of(request), reason, left;
        "Induced failure"
    );
}

fn log_cache(request: &HttpRequest, key: &str, event: &str) {
    debug!(target: CACHE, correlation_id:% = CorrelationId::of(request), request_id = key; "{event}");
}
