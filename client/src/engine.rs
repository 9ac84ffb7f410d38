//! One call from its admission to its answer: breaker, slot, attempt, decision, wait, and again.
//!
//! It is a plain future. Everything it holds (a permit, a slot, a connection, a timer) is a value in it, so that
//! dropping it at any await frees all of that at once. It must never spawn, nor decide what the supervisor decides.

use std::{sync::Arc, time::SystemTime};

use resilience_actors::ActorError;
use resilience_actors::supervisor::{Decision, Permit, Rejection, retry::FailedAttempt};
use tokio::time::{Instant, sleep, sleep_until};

use crate::{
    bulkhead::{Came, Slot},
    call::Parts,
    classify,
    core::{Core, Redirects},
    error::{Error, ErrorKind, GaveUp},
    failure::{self, Failure},
    history::History,
    prepare::{Prepared, prepare},
    redirect,
    response::Response,
    transport::{Fault, Reply, Transport},
};

/// Lets a call in, on whatever thread it was made: unless it is malformed, the client closed or the breaker open.
pub(crate) fn let_in(core: &Core, parts: Parts) -> Result<Prepared, Error> {
    if core.closing.has_begun() {
        return Err(Error::closed());
    }
    let call = prepare(core, parts)?;
    match core.supervisor.fail_fast() {
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
        Ok(reply) => Ok(Response::new(reply, call.request_id, attempts)),
        Err(error) => Err(error.with_request_id(call.request_id).with_attempts(attempts)),
    }
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
            let failure = match failure::judge(self.attempt().await, SystemTime::now) {
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
            retryability: failure.retryability_for(self.call),
            retry_after: failure.retry_after,
            deadline: self.deadline.into_std(),
        };
        let outcome = classify::outcome(failure.kind);
        let supervisor = &self.core.supervisor;
        let (decision, permit) =
            supervisor.failed(permit, attempt, outcome, policy).await.map_err(unanswered)?;
        // Not earlier: whoever gets this slot is to know what this failure did to the breaker. Not later: nobody
        // holds a slot and waits.
        drop(slot);
        let wait = match decision {
            Decision::Retry { wait } => wait,
            Decision::GiveUp(reason) => return Err(failure.into_error(self.call, failure::gave_up(reason))),
        };
        self.core.journal.retrying(&self.call.request_id, failure.kind, wait, number + 1, total);
        self.history.waited(wait);
        sleep(wait).await;
        match supervisor.renew(permit, self.deadline.into_std()).await {
            Ok(permit) => Ok(permit),
            Err(Rejection::Refused(_)) => Err(failure.into_error(self.call, GaveUp::CircuitOpen)),
            Err(Rejection::Unanswered(why)) => Err(unanswered(why)),
        }
    }
}

/// The supervisor gave no answer: it has ended, or failed and started again with new state.
pub(crate) fn unanswered(why: ActorError) -> Error {
    match why {
        ActorError::Ended(_) => Error::closed(),
        _ => Error::new(ErrorKind::Closed, "the call was lost inside the client").with_source(why),
    }
}

pub(crate) fn rejected(rejection: Rejection) -> Error {
    match rejection {
        Rejection::Unanswered(why) => unanswered(why),
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

#[cfg(test)]
#[path = "engine_tests.rs"]
mod tests;
