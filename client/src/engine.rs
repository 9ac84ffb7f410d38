//! One call from its admission to its result: breaker, slot, attempt, decision, wait, next attempt.
//!
//! It is a plain future. Everything it holds (a permit, a slot, a connection, a timer) is a value in it, so that
//! dropping it at any await frees all of that at once. It must never spawn, nor decide what the supervisor decides.

use std::{
    cell::Cell,
    pin::pin,
    sync::Arc,
    time::{Duration, SystemTime},
};

use resilience_actors::{
    ActorError,
    supervisor::{Circuit, Decision, Permit, Rejection, retry},
};
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::task::task_tracker::TaskTrackerToken;

mod round;

use crate::{
    attempt::{self, Failure},
    bulkhead::{Came, Signal, Slot},
    call::Parts,
    cookies::WithCookies,
    error::{Error, ErrorKind, GaveUp},
    exchange,
    history::{History, Running},
    observe::{Event, FailedAttempt},
    origin::Origin,
    prepare::Prepared,
    response::{AttemptRole, Response},
    state::ClientState,
    transport::{Reply, Transport},
};

/// A call that has been admitted, on its way to the thread that runs it. It counts as in flight until it is dropped.
#[derive(Debug)]
pub(crate) struct Admitted {
    pub(crate) call: Prepared,
    pub(crate) started: Instant,
    circuit: Circuit,
    #[expect(dead_code, reason = "the call counts as in flight until it is dropped")]
    counted: TaskTrackerToken,
}

impl Admitted {
    /// The instant at which the call ends at the latest.
    pub(crate) fn deadline(&self) -> Instant {
        self.started + self.call.deadline
    }
}

/// Admits a call, on whichever thread it was made. It rejects a call that is malformed, and every call while the
/// client is closed or the breaker is open.
pub(crate) fn admit(state: &ClientState, parts: Parts) -> Result<Admitted, Error> {
    let started = Instant::now();
    let counted = state.lifetime.enter().ok_or_else(Error::closed)?;
    let needs_id = parts.request_id.is_none();
    let call = state.defaults.prepare(parts)?;
    if needs_id {
        state.observers.emit(Event::RequestIdMade { id: &call.request_id });
    }
    // Redirects change nothing: the origin that the caller names decides, and every attempt begins there.
    let circuit = state.supervisor.circuit(|| Origin(&call.request.uri).name());
    match state.supervisor.fail_fast(&circuit) {
        Ok(()) => {
            state.supervisor.count_call();
            Ok(Admitted { call, started, circuit, counted })
        }
        Err(refusal) => Err(rejected(&circuit, Rejection::Refused(refusal)).with_request_id(call.request_id)),
    }
}

/// Runs a call that was admitted. What is admitted must outlive the run: a call that no longer counts holds nothing.
pub(crate) async fn run<T: Transport>(
    state: &ClientState,
    transport: &T,
    admitted: &Admitted,
) -> Result<Response, Error> {
    let deadline = admitted.deadline();
    let Admitted { call, circuit, .. } = admitted;
    let history = History::new(&call.request_id, &state.observers);
    let hedges_left = Cell::new(call.hedge.map_or(0, |rules| rules.max));
    let run = Run { state, transport, call, circuit, deadline, history: &history, hedges_left };
    let outcome = match run.until_ended().await {
        Ended::ByItself(outcome) => outcome,
        Ended::AtItsDeadline => {
            history.cut(ErrorKind::DeadlineExceeded);
            Err(Error::deadline_exceeded(call.deadline))
        }
        Ended::WithTheClient => {
            history.cut(ErrorKind::Closed);
            Err(Error::closed())
        }
    };
    let attempts = history.take();
    let request_id = call.request_id.clone();
    match outcome {
        Ok(Reply { status, headers, body }) => Ok(Response::new(status, headers, body, request_id, attempts)),
        Err(error) => Err(error.with_request_id(request_id).with_attempts(attempts)),
    }
}

/// A call under way.
struct Run<'a, T> {
    state: &'a ClientState,
    transport: &'a T,
    call: &'a Prepared,
    circuit: &'a Circuit,
    deadline: Instant,
    history: &'a History<'a>,
    /// The hedges that the call may still send.
    hedges_left: Cell<u32>,
}

/// How a call ended.
enum Ended {
    ByItself(Result<Reply, Error>),
    AtItsDeadline,
    WithTheClient,
}

/// An attempt that was judged.
struct Attempted {
    result: Result<Reply, Failure>,
    took: Duration,
}

