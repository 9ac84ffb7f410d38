//! An attempt that failed: what it was, whether it is worth another one, and the error that it becomes. Pure.

use std::time::{Duration, SystemTime};

use resilience_actors::supervisor::retry::{GiveUp, Retryability};

use crate::{
    classify,
    config::RetryMethods,
    error::{Error, ErrorKind, GaveUp},
    prepare::Prepared,
    response::Response,
    retry_after,
    transport::{Cause, Fault, Reply, Sent},
};

/// An attempt that failed.
pub(crate) struct Failure {
    pub(crate) kind: ErrorKind,
    pub(crate) retry_after: Option<Duration>,
    what: What,
}

/// What it was made of.
enum What {
    Reply(Reply),
    Fault(Fault),
}

/// Tells a success from a failure. The wall clock is read only for a `Retry-After` that is a date.
pub(crate) fn judge(
    result: Result<Reply, Fault>,
    now: impl FnOnce() -> SystemTime,
) -> Result<Reply, Failure> {
    let reply = match result {
        Ok(reply) => reply,
        Err(fault) => {
            let kind = fault.cause.kind();
            return Err(Failure { kind, retry_after: None, what: What::Fault(fault) });
        }
    };
    let Some(kind) = classify::status_error(reply.status) else { return Ok(reply) };
    let asked = reply.headers.raw("retry-after").next();
    let retry_after = asked.and_then(|value| retry_after::parse(value, now()));
    Err(Failure { kind, retry_after, what: What::Reply(reply) })
}

impl Failure {
    pub(crate) fn status(&self) -> Option<u16> {
        match &self.what {
            What::Reply(reply) => Some(reply.status),
            What::Fault(_) => None,
        }
    }

    /// Whether a failure of this kind may go better another time.
    pub(crate) fn retryability(&self) -> Retryability {
        match &self.what {
            What::Fault(fault) if fault.cause == Cause::Certificate => Retryability::NotRetryable,
            _ => classify::retryability(self.kind),
        }
    }

    /// Whether this call may be sent again.
    pub(crate) fn retryability_for(&self, call: &Prepared) -> Retryability {
        let nothing_sent = matches!(&self.what, What::Fault(fault) if fault.sent == Sent::Nothing);
        let repeatable = match call.retry.methods {
            RetryMethods::All => true,
            RetryMethods::IdempotentOnly => call.request.method.is_idempotent() || nothing_sent,
        };
        if repeatable { self.retryability() } else { Retryability::NotRetryable }
    }

    pub(crate) fn into_error(self, call: &Prepared, reason: GaveUp) -> Error {
        let retryable = self.retryability() == Retryability::Retryable;
        let error = match self.what {
            What::Fault(fault) => {
                let error = Error::new(self.kind, fault.message);
                match fault.source {
                    Some(source) => error.with_source(source),
                    None => error,
                }
            }
            What::Reply(reply) => {
                let message = match reply.status {
                    300..=399 => {
                        format!("the server answered {}, a redirect that is not followed", reply.status)
                    }
                    status => format!("the server answered {status}"),
                };
                Error::new(self.kind, message).with_response(Response::new(
                    reply,
                    call.request_id.clone(),
                    Vec::new(),
                ))
            }
        };
        error.retryable(retryable).with_retry_after(self.retry_after).because(reason)
    }
}

/// The reason as callers see it.
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
