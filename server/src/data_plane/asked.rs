//! What a request asks for, checked before anything else happens.

use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::http::header::HeaderValue;
use actix_web::web::Data;
use resilience_actors::fault::Step;
use resilience_actors::idempotency::Key;
use utoipa::IntoParams;

use super::endpoint::Endpoint;
use super::key;
use crate::context::RequestContext;
use crate::error::ApiError;
use crate::fault::{Fault, short};
use crate::headers::{FAULT, Interpreted};
use crate::json::{Place, Problem};
use crate::query;
use crate::state::AppState;
use crate::validation;

/// The longest delay that a request can ask for, in milliseconds.
pub(super) const MAX_DELAY_MS: u32 = 30_000;

/// What a request asks for.
pub(super) struct Asked {
    /// How long to wait before a new answer is made.
    pub(super) delay: Duration,
    /// The idempotency key.
    pub(super) key: Option<Key>,
    /// The step of `X-Fault`.
    pub(super) fault: Option<Box<Step<Fault>>>,
}

/// The parameter `delay`.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "read by the derive alone")]
pub struct DelayParameter {
    /// Milliseconds to wait before a new answer is made.
    #[param(required = false, minimum = 0, maximum = 30000, default = 0)]
    delay: u32,
}

/// The headers that hold a key.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "read by the derive alone")]
pub struct KeyHeaders {
    /// Idempotency key, bare or quoted; the quotes do not count. Requests with the same key get the same answer. An empty
    /// value counts as no key.
    #[param(rename = "Idempotency-Key", required = false, max_length = 255, pattern = "^[!-~]*$")]
    idempotency_key: String,
    /// Idempotency key where there is no `Idempotency-Key`. An empty value counts as no key.
    #[param(rename = "X-Request-ID", required = false, max_length = 255, pattern = "^[!-~]*$")]
    x_request_id: String,
}

/// The header `X-Fault`.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "read by the derive alone")]
pub struct FaultHeader {
    /// The short form of a fault for this request alone, before all rules: `503`, `delay:200`, `reset`; `ok` skips the
    /// rules.
    #[param(rename = "X-Fault", required = false)]
    x_fault: String,
}

impl Asked {
    /// Reads what a request asks for.
    ///
    /// # Errors
    /// [`ApiError::Invalid`] with everything that is wrong with it.
    pub(super) fn of(
        context: &RequestContext,
        request: &HttpRequest,
        endpoint: Endpoint,
    ) -> Result<Self, ApiError> {
        let mut problems = Vec::new();
        let delay = match endpoint {
            Endpoint::Message | Endpoint::Echo => delay(request).unwrap_or_else(|fault| {
                problems.push(fault.into());
                Duration::ZERO
            }),
            Endpoint::Unknown | Endpoint::Upstream => Duration::ZERO,
        };
        if context.interpreted() == Interpreted::None {
            return done(problems, Self { delay, key: None, fault: None });
        }
        let key = key::of(request).unwrap_or_else(|faults| {
            // The upstream gets whatever the client sends, and a rule sees no key.
            if endpoint != Endpoint::Upstream {
                problems.extend(faults.into_iter().map(Problem::from));
            }
            None
        });
        let fault = fault(request).unwrap_or_else(|problem| {
            problems.push(*problem);
            None
        });
        done(problems, Self { delay, key, fault })
    }
}

fn done(problems: Vec<Problem>, asked: Asked) -> Result<Asked, ApiError> {
    if problems.is_empty() { Ok(asked) } else { Err(ApiError::Invalid(problems)) }
}

fn delay(request: &HttpRequest) -> Result<Duration, validation::Fault> {
    match query::last(request.query_string(), "delay") {
        Some(value) => validation::whole_number(["query", "delay"], &value, &(0..=MAX_DELAY_MS))
            .map(|milliseconds| Duration::from_millis(milliseconds.into())),
        None => Ok(Duration::ZERO),
    }
}

/// The step that a request asks for itself, where the configuration lets it.
fn fault(request: &HttpRequest) -> Result<Option<Box<Step<Fault>>>, Box<Problem>> {
    let mut values = request.headers().get_all(&FAULT).map(HeaderValue::as_bytes);
    // As with the other headers of ours, an empty one counts as none.
    let Some(first) = values.next().filter(|first| !first.trim_ascii().is_empty()) else { return Ok(None) };
    if request.app_data::<Data<AppState>>().is_some_and(|state| !state.config.fault_header) {
        return Ok(None);
    }
    let text = String::from_utf8_lossy(first);
    let read = match values.next() {
        Some(_) => Err("should be sent once".to_owned()),
        None => short::read(text.trim()).map_err(|why| why.to_string()),
    };
    let place = || vec![Place::from("header"), Place::from("X-Fault")];
    read.map(|step| Some(Box::new(step)))
        .map_err(|why| Box::new(Problem::invalid_value(place(), text.as_ref().into(), &why)))
}
