//! The data plane: what the client under test talks to.
//!
//! A request goes through these steps, in this order ([`serve`]):
//!
//! 1. [`asked`]: what the request says is checked.
//! 2. It waits for a slot of its session.
//! 3. The failure modes: a failure that is due is the answer.
//! 4. [`injection`]: the fault of `X-Fault`, else of the session's plan. What comes instead of an answer is the
//!    answer ([`instead`]), and hides a stored one.
//! 5. Its body is read if it has not been before step 2, and with a key the idempotency cache is asked.
//! 6. [`endpoint`]: the work is done, once for each key; or the request is forwarded to the [`upstream`], body and key
//!    with it.
//! 7. What else the fault does happens to the answer, on the connection.

mod asked;
mod endpoint;
mod facts;
mod injection;
mod instead;
mod key;
mod slot;
mod taken;

use std::sync::Arc;
use std::time::Duration;

use actix_web::web::{Bytes, Payload};
use actix_web::{HttpRequest, HttpResponse, ResponseError};
use log::debug;
use resilience_actors::failure::{Decision, Reason};
use resilience_actors::idempotency::{Key, Outcome};
use uuid::Uuid;

use crate::context::{CurrentSession, RequestContext, Slot};
use crate::error::ApiError;
use crate::execution::{self, Execution};
use crate::journal::{self, AnsweredBy, FaultSource, InjectedFault};
use crate::logging::{CACHE, FAILURE};
use crate::metrics::{Happened, Metrics};
use crate::upstream;
use asked::Asked;
use endpoint::Replay;
use instead::Next;

pub use asked::{DelayParameter, FaultHeader, KeyHeaders};
pub use endpoint::{Echo, Endpoint, Message};
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
    let asked = Asked::of(session.context(), request, endpoint)?;
    if let Some(key) = &asked.key {
        session.context().note(|entry| entry.key = Some(Key::clone(key)));
    }
    if endpoint == Endpoint::Unknown && !injection::concerns(session, request, &asked) {
        return Box::pin(refuse(session, &mut payload)).await;
    }
    session.context().count();
    // A body is read before the request takes a slot, unless a fault may answer the request without it.
    let may_inject = injection::is_possible(session, &asked);
    let mut body = match endpoint {
        Endpoint::Message | Endpoint::Echo if !may_inject => {
            Some(taken::read(session.context(), request, &mut payload, endpoint.body_limit()).await?)
        }
        _ => None,
    };
    let mut slot = Some(slot::get(session, request).await?);
    let failure = match endpoint {
        Endpoint::Message | Endpoint::Echo | Endpoint::Upstream => session.failures.decide().await?,
        Endpoint::Unknown => Decision::Pass,
    };
    if let Decision::Fail(failure) = failure {
        note_fault(session, FaultSource::Mode, ApiError::InducedFailure.status_code().as_str());
        if body.is_none() {
            Box::pin(drain(endpoint, session.context(), &mut payload, endpoint.body_limit())).await?;
        }
        log_failure(request, failure.spend());
        return Err(ApiError::InducedFailure);
    }
    let injected = if may_inject {
        match Box::pin(inject(session, request, &asked, &mut payload, &mut slot)).await? {
            Next::Answer(answer) => return Ok(answer),
            Next::Execute(injected) => injected,
        }
    } else {
        None
    };
    // What is rare is a future of its own, so that the usual request does not carry its size about.
    let answer = match endpoint {
        Endpoint::Message | Endpoint::Echo => {
            work(endpoint, session, request, &asked, &mut body, &mut payload, &mut slot).await
        }
        Endpoint::Upstream => Box::pin(forward(session, request, payload, &mut slot)).await,
        Endpoint::Unknown => Box::pin(refuse(session, &mut payload)).await,
    };
    match injected {
        // A refusal is an answer as well, and its fault has been counted.
        Some(injected) => {
            let answer = answer.unwrap_or_else(|refusal| refusal.error_response());
            Ok(instead::after(*injected, session, request, answer, slot))
        }
        None => answer,
    }
}

