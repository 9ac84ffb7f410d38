//! The supervisor as callers see it: async methods, permits, and a state that can be read at any time.
//!
//! While the breaker is closed and nothing has failed, none of these methods sends a message, unless the breaker looks
//! at shares of calls. Nothing here may decide: what the published state does not settle is asked of the actor.

use std::{sync::Arc, time::Instant};

use derive_more::{Display, Error, From};

use super::{
    actor::{Admit, Command, Control, Failed, Hedge, Report, Supervisor},
    breaker::{Outcome, Refusal},
    counters::SupervisorStats,
    permit::Permit,
    published::{BreakerState, Published, View},
    retry::{Decision, FailedAttempt, RetryPolicy},
    settings::SupervisorSettings,
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
    published: Arc<Published>,
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

/// Why a call was not admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Display, Error, From)]
pub enum Rejection {
    /// The breaker refused.
    #[display("the circuit breaker is open")]
    Refused(#[error(not(source))] Refusal),
    /// The supervisor has not answered.
    #[display("{_0}")]
    Unanswered(#[error(source)] ActorError),
}

/// Why a second request of a call was not allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Display, Error, From)]
pub enum NoHedge {
    /// The breaker is not in the closed state that admitted the call.
    #[display("the circuit breaker has changed its state")]
    #[from(skip)]
    BreakerChanged,
    /// All calls together have spent the retry budget.
    #[display("the retry budget is spent")]
    #[from(skip)]
    BudgetSpent,
    /// The supervisor has not answered.
    #[display("{_0}")]
    Unanswered(#[error(source)] ActorError),
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
        self.published.counters().count_call();
    }

    /// Refuses a call, without a message to the actor, when the breaker is certainly open.
    ///
    /// # Errors
    ///
    /// The refusal. `Ok` does not mean that [`admit`](Self::admit) will admit the call.
    pub fn fail_fast(&self) -> Result<(), Refusal> {
        match self.published.view(now) {
            View::Open(refusal) => Err(refusal),
            View::Clean { .. } | View::Failing { .. } | View::Ask => Ok(()),
        }
    }

    /// Asks to make a call that will have ended by `expires`.
    ///
    /// # Errors
    ///
    /// [`Rejection`] when the breaker refuses or the actor has not answered.
    pub async fn admit(&self, expires: Instant) -> Result<Permit, Rejection> {
        match self.published.view(now) {
            View::Clean { generation } | View::Failing { generation } => Ok(Permit::regular(generation)),
            View::Open(refusal) => Err(Rejection::Refused(refusal)),
            View::Ask => Ok(self.address.ask(|reply| Admit { expires, reply }).await??),
        }
    }

    /// Exchanges a permit that has been held for a while: for itself if the breaker has not changed since, or for what
    /// [`admit`](Self::admit) says.
    ///
    /// # Errors
    ///
    /// As [`admit`](Self::admit).
    pub async fn renew(&self, permit: Permit, expires: Instant) -> Result<Permit, Rejection> {
        if permit.is_probe() || self.published.view(now).generation() == Some(permit.ticket().generation) {
            return Ok(permit);
        }
        self.admit(expires).await
    }

    /// Reports that the call succeeded: the server gave an answer.
    pub async fn succeeded(&self, mut permit: Permit) {
        let unchanged = View::Clean { generation: permit.ticket().generation };
        if self.samples == Samples::Failures && !permit.is_probe() && self.published.view(now) == unchanged {
            return;
        }
        let ticket = permit.take();
        let report = |reply| Report { ticket, outcome: Outcome::Success, reply: Some(reply) };
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
        self.address.ask(|reply| Hedge { ticket: permit.ticket(), reply }).await?
    }

    /// Returns the state of the breaker now.
    pub fn state(&self) -> BreakerState {
        self.published.view(now).state()
    }

    /// Returns the counters.
    pub fn stats(&self) -> SupervisorStats {
        self.published.counters().stats(self.address.restarts())
    }

    /// Opens the breaker until [`force_closed`](Self::force_closed) or [`reset`](Self::reset).
    ///
    /// # Errors
    ///
    /// [`ActorError`] when the actor has not answered.
    pub async fn force_open(&self) -> Result<(), ActorError> {
        self.control(Command::ForceOpen).await
    }

    /// Closes the breaker, with no failures counted.
    ///
    /// # Errors
    ///
    /// [`ActorError`] when the actor has not answered.
    pub async fn force_closed(&self) -> Result<(), ActorError> {
        self.control(Command::ForceClosed).await
    }

    /// Closes the breaker and resets the retry budget to what it was at the start.
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
    let published = Arc::new(Published::new(now()));
    let for_actor = Arc::clone(&published);
    let samples = if settings.breaker.rates.is_some() { Samples::All } else { Samples::Failures };
    let (address, actor) = lifecycle::prepare(move |address, last_generation| {
        Supervisor::new(settings.clone(), Arc::clone(&for_actor), address, last_generation)
    });
    (SupervisorHandle { published, address, samples }, actor)
}

#[cfg(test)]
#[path = "handle_tests/mod.rs"]
mod tests;
