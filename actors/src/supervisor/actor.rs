//! The state of the supervisor actor: the breaker, the retry budget and the randomness of all calls.
//!
//! Its handlers read the clock, ask a core, publish and answer: a few steps each. They must never wait, start a timer
//! or do I/O: while one runs, every other call's decision waits.

use std::{sync::Arc, time::Instant};

use super::{
    breaker::{Breaker, Outcome, Refusal, State as BreakerState, Ticket, Transition, Until},
    budget::{Budget, Spent},
    handle::NoHedge,
    permit::Permit,
    published::Published,
    retry::{Decision, FailedAttempt, GiveUp, RetryPolicy},
    settings::SupervisorSettings,
};
use crate::{
    address::{Reply, WeakAddress},
    clock::now,
    lifecycle::{Handle, State},
};

/// Decides for all calls of a client together.
#[derive(Debug)]
pub(super) struct Supervisor {
    breaker: Breaker,
    budget: Budget,
    settings: SupervisorSettings,
    rng: fastrand::Rng,
    published: Arc<Published>,
    address: WeakAddress<Self>,
}

/// Asks to make a call that will have ended by `expires`.
pub(super) struct Admit {
    pub(super) expires: Instant,
    pub(super) reply: Reply<Result<Permit, Refusal>>,
}

/// Asks whether a failed attempt is retried.
pub(super) struct Failed {
    pub(super) permit: Permit,
    pub(super) attempt: FailedAttempt,
    pub(super) outcome: Outcome,
    pub(super) policy: Arc<RetryPolicy>,
    pub(super) reply: Reply<(Decision, Permit)>,
}

/// Asks to send a second request of a call that holds this ticket.
pub(super) struct Hedge {
    pub(super) ticket: Ticket,
    pub(super) reply: Reply<Result<(), NoHedge>>,
}

/// Reports how a call ended.
pub(super) struct Report {
    pub(super) ticket: Ticket,
    pub(super) outcome: Outcome,
    pub(super) reply: Option<Reply<()>>,
}

/// What an operator can do to the breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Command {
    ForceOpen,
    ForceClosed,
    Reset,
}

/// Carries out a command.
pub(super) struct Control {
    pub(super) command: Command,
    pub(super) reply: Reply<()>,
}

impl Supervisor {
    /// A closed breaker and a fresh budget, already published. Where a state that was lost in a panic has left the
    /// breaker open or half-open, this closes it, which is a change like any other.
    pub(super) fn new(
        settings: SupervisorSettings,
        published: Arc<Published>,
        address: WeakAddress<Self>,
        last_generation: u64,
    ) -> Self {
        let was_closed = published.view(now).generation().is_some();
        let supervisor = Self {
            breaker: Breaker::new(settings.breaker.clone(), last_generation),
            budget: Budget::new(settings.budget.clone(), published.counters().calls(), now()),
            rng: settings.seed.map_or_else(fastrand::Rng::new, fastrand::Rng::with_seed),
            settings,
            published,
            address,
        };
        supervisor.publish((!was_closed).then_some(Transition::Closed));
        supervisor
    }

    /// Publishes, counts and logs a change of the breaker. To be called after every question to it.
    fn publish(&self, transition: Option<Transition>) {
        self.published.publish(&self.breaker);
        if let Some(transition) = transition {
            self.published.counters().count_transition(transition);
            self.settings.log.transition(transition);
            self.settings.on_transition.call(transition);
        }
    }

    fn report(&mut self, ticket: Ticket, outcome: Outcome, now: Instant) {
        let transition = self.breaker.report(ticket, outcome, now);
        self.publish(transition);
    }

    fn decide(&mut self, failed: &Failed, now: Instant) -> Decision {
        if failed.permit.is_probe() {
            // A probe stands for one request: its failure counts at once, and a retry has to be admitted anew.
            self.report(failed.permit.ticket(), failed.outcome, now);
        }
        let wait = match failed.policy.wait_after(&failed.attempt, now, &mut self.rng) {
            Ok(wait) => wait,
            Err(reason) => return self.give_up(failed, reason, now),
        };
        if self.is_open_at(now + wait) {
            return self.give_up(failed, GiveUp::CircuitOpen, now);
        }
        if self.budget.withdraw(self.published.counters().calls(), now).is_err() {
            return self.give_up(failed, GiveUp::BudgetSpent, now);
        }
        self.published.counters().count_retry();
        Decision::Retry { wait }
    }

    /// A half-open breaker allows a number of requests, and an open one none: only a closed one allows hedges.
    fn allow_hedge(&mut self, ticket: Ticket, now: Instant) -> Result<(), NoHedge> {
        let is_closed = matches!(self.breaker.state(), BreakerState::Closed { .. });
        if !is_closed || ticket.generation != self.breaker.generation() {
            return Err(NoHedge::BreakerChanged);
        }
        let withdrawn = self.budget.withdraw(self.published.counters().calls(), now);
        withdrawn.map_err(|Spent| NoHedge::BudgetSpent)?;
        self.published.counters().count_hedge();
        Ok(())
    }

    fn give_up(&mut self, failed: &Failed, reason: GiveUp, now: Instant) -> Decision {
        if !failed.permit.is_probe() {
            self.report(failed.permit.ticket(), failed.outcome, now);
        }
        Decision::GiveUp(reason)
    }

    fn is_open_at(&self, time: Instant) -> bool {
        match self.breaker.state() {
            BreakerState::Open { until: Until::Forced } => true,
            BreakerState::Open { until: Until::Time(until) } => *until > time,
            BreakerState::Closed { .. } | BreakerState::HalfOpen { .. } => false,
        }
    }
}

impl State for Supervisor {
    const NAME: &'static str = "supervisor";

    fn last_number(&self) -> u64 {
        self.breaker.generation()
    }

    fn log_restart(&self) {
        self.settings.log.restarted();
    }
}

impl Handle<Admit> for Supervisor {
    fn handle(&mut self, Admit { expires, reply }: Admit) {
        let (answer, transition) = self.breaker.admit(now(), expires);
        self.publish(transition);
        // If the caller has left, the permit is dropped here and gives its place back.
        let _ = reply.send(answer.map(|ticket| Permit::issued(ticket, &self.address)));
    }
}

impl Handle<Failed> for Supervisor {
    fn handle(&mut self, failed: Failed) {
        let decision = self.decide(&failed, now());
        let _ = failed.reply.send((decision, failed.permit.spent()));
    }
}

impl Handle<Hedge> for Supervisor {
    fn handle(&mut self, Hedge { ticket, reply }: Hedge) {
        let _ = reply.send(self.allow_hedge(ticket, now()));
    }
}

impl Handle<Report> for Supervisor {
    fn handle(&mut self, Report { ticket, outcome, reply }: Report) {
        self.report(ticket, outcome, now());
        if let Some(reply) = reply {
            let _ = reply.send(());
        }
    }
}

impl Handle<Control> for Supervisor {
    fn handle(&mut self, Control { command, reply }: Control) {
        let transition = match command {
            Command::ForceOpen => self.breaker.force_open(),
            Command::ForceClosed => self.breaker.close(),
            Command::Reset => {
                self.budget =
                    Budget::new(self.settings.budget.clone(), self.published.counters().calls(), now());
                self.breaker.close()
            }
        };
        self.publish(transition);
        let _ = reply.send(());
    }
}