/// Makes the answer of the request, whose body is read if it has not been.
async fn work(
    endpoint: Endpoint,
    session: &CurrentSession,
    request: &HttpRequest,
    asked: &Asked,
    body: &mut Option<Bytes>,
    payload: &mut Payload,
    slot: &mut Option<Slot>,
) -> Result<HttpResponse, ApiError> {
    let body = match body {
        Some(body) => body,
        None => body.insert(taken::read(session.context(), request, payload, endpoint.body_limit()).await?),
    };
    let (id, replay) = match &asked.key {
        Some(key) => execute(session, request, key, body, asked.delay, slot).await?,
        None => {
            execution::wait(asked.delay, request).await;
            note_execution(session, journal::Execution::Executed);
            (Uuid::new_v4(), Replay::No)
        }
    };
    Ok(endpoint.answer(request, body, id, replay))
}

/// Has the upstream answer the request.
async fn forward(
    session: &CurrentSession,
    request: &HttpRequest,
    payload: Payload,
    slot: &mut Option<Slot>,
) -> Result<HttpResponse, ApiError> {
    let answer = upstream::forward(request, payload, slot).await?;
    note_execution(session, journal::Execution::Executed);
    session.context().note(|entry| entry.answered_by = AnsweredBy::Upstream);
    Ok(answer)
}

/// Refuses a request to a path that no route has.
async fn refuse(session: &CurrentSession, payload: &mut Payload) -> Result<HttpResponse, ApiError> {
    taken::ignore(session.context(), payload, Endpoint::Unknown.body_limit()).await?;
    Err(ApiError::NotFound)
}

/// Decides the fault of the request, waits for its delay, and says what follows.
async fn inject(
    session: &CurrentSession,
    request: &HttpRequest,
    asked: &Asked,
    payload: &mut Payload,
    slot: &mut Option<Slot>,
) -> Result<Next, ApiError> {
    let Some(injected) = injection::decide(session, request, asked).await? else {
        return Ok(Next::Execute(None));
    };
    injected.log(request);
    if let Some(metrics) = Metrics::of(request) {
        metrics.count_fault(injected.fault());
    }
    note_fault(session, injected.by(), &injected.short());
    execution::wait(injected.delay, request).await;
    instead::next(injected, session, request, payload, slot).await
}

/// Reads and drops the body of a request that is answered without it. One for the upstream may be of any length: the
/// rest of it is the connection's business.
async fn drain(
    endpoint: Endpoint,
    context: &RequestContext,
    payload: &mut Payload,
    limit: usize,
) -> Result<(), ApiError> {
    match endpoint {
        Endpoint::Upstream => taken::drain(context, payload, limit).await,
        Endpoint::Message | Endpoint::Echo | Endpoint::Unknown => {
            taken::ignore(context, payload, limit).await
        }
    }
}

/// Makes the message id of the answer, once for each key.
async fn execute(
    session: &CurrentSession,
    request: &HttpRequest,
    key: &Key,
    body: &Bytes,
    delay: Duration,
    slot: &mut Option<Slot>,
) -> Result<(Uuid, Replay), ApiError> {
    let fingerprint = key::fingerprint(request.method(), request.uri().path(), body);
    match session.answers.begin(Key::clone(key), fingerprint).await? {
        Outcome::Replay(id) => {
            count(request, Happened::CacheHit);
            log_cache(request, key, "Cache hit");
            note_execution(session, journal::Execution::Replayed);
            Ok((id, Replay::Yes))
        }
        Outcome::Execute(lease) => {
            count(request, Happened::CacheMiss);
            log_cache(request, key, "Cache miss");
            // It is finished even if the client leaves.
            note_execution(session, journal::Execution::Executed);
            let execution = Execution::begin(session, request, Key::clone(key), lease);
            let id = match delay.is_zero() {
                true => execution.complete(),
                false => Box::pin(execution.complete_after(delay, slot.take())).await?,
            };
            Ok((id, Replay::No))
        }
        Outcome::Conflict => Err(ApiError::KeyReused),
    }
}

fn count(request: &HttpRequest, what: Happened) {
    if let Some(metrics) = Metrics::of(request) {
        metrics.count(what);
    }
}

fn note_execution(session: &CurrentSession, execution: journal::Execution) {
    session.context().note(|entry| entry.execution = execution);
}

fn note_fault(session: &CurrentSession, by: FaultSource, short: &str) {
    session.context().note(|entry| {
        entry.fault = Some(Arc::new(InjectedFault { by, short: short.into() }));
    });
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
