//! The data plane: what the client under test talks to.
//!
//! A request goes through these steps, in this order ([`serve`]):
//!
//! 1. [`asked`]: what the request says is checked.
//! 2. It waits for a slot of its session.
//! 3. The failure modes: a failure that is due is the answer.
//! 4. [`injection`]: the fault of `X-Fault`, else of the session's plan. What comes instead of an answer is the
//!    answer ([`instead`]), and hides a stored one.
//! 5. Its body is read, and with a key the idempotency cache is asked.
//! 6. [`endpoint`]: the work is done, once for each key.
//! 7. What else the fault does happens to the answer, on the connection.

mod asked;
mod endpoint;
mod facts;
mod injection;
mod instead;
mod key;
mod slot;

use actix_web::web::{Bytes, Payload};
use actix_web::{HttpRequest, HttpResponse, ResponseError};
use log::debug;
use resilience_actors::failure::{Decision, Reason};
use resilience_actors::idempotency::{Key, Outcome};
use uuid::Uuid;

use crate::body;
use crate::context::{CurrentSession, RequestContext};
use crate::error::ApiError;
use crate::execution::{self, Execution};
use crate::logging::{CACHE, FAILURE};
use asked::Asked;
use endpoint::Replay;
use instead::Next;

pub use asked::{DelayParameter, FaultHeader, KeyHeaders};
pub use endpoint::{Echo, Endpoint, Message};
pub(crate) use facts::any_of_query;
pub(crate) use injection::refusal;

/// Answers a request to the data plane.
///
/// # Errors
/// [`ApiError`] for a request that is refused, and for a failure that is due.
pub async fn serve(
    endpoint: Endpoint,
    session: &CurrentSession,
    request: &HttpRequest,
    mut payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let asked = Asked::of(request, endpoint)?;
    if endpoint == Endpoint::Unknown && !injection::concerns(session, request, &asked) {
        body::ignore(&mut payload, endpoint.body_limit()).await?;
        return Err(ApiError::NotFound);
    }
    RequestContext::with_session(request, |_, session| session.count_request());
    let _slot = slot::get(request).await?;
    let failure = match endpoint {
        Endpoint::Message | Endpoint::Echo => session.failures.decide().await?,
        Endpoint::Unknown => Decision::Pass,
    };
    if let Decision::Fail(failure) = failure {
        body::ignore(&mut payload, endpoint.body_limit()).await?;
        log_failure(request, failure.spend());
        return Err(ApiError::InducedFailure);
    }
    let injected = match injection::decide(session, request, &asked).await? {
        Some(injected) => {
            injected.log(request);
            execution::wait(injected.delay, RequestContext::correlation_id(request)).await;
            match instead::next(injected, session, request, &mut payload).await? {
                Next::Answer(answer) => return Ok(answer),
                Next::Execute(injected) => injected,
            }
        }
        None => None,
    };
    let body = body::read(&mut payload, endpoint.body_limit()).await?;
    let answer = match endpoint {
        Endpoint::Unknown => ApiError::NotFound.error_response(),
        Endpoint::Message | Endpoint::Echo => {
            let (id, replay) = execute(session, request, &asked, &body).await?;
            endpoint.answer(request, &body, id, replay)
        }
    };
    Ok(match injected {
        Some(injected) => instead::after(injected, session, request, answer),
        None => answer,
    })
}

/// Makes the message id of the answer, once for each key.
async fn execute(
    session: &CurrentSession,
    request: &HttpRequest,
    asked: &Asked,
    body: &Bytes,
) -> Result<(Uuid, Replay), ApiError> {
    let Some(key) = &asked.key else {
        execution::wait(asked.delay, RequestContext::correlation_id(request)).await;
        return Ok((Uuid::new_v4(), Replay::No));
    };
    let fingerprint = key::fingerprint(request.method(), request.uri().path(), body);
    match session.answers.begin(Key::clone(key), fingerprint).await? {
        Outcome::Replay(id) => {
            log_cache(request, key, "Cache hit");
            Ok((id, Replay::Yes))
        }
        Outcome::Execute(lease) => {
            log_cache(request, key, "Cache miss");
            let execution = Execution::begin(request, Key::clone(key), lease);
            Ok((execution.finish(request, asked.delay).await?, Replay::No))
        }
        Outcome::Conflict => Err(ApiError::KeyReused),
    }
}

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
