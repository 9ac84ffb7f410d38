//! Which fault a request gets: the one of its `X-Fault` header, else the one of its session's plan.

use std::time::Duration;

use actix_web::HttpRequest;
use log::debug;
use resilience_actors::fault::{Delay, Effect, Injection, MAX_DELAY, Source};

use super::asked::Asked;
use super::facts::Facts;
use crate::connection::Exchange;
use crate::context::{CurrentSession, RequestContext};
use crate::error::ApiError;
use crate::fault::{Body, Fault, RetryAfter, StatusFault};
use crate::journal::FaultSource;
use crate::logging::FAULT;

/// What a request gets.
pub(super) struct Injected {
    /// How long it waits first.
    pub(super) delay: Duration,
    fault: Option<Fault>,
    /// The rule that said so; `None` for `X-Fault`.
    source: Option<Source>,
    plan: Option<Injection<Fault>>,
}

impl Injected {
    /// What is injected after the delay.
    pub(super) fn fault(&self) -> Option<&Fault> {
        self.fault.as_ref()
    }

    /// What said so.
    pub(super) fn by(&self) -> FaultSource {
        match self.source {
            Some(Source { rule, step }) => FaultSource::Rule { rule, step },
            None => FaultSource::Header,
        }
    }

    /// Its short form.
    pub(super) fn short(&self) -> String {
        match &self.fault {
            Some(fault) => fault.to_string(),
            None => format!("delay:{}", self.delay.as_millis()),
        }
    }

    /// Waits until the plan that injected this has ended; for ever if it was the request itself.
    pub(super) async fn plan_ended(&self) {
        match &self.plan {
            Some(injection) => injection.plan_ended().await,
            None => std::future::pending().await,
        }
    }

    /// Logs what is injected.
    pub(super) fn log(&self, request: &HttpRequest) {
        let correlation_id = RequestContext::correlation_id(request);
        let (rule, step) =
            (self.source.map(|source| source.rule), self.source.and_then(|source| source.step));
        let fault = self.fault.as_ref().map(ToString::to_string);
        let delay_ms = self.delay.as_secs_f64() * 1e3;
        debug!(target: FAULT, correlation_id:%, rule, step, fault, delay_ms; "Injected fault");
    }
}

/// Whether a request can get a fault at all: the cheap question that every request asks.
pub(super) fn is_possible(session: &CurrentSession, asked: &Asked) -> bool {
    asked.fault.is_some() || session.faults.is_armed()
}

/// Whether a request to an unknown path is concerned by a fault.
pub(super) fn concerns(session: &CurrentSession, request: &HttpRequest, asked: &Asked) -> bool {
    let injects = asked.fault.as_ref().is_some_and(|step| step.injects());
    injects || (asked.fault.is_none() && session.faults.concerns(&Facts::new(request, asked.key.as_deref())))
}

/// Decides what a request gets; `None` if nothing.
///
/// # Errors
/// [`ApiError`] when the actor has not answered.
pub(super) async fn decide(
    session: &CurrentSession,
    request: &HttpRequest,
    asked: &Asked,
) -> Result<Option<Injected>, ApiError> {
    if let Some(step) = &asked.fault {
        let delay = step.delay.map_or(Duration::ZERO, |delay: Delay| delay.sample(0.0)).min(MAX_DELAY);
        let injected = Injected { delay, fault: step.fault.clone(), source: None, plan: None };
        return Ok(step.injects().then_some(injected));
    }
    let connection = Exchange::of(request).map_or(0, |exchange| exchange.number());
    let facts = Facts::new(request, asked.key.as_deref());
    let Some(injection) = session.faults.decide(&facts, connection).await? else { return Ok(None) };
    let decision = injection.decision;
    if decision.source.is_none() {
        return Ok(None);
    }
    let fault = match decision.effect {
        Effect::Pass => None,
        Effect::Inject => injection.fault().cloned(),
        Effect::Refuse { retry_after } => Some(refusal(retry_after)),
    };
    Ok(Some(Injected { delay: decision.delay, fault, source: decision.source, plan: Some(injection) }))
}

/// The answer to a request that exceeds a rate limit.
pub(crate) fn refusal(retry_after: Duration) -> Fault {
    let seconds = retry_after.as_secs() + u64::from(retry_after.subsec_nanos() > 0);
    let seconds = u32::try_from(seconds.max(1)).unwrap_or(u32::MAX);
    Fault::Status(StatusFault {
        status: 429,
        headers: Vec::new(),
        body: Body::Default,
        retry_after: Some(RetryAfter::Seconds(seconds)),
    })
}
