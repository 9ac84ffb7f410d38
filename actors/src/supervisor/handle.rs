//! The supervisor as callers see it: async methods, permits, and a state that can be read at any time.
//!
//! While the breaker is closed and nothing has failed, none of these methods sends a message. Nothing here may
//! decide: what the published word does not settle is asked of the actor.

use std::{sync::Arc, time::Instant};

use actix::{Addr, Supervisor};
use derive_more::{Display, Error};
use tokio::sync::oneshot;

use super::{
    Decision, SupervisorSettings,
    actor::{Admit, Failed, Obey, Order, Report, SupervisorActor},
    breaker::{Outcome, Refusal, Role, Ticket},
    published::{Published, View},
    retry::{FailedAttempt, RetryPolicy},
};
use crate::clock::now;

/// A cheap, cloneable handle to the actor that supervises calls. The actor ends with its last handle.
#[derive(Clone, Debug)]
pub struct SupervisorHandle {
    published: Arc<Published>,
    actor: Addr<SupervisorActor>,
}

/// The right to make one call. Dropped without a report it is abandoned: a probe's place comes back.
#[derive(Debug)]
pub struct Permit {
    ticket: Ticket,
    /// Where to give the place back; only a probe has one.
    probe_of: Option<Addr<SupervisorActor>>,
}

/// Why a call was not admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Display, Error)]
pub enum Rejection {
    /// The breaker refused.
    #[display("the circuit breaker is open")]
    Refused(#[error(not(source))] Refusal),
    /// The supervisor has ended.
    #[display("the supervisor has ended")]
    Gone,
}

/// The state of the breaker, for those who only look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Display)]
pub enum BreakerState {
    /// Calls pass.
    #[display("closed")]
    Closed,
    /// Calls are refused.
    #[display("open")]
    Open,
    /// A few calls may pass as probes, or would if they came now.
    #[display("half_open")]
    HalfOpen,
}

/// What has happened since the start.
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
}

impl SupervisorHandle {
    /// Starts a supervised actor on the current arbiter.
    ///
    /// # Panics
    ///
    /// Outside an actix system, as every actor does.
    pub fn start(settings: SupervisorSettings) -> Self {
        let published = Arc::new(Published::new(now()));
        let actor = SupervisorActor::new(settings, Arc::clone(&published));
        Self { published, actor: Supervisor::start(|_| actor) }
    }

    /// Counts a call, which earns its share of the retry budget.
    pub fn count_call(&self) {
        self.published.count_call();
    }

    /// Refuses without asking when the breaker is certainly open.
    ///
    /// # Errors
    ///
    /// The refusal; `Ok` promises nothing.
    pub fn glance(&self) -> Result<(), Refusal> {
        match self.published.view(now) {
            View::Open(refusal) => Err(refusal),
            View::Clean { .. } | View::Failing { .. } | View::Ask => Ok(()),
        }
    }

    /// Asks to make a call that will have ended by `lease`.
    ///
    /// # Errors
    ///
    /// [`Rejection`] when the breaker refuses or the supervisor has ended.
    pub async fn admit(&self, lease: Instant) -> Result<Permit, Rejection> {
        match self.published.view(now) {
            View::Clean { generation } | View::Failing { generation } => Ok(Permit::regular(generation)),
            View::Open(refusal) => Err(Rejection::Refused(refusal)),
            View::Ask => self.ask(|reply| Admit { lease, reply }).await?.map_err(Rejection::Refused),
        }
    }

    /// Asks again with a permit that has been held for a while: the same one if its state still stands.
    ///
    /// # Errors
    ///
    /// As [`admit`](Self::admit).
    pub async fn renew(&self, permit: Permit, lease: Instant) -> Result<Permit, Rejection> {
        if permit.is_probe() || self.published.view(now).generation() == Some(permit.ticket.generation) {
            return Ok(permit);
        }
        self.admit(lease).await
    }

