//! The supervisor as callers see it: async methods, permits, and a state that can be read at any time.
//!
//! While the breaker is closed and nothing has failed, none of these methods sends a message. Nothing here may
//! decide: what the published state does not settle is asked of the actor.

use std::{sync::Arc, time::Instant};

use derive_more::{Display, Error, From};

use super::{
    Decision, SupervisorSettings,
    actor::{Admit, Command, Control, Failed, Report, Supervisor},
    breaker::{Outcome, Refusal, Role, Ticket},
    published::{Published, View},
    retry::{FailedAttempt, RetryPolicy},
};
use crate::{
    address::{Address, WeakAddress},
    clock::now,
    error::ActorError,
    lifecycle::{self, Unstarted},
};

/// A cheap, cloneable handle to the actor that supervises calls. The actor ends with its last handle.
#[derive(Clone, Debug)]
pub struct SupervisorHandle {
    published: Arc<Published>,
    address: Address<Supervisor>,
}

/// The right to make one call. A permit that is dropped without a report is abandoned: a probe's place comes back.
#[derive(Debug)]
pub struct Permit {
    ticket: Ticket,
    /// Where to give the place back; only a probe has one.
    probe_of: Option<WeakAddress<Supervisor>>,
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

/// The state of the breaker, as callers see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Display)]
pub enum BreakerState {
    /// Calls pass.
    #[display("closed")]
    Closed,
    /// Calls are refused.
    #[display("open")]
    Open,
    /// A few calls pass as probes, or would pass if they came now.
    #[display("half_open")]
    HalfOpen,
}

/// Counters since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SupervisorStats {
    /// Calls counted.
    pub calls: u64,
    /// Retries granted.
    pub retries: u64,
    /// Times the breaker opened.
    pub opened: u64,
    /// Times it became half-open.
    pub half_opened: u64,
    /// Times it closed again.
    pub closed: u64,
    /// Times the actor was restarted after a panic, with a closed breaker and a fresh budget.
    pub restarts: u64,
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
        self.published.count_call();
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
        if permit.is_probe() || self.published.view(now).generation() == Some(permit.ticket.generation) {
            return Ok(permit);
        }
        self.admit(expires).await
    }

    /// Reports that the call succeeded: the server gave an answer.
    pub async fn succeeded(&self, mut permit: Permit) {
        let unchanged = View::Clean { generation: permit.ticket.generation };
        if !permit.is_probe() && self.published.view(now) == unchanged {
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

    /// Returns the state of the breaker now.
    pub fn state(&self) -> BreakerState {
        match self.published.view(now) {
            View::Clean { .. } | View::Failing { .. } => BreakerState::Closed,
            View::Open(_) => BreakerState::Open,
            // Half-open, or open for long enough that the next call becomes a probe.
            View::Ask => BreakerState::HalfOpen,
        }
    }

    /// Returns the counters.
    pub fn stats(&self) -> SupervisorStats {
        SupervisorStats {
            calls: self.published.calls(),
            retries: self.published.retries(),
            opened: self.published.opened(),
            half_opened: self.published.half_opened(),
            closed: self.published.closed(),
            restarts: self.address.restarts(),
        }
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
    let (address, actor) = lifecycle::prepare(move |address, last_generation| {
        Supervisor::new(settings.clone(), Arc::clone(&for_actor), address, last_generation)
    });
    (SupervisorHandle { published, address }, actor)
}

impl Permit {
    fn regular(generation: u64) -> Self {
        Self { ticket: Ticket { generation, role: Role::Regular }, probe_of: None }
    }

    /// A permit for a ticket of the breaker.
    pub(super) fn issued(ticket: Ticket, supervisor: &WeakAddress<Supervisor>) -> Self {
        let probe_of = matches!(ticket.role, Role::Probe(_)).then(|| supervisor.clone());
        Self { ticket, probe_of }
    }

    /// Whether it holds one of the places of a half-open breaker.
    pub fn is_probe(&self) -> bool {
        self.probe_of.is_some()
    }

    pub(super) fn ticket(&self) -> Ticket {
        self.ticket
    }

    /// The same permit with nothing left to give back.
    pub(super) fn spent(mut self) -> Self {
        self.probe_of = None;
        self
    }

    fn take(&mut self) -> Ticket {
        self.probe_of = None;
        self.ticket
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some(supervisor) = self.probe_of.take() {
            supervisor.send(Report { ticket: self.ticket, outcome: Outcome::Abandoned, reply: None });
        }
    }
}

impl View {
    fn generation(self) -> Option<u64> {
        match self {
            Self::Clean { generation } | Self::Failing { generation } => Some(generation),
            Self::Open(_) | Self::Ask => None,
        }
    }
}

#[cfg(test)]
#[path = "handle_tests.rs"]
mod tests;