impl<T: Transport> Run<'_, T> {
    /// Drives the call until it ends, or has to.
    async fn until_ended(&self) -> Ended {
        // It stays where it is made, because it is large to move.
        let mut drive = pin!(self.drive());
        tokio::select! {
            biased;
            outcome = &mut drive => Ended::ByItself(outcome),
            () = sleep_until(self.deadline) => Ended::AtItsDeadline,
            () = self.state.lifetime.closing() => Ended::WithTheClient,
        }
    }

    async fn drive(&self) -> Result<Reply, Error> {
        let lease = self.deadline.into_std();
        let supervisor = &self.state.supervisor;
        let mut permit =
            supervisor.admit(self.circuit, lease).await.map_err(|why| rejected(self.circuit, why))?;
        for number in 1.. {
            let mut slot = self.slot().await?;
            if slot.came == Came::AfterWaiting {
                permit = supervisor.renew(permit, lease).await.map_err(|why| rejected(self.circuit, why))?;
            }
            let (Attempted { result, took }, slot) = match self.call.hedge {
                None => (self.attempt(self.history.begin(AttemptRole::Regular), &mut slot).await, slot),
                // In a box, so that calls that are not hedged have no place for it.
                Some(rules) => Box::pin(self.hedged(rules, slot, &permit)).await,
            };
            self.mark(&mut permit, took);
            match result {
                Ok(reply) => {
                    drop(slot);
                    supervisor.succeeded(permit).await;
                    return Ok(reply);
                }
                Err(failure) => permit = self.retry(failure, slot, permit, number).await?,
            }
        }
        // Not reached: a policy allows fewer attempts than a u32 can count.
        Err(Error::deadline_exceeded(self.call.deadline))
    }

    /// Makes an attempt that has begun, in its slot.
    async fn attempt(&self, attempt: Running, slot: &mut Slot<'_>) -> Attempted {
        let transport = WithCookies { transport: self.transport, jar: self.state.cookies.as_ref() };
        let answer = exchange::attempt(&transport, self.call).await;
        let result = attempt::judge(answer, SystemTime::now);
        let took = match &result {
            Ok(reply) => self.history.succeeded(attempt, reply.status),
            Err(failure) => self.history.failed(attempt, failure.status(), failure.kind),
        };
        slot.note(|| match &result {
            Ok(_) => Some(Signal::Served(took)),
            Err(failure) => failure.signal(took),
        });
        Attempted { result, took }
    }

    /// Records in the permit that the attempt was slow.
    fn mark(&self, permit: &mut Permit, took: Duration) {
        if self.state.slow_from.is_some_and(|slow| took >= slow) {
            permit.mark_slow();
        }
    }

    async fn slot(&self) -> Result<Slot<'_>, Error> {
        let (bulkhead, observers, id) = (&self.state.bulkhead, &self.state.observers, &self.call.request_id);
        let slot = bulkhead.acquire(|| observers.emit(Event::SlotAwaited { id })).await.map_err(|_| {
            let seconds = bulkhead.acquisition_timeout().as_secs_f64();
            Error::new(ErrorKind::PoolTimeout, format!("no slot became free within {seconds} s"))
        })?;
        observers.emit(Event::SlotAcquired { id, available: bulkhead.available() });
        Ok(slot)
    }

    /// Asks the supervisor whether to repeat the attempt, and waits until then.
    async fn retry(
        &self,
        failure: Failure,
        slot: Slot<'_>,
        permit: Permit,
        number: u32,
    ) -> Result<Permit, Error> {
        let policy = Arc::clone(&self.call.retry.policy);
        let total = policy.max_attempts;
        self.keep_quiet(&failure);
        let failed = retry::FailedAttempt {
            number,
            retryability: failure.retryability_of(self.call.request.method, self.call.retry.methods),
            retry_after: failure.retry_after,
            deadline: self.deadline.into_std(),
        };
        let supervisor = &self.state.supervisor;
        let (decision, permit) =
            supervisor.failed(permit, failed, failure.outcome(), policy).await.map_err(unanswered)?;
        // Not earlier: the call that gets this slot must see what the failure did to the breaker. Not later: a call
        // that waits between attempts holds no slot.
        drop(slot);
        let id = &self.call.request_id;
        let wait = match decision {
            Decision::Retry { wait } => wait,
            Decision::GiveUp(reason) => return Err(failure.into_error(id, attempt::gave_up(reason))),
        };
        let failed = FailedAttempt { number, total, error: failure.kind, status: failure.status() };
        self.state.observers.emit(Event::RetryPlanned { id, failed, wait });
        self.history.waited(wait);
        sleep(wait).await;
        match supervisor.renew(permit, self.deadline.into_std()).await {
            Ok(permit) => Ok(permit),
            Err(Rejection::Refused(_)) => Err(failure.into_error(id, GaveUp::CircuitOpen)),
            Err(Rejection::Unanswered(why)) => Err(unanswered(why)),
        }
    }
}

/// The error of a call to which the supervisor gave no answer: it has ended, or failed and was started anew.
pub(crate) fn unanswered(why: ActorError) -> Error {
    match why {
        ActorError::Ended(_) => Error::closed(),
        _ => Error::new(ErrorKind::Closed, "the call was lost inside the client").with_source(why),
    }
}

/// The error of a call that the supervisor rejects.
fn rejected(circuit: &Circuit, rejection: Rejection) -> Error {
    match rejection {
        Rejection::Unanswered(why) => unanswered(why),
        Rejection::Refused(refusal) => {
            let retry_after = refusal.retry_after;
            let message = match retry_after {
                Some(wait) => {
                    let of = circuit.origin().map(|origin| format!(" of {origin}")).unwrap_or_default();
                    format!("the circuit breaker{of} is open; try again in {:.3} s", wait.as_secs_f64())
                }
                None => "the circuit breaker is forced open".to_owned(),
            };
            Error::new(ErrorKind::CircuitOpen { retry_after }, message)
        }
    }
}

#[cfg(test)]
#[path = "engine_tests/mod.rs"]
mod tests;
