//! An attempt that failed: its kind, whether another attempt can help, and the error that it becomes. Pure.

use std::time::{Duration, SystemTime};

use resilience_actors::supervisor::{
    breaker::Outcome,
    retry::{GiveUp, Retryability},
};

use super::{
    classify::{self, Load},
    retry_after,
};
use crate::{
    bulkhead::Signal,
    config::RetryMethods,
    error::{Error, ErrorKind, GaveUp},
    exchange::Answer,
    method::Method,
    redirect::NotFollowed,
    request_id::RequestId,
    response::Response,
    transport::{Fault, Reply, Sent},
};

/// An attempt that failed.
pub(crate) struct Failure {
    pub(crate) kind: ErrorKind,
    pub(crate) retry_after: Option<Duration>,
    what: What,
}

/// The result of the attempt.
enum What {
    Reply(Reply, Option<NotFollowed>),
    Fault(Fault),
}

/// Tells a success from a failure. The wall clock is read only for a `Retry-After` that is a date.
pub(crate) fn judge(
    result: Result<Answer, Fault>,
    now: impl FnOnce() -> SystemTime,
) -> Result<Reply, Failure> {
    let Answer { reply, not_followed } = match result {
        Ok(answer) => answer,
        Err(fault) => {
            let kind = classify::fault_error(fault.cause);
            return Err(Failure { kind, retry_after: None, what: What::Fault(fault) });
        }
    };
    let Some(kind) = classify::status_error(reply.status) else { return Ok(reply) };
    let asked = reply.headers.raw("retry-after").next();
    let retry_after = asked.and_then(|value| retry_after::parse(value, now()));
    Err(Failure { kind, retry_after, what: What::Reply(reply, not_followed) })
}

impl Failure {
    /// The status of the reply, if there was one.
    pub(crate) fn status(&self) -> Option<u16> {
        match &self.what {
            What::Reply(reply, _) => Some(reply.status),
            What::Fault(_) => None,
        }
    }

    /// What the failure tells the circuit breaker.
    pub(crate) fn outcome(&self) -> Outcome {
        match &self.what {
            What::Reply(..) => classify::outcome(self.kind),
            What::Fault(fault) => classify::fault_outcome(fault.cause),
        }
    }

    /// What the failure says of the server's load, after the time that the attempt took.
    pub(crate) fn signal(&self, took: Duration) -> Option<Signal> {
        let load = match &self.what {
            What::Reply(..) => classify::load(self.kind),
            What::Fault(fault) => classify::fault_load(fault.cause),
        };
        match load {
            Load::Overloaded => Some(Signal::Overloaded),
            Load::Served => Some(Signal::Served(took)),
            Load::Unknown => None,
        }
    }

    /// Whether another attempt can help with a failure of this kind.
    pub(crate) fn retryability(&self) -> Retryability {
        match &self.what {
            What::Reply(..) => classify::retryability(self.kind),
            What::Fault(fault) => classify::fault_retryability(fault.cause),
        }
    }

    /// Whether a call of this method may make another attempt after this failure.
    pub(crate) fn retryability_of(&self, method: Method, methods: RetryMethods) -> Retryability {
        let nothing_sent = matches!(&self.what, What::Fault(fault) if fault.sent == Sent::Nothing);
        let repeatable = match methods {
            RetryMethods::All => true,
            RetryMethods::IdempotentOnly => method.is_idempotent() || nothing_sent,
        };
        if repeatable { self.retryability() } else { Retryability::NotRetryable }
    }

    /// The error of a call that ends with this failure.
    pub(crate) fn into_error(self, request_id: &RequestId, reason: GaveUp) -> Error {
        let retryable = self.retryability() == Retryability::Retryable;
        let error = match self.what {
            What::Fault(fault) => {
                let error = Error::new(self.kind, fault.message);
                match fault.source {
                    Some(source) => error.with_source(source),
                    None => error,
                }
            }
            What::Reply(reply, not_followed) => Error::new(self.kind, message(reply.status, not_followed))
                .with_response(response(reply, request_id.clone())),
        };
        error.retryable(retryable).with_retry_after(self.retry_after).because(reason)
    }
}

/// The sentence that says which answer is the error.
fn message(status: u16, not_followed: Option<NotFollowed>) -> String {
    let why = match (status, not_followed) {
        (_, Some(NotFollowed::NotWanted)) => "a redirect, and redirects are not followed",
        (_, Some(NotFollowed::TooMany)) => "the last of too many redirects: at most 10 are followed",
        (_, Some(NotFollowed::Loop)) => "a redirect in a loop: it leads to where the call has been before",
        (_, Some(NotFollowed::Downgrade)) => "a redirect from https to http, which is never followed",
        (_, Some(NotFollowed::NoLocation)) => "a redirect without a Location",
        (_, Some(NotFollowed::BadLocation)) => "a redirect whose Location is not an http or https URL",
        (_, Some(NotFollowed::Credentials)) => {
            "a redirect with credentials in its Location, which is never followed"
        }
        (304, None) => "Not Modified, which is an answer to a conditional request and has no body",
        (_, None) => return format!("the server answered {status}"),
    };
    format!("the server answered {status}, {why}")
}

fn response(reply: Reply, request_id: RequestId) -> Response {
    Response::new(reply.status, reply.headers, reply.body, request_id, Vec::new())
}

/// The reason for which the supervisor gave up, as callers see it.
pub(crate) fn gave_up(reason: GiveUp) -> GaveUp {
    match reason {
        GiveUp::NotRetryable => GaveUp::NotRetryable,
        GiveUp::AttemptsExhausted => GaveUp::AttemptsExhausted,
        GiveUp::RetryAfterTooLong => GaveUp::RetryAfterTooLong,
        GiveUp::DeadlineTooNear => GaveUp::DeadlineTooNear,
        GiveUp::BudgetSpent => GaveUp::BudgetSpent,
        GiveUp::CircuitOpen => GaveUp::CircuitOpen,
    }
}
