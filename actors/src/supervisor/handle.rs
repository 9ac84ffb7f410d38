//! The supervisor as callers see it: async methods, permits, and a state that can be read at any time.
//!
//! While the breaker is closed and nothing has failed, none of these methods sends a message, unless the breaker looks
//! at shares of calls. Nothing here may decide: what the published state does not settle is asked of the actor.

use std::{sync::Arc, time::Instant};

use super::{
    actor::{Admit, Command, Control, Failed, Forget, Hedge, Report, Supervisor},
    breaker::{Outcome, Refusal},
    circuit::Circuit,
    counters::SupervisorStats,
    permit::Permit,
    published::{BreakerState, View},
    rejection::{NoHedge, Rejection},
    retry::{Decision, FailedAttempt, RetryPolicy},
    settings::SupervisorSettings,
    shared::Shared,
};
use crate::{
    address::Address,
    clock::now,
    error::ActorError,
    lifecycle::{self, Unstarted},
};

/// A cheap, cloneable handle to the actor that supervises calls. The actor ends with its last handle.
#[derive(Clone, Debug)]
pub struct SupervisorHandle {
    shared: Arc<Shared>,
    address: Address<Supervisor>,
    samples: Samples,
}

/// Whether the breaker counts calls that succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Samples {
    /// It does: it looks at shares of calls.
    All,
    /// It does not, while none has failed.
    Failures,
}

impl SupervisorHandle {
    /// Starts the actor on the current arbiter.
    ///
    /// # Panics
    ///
    /// Outside an actix system, as every actor does.
    pub fn start(settings: SupervisorSettings) -> Self {
        let (handle, actor) = prepare(settings);
        actor.start();
        handle
    }

    /// Counts a call, which adds to the retry budget.
    pub fn count_call(&self) {
        self.shared.counters.count_call();
    }

    /// Returns the breaker of a call. `origin` makes the name of the origin that is called, and is only asked where
    /// origins have breakers of their own.
    pub fn circuit<N: AsRef<str>>(&self, origin: impl FnOnce() -> N) -> Circuit {
        let Some(origins) = &self.shared.origins else { return Circuit::CLIENT };
        let found = origins.find(origin().as_ref(), now);
        if let Some(forgotten) = found.forgotten {
            self.address.send(Forget(forgotten));
        }
        Circuit::of(found.circuit)
    }

    /// Refuses a call, without a message to the actor, when its breaker is certainly open.
    ///
    /// # Errors
    ///
    /// The refusal. `Ok` does not mean that [`admit`](Self::admit) will admit the call.
    pub fn fail_fast(&self, circuit: &Circuit) -> Result<(), Refusal> {
        match self.shared.view(circuit, now) {
            View::Open(refusal) => Err(refusal),
            View::Clean { .. } | View::Failing { .. } | View::Ask => Ok(()),
        }
    }

    /// Asks the breaker to make a call that will have ended by `expires`.
    ///
    /// # Errors
    ///
    /// [`Rejection`] when the breaker refuses or the actor has not answered.
    pub async fn admit(&self, circuit: &Circuit, expires: Instant) -> Result<Permit, Rejection> {
        match self.shared.view(circuit, now) {
            View::Clean { generation } | View::Failing { generation } => {
                Ok(Permit::regular(circuit.clone(), generation))
            }
            View::Open(refusal) => Err(Rejection::Refused(refusal)),
            View::Ask => {
                let circuit = circuit.clone();
                Ok(self.address.ask(|reply| Admit { circuit, expires, reply }).await??)
            }
        }
    }

    /// Exchanges a permit that has been held for a while: for itself if the breaker has not changed since, or for what
    /// [`admit`](Self::admit) says.
    ///
    /// # Errors
    ///
    /// As [`admit`](Self::admit).
    pub async fn renew(&self, permit: Permit, expires: Instant) -> Result<Permit, Rejection> {
        let generation = self.shared.view(permit.circuit(), now).generation();
        if permit.is_probe() || generation == Some(permit.ticket().generation) {
            return Ok(permit);
        }
        self.admit(permit.circuit(), expires).await
    }

