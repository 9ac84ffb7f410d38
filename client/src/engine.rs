//! One call from its admission to its answer: breaker, slot, attempt, decision, wait, and again.
//!
//! It is a plain future. Everything it holds (a permit, a slot, a connection, a timer) is a value in it, so that
//! dropping it at any await frees all of that at once. It must never spawn, nor decide what the supervisor decides.

use std::{
    cell::{Cell, RefCell},
    sync::Arc,
    time::{Duration, SystemTime},
};

use resilience_actors::supervisor::{
    Decision, Permit, Rejection,
    retry::{Again, FailedAttempt, GiveUp},
};
use tokio::time::{Instant, sleep, sleep_until};

use crate::{
    bulkhead::{Came, Slot},
    call::Parts,
    classify,
    config::RetryMethods,
    core::{Core, Redirects},
    error::{Error, ErrorKind, GaveUp},
    prepare::{Prepared, prepare},
    redirect,
    response::{Attempt, Response},
    retry_after,
    transport::{Cause, Fault, Reply, Sent, Transport},
};

/// Lets a call in, on whatever thread it was made: unless it is malformed, the client closed or the breaker open.
pub(crate) fn let_in(core: &Core, parts: Parts) -> Result<Prepared, Error> {
    if core.closing.has_begun() {
        return Err(Error::closed());
    }
    let call = prepare(core, parts)?;
    match core.supervisor.glance() {
        Ok(()) => {
            core.supervisor.count_call();
            Ok(call)
        }
        Err(refusal) => Err(rejected(Rejection::Refused(refusal)).with_request_id(call.request_id)),
    }
}

/// Makes a call that was let in at `started`.
pub(crate) async fn run<T: Transport>(
    core: &Core,
    transport: &T,
    call: Prepared,
    started: Instant,
) -> Result<Response, Error> {
    let _counted = core.in_flight.enter();
    let deadline = started + call.deadline;
    let history = History::default();
    let run = Run { core, transport, call: &call, deadline, history: &history };
    let outcome = tokio::select! {
        biased;
        outcome = run.drive() => outcome,
        () = sleep_until(deadline) => {
            history.cut(ErrorKind::DeadlineExceeded);
            let seconds = call.deadline.as_secs_f64();
            Err(Error::new(ErrorKind::DeadlineExceeded, format!("the deadline of {seconds} s has passed")))
        }
        () = core.closing.begun() => {
            history.cut(ErrorKind::Closed);
            Err(Error::closed())
        }
    };
    let attempts = history.attempts.into_inner();
    match outcome {
        Ok(reply) => Ok(respond(reply, &call, attempts)),
        Err(error) => Err(error.with_request_id(call.request_id).with_attempts(attempts)),
    }
}

fn respond(reply: Reply, call: &Prepared, attempts: Vec<Attempt>) -> Response {
    let Reply { status, headers, body } = reply;
    Response { status, headers, body, request_id: call.request_id.clone(), attempts }
}

/// A call under way.
struct Run<'a, T> {
    core: &'a Core,
    transport: &'a T,
    call: &'a Prepared,
    deadline: Instant,
    history: &'a History,
}

impl<T: Transport> Run<'_, T> {
    async fn drive(&self) -> Result<Reply, Error> {
        let lease = self.deadline.into_std();
        let supervisor = &self.core.supervisor;
        let mut permit = supervisor.admit(lease).await.map_err(rejected)?;
        for number in 1.. {
            let slot = self.slot().await?;
            if slot.came == Came::AfterWaiting {
                permit = supervisor.renew(permit, lease).await.map_err(rejected)?;
            }
            self.history.begin();
            let failure = match self.judge(self.attempt().await) {
                Ok(reply) => {
                    self.history.end(Some(reply.status), None);
                    drop(slot);
                    supervisor.succeeded(permit).await;
                    return Ok(reply);
                }
                Err(failure) => failure,
            };
            self.history.end(failure.status(), Some(failure.kind));
            permit = self.retry(failure, slot, permit, number).await?;
        }
        // A u32 counts more attempts than any policy allows.
        Err(Error::new(ErrorKind::DeadlineExceeded, "there is no attempt left to make"))
    }

    async fn slot(&self) -> Result<Slot<'_>, Error> {
        let (bulkhead, journal, id) = (&self.core.bulkhead, &self.core.journal, &self.call.request_id);
        let slot = bulkhead.acquire(|| journal.waiting_for_slot(id)).await.map_err(|_| {
            let seconds = bulkhead.acquisition_timeout().as_secs_f64();
            Error::new(ErrorKind::PoolTimeout, format!("no slot came free within {seconds} s"))
        })?;
        journal.slot_acquired(id, bulkhead.available());
        Ok(slot)
    }

    /// One attempt, with the redirects that belong to it.
    async fn attempt(&self) -> Result<Reply, Fault> {
        let (transport, limits) = (self.transport, self.call.limits);
        let mut reply = transport.exchange(&self.call.request, limits).await?;
        if self.core.redirects == Redirects::Keep {
            return Ok(reply);
        }
        let mut hop = None;
        for _ in 0..redirect::MAX_REDIRECTS {
            let Some(next) = redirect::next(hop.as_ref().unwrap_or(&self.call.request), &reply) else {
                break;
            };
            reply = transport.exchange(&next, limits).await?;
            hop = Some(next);
        }
        Ok(reply)
    }

    fn judge(&self, result: Result<Reply, Fault>) -> Result<Reply, Failure> {
        let reply = match result {
            Ok(reply) => reply,
            Err(fault) => {
                let kind = fault.cause.kind();
                return Err(Failure { kind, retry_after: None, what: What::Fault(fault) });
            }
        };
        let Some(kind) = classify::status_error(reply.status) else { return Ok(reply) };
        let asked = reply.headers.raw("retry-after").next();
        let retry_after = asked.and_then(|value| retry_after::parse(value, SystemTime::now()));
        Err(Failure { kind, retry_after, what: What::Reply(reply) })
    }

    /// Asks whether to try again, and waits until then.
    async fn retry(
        &self,
        failure: Failure,
        slot: Slot<'_>,
        permit: Permit,
        number: u32,
    ) -> Result<Permit, Error> {
        let policy = Arc::clone(&self.call.retry.policy);
        let total = policy.max_attempts;
        let attempt = FailedAttempt {
            number,
            again: failure.again_for(self.call),
            retry_after: failure.retry_after,
            deadline: self.deadline.into_std(),
        };
        let outcome = classify::outcome(failure.kind);
        let supervisor = &self.core.supervisor;
        let (decision, permit) =
            supervisor.failed(permit, attempt, outcome, policy).await.map_err(rejected)?;
        // Not earlier: whoever gets this slot is to know what this failure did to the breaker. Not later: nobody
        // holds a slot and waits.
        drop(slot);
        let wait = match decision {
            Decision::Retry { wait } => wait,
            Decision::GiveUp(reason) => return Err(failure.into_error(self.call, gave_up(reason))),
        };
        self.core.journal.retrying(&self.call.request_id, failure.kind, wait, number + 1, total);
        self.history.waited(wait);
        sleep(wait).await;
        match supervisor.renew(permit, self.deadline.into_std()).await {
            Ok(permit) => Ok(permit),
            Err(Rejection::Refused(_)) => Err(failure.into_error(self.call, GaveUp::CircuitOpen)),
            Err(gone @ Rejection::Gone) => Err(rejected(gone)),
        }
    }
}