    /// The call succeeded: the server gave an answer.
    pub async fn succeeded(&self, mut permit: Permit) {
        let unchanged = View::Clean { generation: permit.ticket.generation };
        if !permit.is_probe() && self.published.view(now) == unchanged {
            return;
        }
        let ticket = permit.take();
        let report = |reply| Report { ticket, outcome: Outcome::Success, reply: Some(reply) };
        // A supervisor that has ended has nothing left to learn.
        let _ = self.ask(report).await;
    }

    /// An attempt failed: is it made again, and when? The permit comes back for [`renew`](Self::renew).
    ///
    /// `outcome` is what the failure means for the breaker; it is recorded when the call is given up (for a probe,
    /// at once).
    ///
    /// # Errors
    ///
    /// [`Rejection::Gone`] when the supervisor has ended.
    pub async fn failed(
        &self,
        permit: Permit,
        attempt: FailedAttempt,
        outcome: Outcome,
        policy: Arc<RetryPolicy>,
    ) -> Result<(Decision, Permit), Rejection> {
        self.ask(|reply| Failed { permit, attempt, outcome, policy, reply }).await
    }

    /// The state of the breaker now.
    pub fn state(&self) -> BreakerState {
        match self.published.view(now) {
            View::Clean { .. } | View::Failing { .. } => BreakerState::Closed,
            View::Open(_) => BreakerState::Open,
            // Open for long enough: whoever asks next is a probe.
            View::Ask => BreakerState::HalfOpen,
        }
    }

    /// What has happened since the start.
    pub fn stats(&self) -> SupervisorStats {
        SupervisorStats {
            calls: self.published.calls(),
            retries: self.published.retries(),
            opened: self.published.opened(),
            half_opened: self.published.half_opened(),
            closed: self.published.closed(),
        }
    }

    /// Opens the breaker until [`force_closed`](Self::force_closed) or [`reset`](Self::reset).
    ///
    /// # Errors
    ///
    /// [`Rejection::Gone`] when the supervisor has ended.
    pub async fn force_open(&self) -> Result<(), Rejection> {
        self.order(Order::Open).await
    }

    /// Closes the breaker, with no failures counted.
    ///
    /// # Errors
    ///
    /// [`Rejection::Gone`] when the supervisor has ended.
    pub async fn force_closed(&self) -> Result<(), Rejection> {
        self.order(Order::Close).await
    }

    /// Closes the breaker and fills the retry budget, as after the start.
    ///
    /// # Errors
    ///
    /// [`Rejection::Gone`] when the supervisor has ended.
    pub async fn reset(&self) -> Result<(), Rejection> {
        self.order(Order::Reset).await
    }

    /// Stops the actor as if something had gone wrong; its supervisor starts it again. For tests.
    ///
    /// # Errors
    ///
    /// [`Rejection::Gone`] when the supervisor has ended.
    #[doc(hidden)]
    pub async fn crash(&self) -> Result<(), Rejection> {
        self.order(Order::Crash).await
    }

    async fn order(&self, order: Order) -> Result<(), Rejection> {
        self.ask(|reply| Obey { order, reply }).await
    }

    /// Sends a message that brings its own channel for the answer, and waits for the answer.
    async fn ask<M, R>(&self, message: impl FnOnce(oneshot::Sender<R>) -> M) -> Result<R, Rejection>
    where
        M: actix::Message<Result = ()> + Send + 'static,
        SupervisorActor: actix::Handler<M>,
    {
        let (reply, answer) = oneshot::channel();
        self.actor.do_send(message(reply));
        answer.await.map_err(|_| Rejection::Gone)
    }
}

impl Permit {
    fn regular(generation: u64) -> Self {
        Self { ticket: Ticket { generation, role: Role::Regular }, probe_of: None }
    }

    /// A permit for a ticket of the breaker.
    pub(super) fn issued(ticket: Ticket, actor: Addr<SupervisorActor>) -> Self {
        let probe_of = matches!(ticket.role, Role::Probe(_)).then_some(actor);
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
        if let Some(actor) = self.probe_of.take() {
            actor.do_send(Report { ticket: self.ticket, outcome: Outcome::Abandoned, reply: None });
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