    /// Reports that the call succeeded: the server gave an answer.
    pub async fn succeeded(&self, permit: Permit) {
        let unchanged = View::Clean { generation: permit.ticket().generation };
        let is_unchanged = || self.shared.published(permit.circuit()).view(now) == unchanged;
        if self.samples == Samples::Failures && !permit.is_probe() && is_unchanged() {
            return;
        }
        let (circuit, ticket) = permit.take();
        let report = |reply| Report { circuit, ticket, outcome: Outcome::Success, reply: Some(reply) };
        // An actor that has ended or failed has lost the state that this result was for.
        let _ = self.address.ask(report).await;
    }

    /// Reports a failed attempt, and decides whether and when it is retried. The permit comes back for
    /// [`renew`](Self::renew).
    ///
    /// `outcome` is what the failure means for the breaker; it is recorded when the call is given up (for a probe,
    /// at once).
    ///
    /// # Errors
    ///
    /// [`ActorError`] when the actor has not answered.
    pub async fn failed(
        &self,
        permit: Permit,
        attempt: FailedAttempt,
        outcome: Outcome,
        policy: Arc<RetryPolicy>,
    ) -> Result<(Decision, Permit), ActorError> {
        self.address.ask(|reply| Failed { permit, attempt, outcome, policy, reply }).await
    }

    /// Asks to send a second request of a call beside the one in flight. It takes one retry out of the budget, and has
    /// no result of its own: the call is still reported once.
    ///
    /// # Errors
    ///
    /// [`NoHedge`] when there must be none, or the actor has not answered.
    pub async fn hedge(&self, permit: &Permit) -> Result<(), NoHedge> {
        if permit.is_probe() {
            return Err(NoHedge::BreakerChanged);
        }
        self.address
            .ask(|reply| Hedge { circuit: permit.circuit().clone(), ticket: permit.ticket(), reply })
            .await?
    }

    /// Returns the state of the breaker now; where origins have their own, the worst of all states.
    pub fn state(&self) -> BreakerState {
        self.shared.state(now)
    }

    /// Returns the state of the breaker of an origin now: closed if it has none. This does not count as a use
    /// of the breaker.
    pub fn state_of<N: AsRef<str>>(&self, origin: impl FnOnce() -> N) -> BreakerState {
        let circuit = self.shared.origins.as_ref().and_then(|origins| origins.peek(origin().as_ref()));
        self.shared.view(&circuit.map_or(Circuit::CLIENT, Circuit::of), now).state()
    }

    /// Returns the counters.
    pub fn stats(&self) -> SupervisorStats {
        self.shared.counters.stats(self.address.restarts())
    }

    /// Opens the breaker, for every origin, until [`force_closed`](Self::force_closed) or [`reset`](Self::reset).
    ///
    /// # Errors
    ///
    /// [`ActorError`] when the actor has not answered.
    pub async fn force_open(&self) -> Result<(), ActorError> {
        self.control(Command::ForceOpen).await
    }

    /// Closes the breaker, and that of every origin, with no failures counted.
    ///
    /// # Errors
    ///
    /// [`ActorError`] when the actor has not answered.
    pub async fn force_closed(&self) -> Result<(), ActorError> {
        self.control(Command::ForceClosed).await
    }

    /// Closes the breaker, and that of every origin, and resets the retry budget to what it was at the start.
    ///
    /// # Errors
    ///
    /// [`ActorError`] when the actor has not answered.
    pub async fn reset(&self) -> Result<(), ActorError> {
        self.control(Command::Reset).await
    }

    async fn control(&self, command: Command) -> Result<(), ActorError> {
        self.address.ask(|reply| Control { command, reply }).await
    }

    /// Panics in a handler of the actor, and returns what the caller of that message gets.
    #[cfg(any(test, feature = "panic-injection"))]
    #[doc(hidden)]
    pub async fn panic_in_handler(&self) -> Result<(), ActorError> {
        self.address.ask(lifecycle::Panic).await
    }
}

/// Makes a handle, and the actor that has yet to be started.
fn prepare(settings: SupervisorSettings) -> (SupervisorHandle, Unstarted) {
    let shared = Arc::new(Shared::new(settings.scope, now()));
    let for_actor = Arc::clone(&shared);
    let samples = if settings.breaker.rates.is_some() { Samples::All } else { Samples::Failures };
    let (address, actor) = lifecycle::prepare(move |address, last_generation| {
        Supervisor::new(settings.clone(), Arc::clone(&for_actor), address, last_generation)
    });
    (SupervisorHandle { shared, address, samples }, actor)
}

#[cfg(test)]
#[path = "handle_tests/mod.rs"]
mod tests;
