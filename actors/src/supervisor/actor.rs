//! The actor that owns the breaker, the retry budget and the randomness, and decides for all calls.
//!
//! Its handlers read the clock, ask a core, publish and answer: a few steps each. They must never wait, start a
//! timer, do I/O or panic: while one runs, every other call's decision waits. Each message brings the channel for
//! its own answer, so that a restart between a question and its handling loses neither.

use std::{sync::Arc, time::Instant};

use actix::{Actor, ActorContext, AsyncContext, Context, Handler, Message, Supervised};
use tokio::sync::oneshot;

use super::{
    Decision, LogTarget, Permit, SupervisorSettings,
    breaker::{Breaker, Outcome, Refusal, State, Ticket, Transition, Until},
    budget::Budget,
    published::Published,
    retry::{FailedAttempt, GiveUp, RetryPolicy},
};
use crate::clock::now;

/// Owns what is decided for all calls together.
#[derive(Debug)]
pub(super) struct SupervisorActor {
    breaker: Breaker,
    budget: Budget,
    budget_fresh: super::budget::BudgetSettings,
    rng: fastrand::Rng,
    log: LogTarget,
    published: Arc<Published>,
}

impl SupervisorActor {
    pub(super) fn new(settings: SupervisorSettings, published: Arc<Published>) -> Self {
        Self {
            breaker: Breaker::new(settings.breaker.clone()),
            budget: Budget::new(settings.budget.clone(), now()),
            budget_fresh: settings.budget,
            rng: settings.seed.map_or_else(fastrand::Rng::new, fastrand::Rng::with_seed),
            log: settings.log,
            published,
        }
    }

    /// Publishes, counts and logs what the breaker did; to be called after every question to it.
    fn tell(&self, transition: Option<Transition>) {
        self.published.publish(&self.breaker);
        if let Some(transition) = transition {
            self.published.count_transition(transition);
            self.log.transition(transition);
        }
    }

    fn report(&mut self, ticket: Ticket, outcome: Outcome, now: Instant) {
        let transition = self.breaker.report(ticket, outcome, now);
        self.tell(transition);
    }

    fn decide(&mut self, failed: &Failed, now: Instant) -> Decision {
        if failed.permit.is_probe() {
            // A probe answers for one request: what it found counts at once, a retry has to ask again.
            self.report(failed.permit.ticket(), failed.outcome, now);
        }
        let wait = match failed.policy.wait_after(&failed.attempt, now, &mut self.rng) {
            Ok(wait) => wait,
            Err(reason) => return self.give_up(failed, reason, now),
        };
        if self.is_open_at(now + wait) {
            return self.give_up(failed, GiveUp::CircuitOpen, now);
        }
        if self.budget.withdraw(self.published.calls(), now).is_err() {
            return self.give_up(failed, GiveUp::BudgetSpent, now);
        }
        self.published.count_retry();
        Decision::Retry { wait }
    }

    fn give_up(&mut self, failed: &Failed, reason: GiveUp, now: Instant) -> Decision {
        if !failed.permit.is_probe() {
            self.report(failed.permit.ticket(), failed.outcome, now);
        }
        Decision::GiveUp(reason)
    }

    fn is_open_at(&self, time: Instant) -> bool {
        match self.breaker.state() {
            State::Open { until: Until::Told } => true,
            State::Open { until: Until::Time(until) } => *until > time,
            State::Closed { .. } | State::HalfOpen { .. } => false,
        }
    }
}

impl Actor for SupervisorActor {
    type Context = Context<Self>;
}

impl Supervised for SupervisorActor {
    fn restarting(&mut self, _: &mut Self::Context) {
        self.log.restarted();
    }
}

/// May a call go out that will have ended by `lease`?
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Admit {
    pub(super) lease: Instant,
    pub(super) reply: oneshot::Sender<Result<Permit, Refusal>>,
}

impl Handler<Admit> for SupervisorActor {
    type Result = ();

    fn handle(&mut self, Admit { lease, reply }: Admit, ctx: &mut Self::Context) {
        let (answer, transition) = self.breaker.admit(now(), lease);
        self.tell(transition);
        // Should nobody wait for it any more, the permit is dropped here, and gives its place back itself.
        let _ = reply.send(answer.map(|ticket| Permit::issued(ticket, ctx.address())));
    }
}

/// An attempt failed; is it made again?
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Failed {
    pub(super) permit: Permit,
    pub(super) attempt: FailedAttempt,
    pub(super) outcome: Outcome,
    pub(super) policy: Arc<RetryPolicy>,
    pub(super) reply: oneshot::Sender<(Decision, Permit)>,
}

impl Handler<Failed> for SupervisorActor {
    type Result = ();

    fn handle(&mut self, failed: Failed, _: &mut Self::Context) {
        let decision = self.decide(&failed, now());
        let _ = failed.reply.send((decision, failed.permit.spent()));
    }
}

/// A call ended.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Report {
    pub(super) ticket: Ticket,
    pub(super) outcome: Outcome,
    pub(super) reply: Option<oneshot::Sender<()>>,
}

impl Handler<Report> for SupervisorActor {
    type Result = ();

    fn handle(&mut self, report: Report, _: &mut Self::Context) {
        self.report(report.ticket, report.outcome, now());
        if let Some(reply) = report.reply {
            let _ = reply.send(());
        }
    }
}

/// What people tell the breaker by hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Open,
    Close,
    Reset,
    /// Stop as if something had gone wrong, for tests of the restart.
    Crash,
}

/// Carries an order.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Obey {
    pub(super) order: Order,
    pub(super) reply: oneshot::Sender<()>,
}

impl Handler<Obey> for SupervisorActor {
    type Result = ();

    fn handle(&mut self, Obey { order, reply }: Obey, ctx: &mut Self::Context) {
        match order {
            Order::Open => {
                let transition = self.breaker.force_open();
                self.tell(Some(transition));
            }
            Order::Close => {
                let transition = self.breaker.close();
                self.tell(Some(transition));
            }
            Order::Reset => {
                let transition = self.breaker.close();
                self.budget = Budget::new(self.budget_fresh.clone(), now());
                self.tell(Some(transition));
            }
            Order::Crash => ctx.stop(),
        }
        let _ = reply.send(());
    }
}