pub(crate) fn rejected(rejection: Rejection) -> Error {
    match rejection {
        Rejection::Gone => Error::closed(),
        Rejection::Refused(refusal) => {
            let retry_after = refusal.retry_after;
            let message = match retry_after {
                Some(wait) => {
                    format!("the circuit breaker is open; try again in {:.3} s", wait.as_secs_f64())
                }
                None => "the circuit breaker is held open".to_owned(),
            };
            Error::new(ErrorKind::CircuitOpen { retry_after }, message)
        }
    }
}

/// An attempt that failed.
struct Failure {
    kind: ErrorKind,
    retry_after: Option<Duration>,
    what: What,
}

enum What {
    Reply(Reply),
    Fault(Fault),
}

impl Failure {
    fn status(&self) -> Option<u16> {
        match &self.what {
            What::Reply(reply) => Some(reply.status),
            What::Fault(_) => None,
        }
    }

    /// Whether a failure of this kind may go better another time.
    fn again(&self) -> Again {
        match &self.what {
            What::Fault(fault) if fault.cause == Cause::Certificate => Again::Useless,
            _ => classify::again(self.kind),
        }
    }

    /// Whether this call may be sent again.
    fn again_for(&self, call: &Prepared) -> Again {
        let nothing_sent = matches!(&self.what, What::Fault(fault) if fault.sent == Sent::Nothing);
        let repeatable = match call.retry.methods {
            RetryMethods::All => true,
            RetryMethods::IdempotentOnly => call.request.method.is_idempotent() || nothing_sent,
        };
        if repeatable { self.again() } else { Again::Useless }
    }

    fn into_error(self, call: &Prepared, reason: GaveUp) -> Error {
        let retryable = self.again() == Again::MayHelp;
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
                Error::new(self.kind, message).with_response(respond(reply, call, Vec::new()))
            }
        };
        error.retryable(retryable).with_retry_after(self.retry_after).because(reason)
    }
}

fn gave_up(reason: GiveUp) -> GaveUp {
    match reason {
        GiveUp::NotRetryable => GaveUp::NotRetryable,
        GiveUp::AttemptsExhausted => GaveUp::AttemptsExhausted,
        GiveUp::RetryAfterTooLong => GaveUp::RetryAfterTooLong,
        GiveUp::DeadlineTooNear => GaveUp::DeadlineTooNear,
        GiveUp::BudgetSpent => GaveUp::BudgetSpent,
        GiveUp::CircuitOpen => GaveUp::CircuitOpen,
    }
}

/// The attempts so far. It outlives the run, which may be cut off at its deadline.
#[derive(Default)]
struct History {
    attempts: RefCell<Vec<Attempt>>,
    running: Cell<Option<Instant>>,
}

impl History {
    fn begin(&self) {
        self.running.set(Some(Instant::now()));
    }

    fn end(&self, status: Option<u16>, error: Option<ErrorKind>) {
        if let Some(begun) = self.running.take() {
            let duration = begun.elapsed();
            let mut attempts = self.attempts.borrow_mut();
            attempts.reserve_exact(1);
            attempts.push(Attempt { status, error, duration, wait: None });
        }
    }

    /// Ends an attempt that was under way, if one was.
    fn cut(&self, error: ErrorKind) {
        self.end(None, Some(error));
    }

    fn waited(&self, wait: Duration) {
        if let Some(last) = self.attempts.borrow_mut().last_mut() {
            last.wait = Some(wait);
        }
    }
}

#[cfg(test)]
#[path = "engine_tests.rs"]
mod tests;
