//! The state of the supervisor actor: the breaker, the retry budget and the randomness of all calls.
//!
//! Its handlers read the clock, ask a core, publish and answer: a few steps each. They must never wait, start a timer
//! or do I/O: while one runs, every other call's decision waits.

use std::{iter, sync::Arc, time::Instant};

use super::{
    breaker::{Breaker, Outcome, Refusal, State as BreakerState, Ticket, Transition},
    breakers::Breakers,
    budget::{Budget, Spent},
    change::Change,
    circuit::{Circuit, OriginCircuit},
    origins::Origins,
    permit::Permit,
    rejection::NoHedge,
    retry::{Decision, FailedAttempt, GiveUp, RetryPolicy},
    settings::SupervisorSettings,
    shared::Shared,
};
use crate::{
    address::{Reply, WeakAddress},
    clock::now,
    lifecycle::{Handle, State},
};

/// Decides for all calls of a client together.
#[derive(Debug)]
pub(super) struct Supervisor {
    breakers: Breakers,
    budget: Budget,
    settings: SupervisorSettings,
    rng: fastrand::Rng,
    shared: Arc<Shared>,
    address: WeakAddress<Self>,
}

/// Asks to make a call that will have ended by `expires`.
pub(super) struct Admit {
    pub(super) circuit: Circuit,
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
    pub(super) circuit: Circuit,
    pub(super) ticket: Ticket,
    pub(super) reply: Reply<Result<(), NoHedge>>,
}

/// Reports how a call ended.
pub(super) struct Report {
    pub(super) circuit: Circuit,
    pub(super) ticket: Ticket,
    pub(super) outcome: Outcome,
    pub(super) reply: Option<Reply<()>>,
}

/// Drops the breaker of an origin that has not been used for longest.
pub(super) struct Forget(pub(super) Arc<OriginCircuit>);

/// What an operator can do to the breakers, all of them at once.
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
    /// Closed breakers and a fresh budget, already published. Where a state that was lost in a panic has left a breaker
    /// open or half-open, this closes it, which is a change like any other.
    pub(super) fn new(
        settings: SupervisorSettings,
        shared: Arc<Shared>,
        address: WeakAddress<Self>,
        last_generation: u64,
    ) -> Self {
        let origins = shared.origins.as_ref().map(|origins| origins.restart(last_generation));
        let mut supervisor = Self {
            breakers: Breakers::new(settings.breaker.clone(), last_generation),
            budget: Budget::new(settings.budget.clone(), shared.counters.calls(), now()),
            rng: settings.seed.map_or_else(fastrand::Rng::new, fastrand::Rng::with_seed),
            settings,
            shared,
            address,
        };
        let of_origins = origins.unwrap_or_default().into_iter().map(Circuit::of);
        for circuit in iter::once(Circuit::CLIENT).chain(of_origins) {
            let was_closed = supervisor.shared.published(&circuit).view(now).generation().is_some();
            supervisor.change(&circuit, |_| (!was_closed).then_some(Transition::Closed));
        }
        supervisor
    }

    /// Asks a breaker, then publishes, counts and logs what that changed. Does nothing with one that is forgotten.
    fn change(&mut self, circuit: &Circuit, ask: impl FnOnce(&mut Breaker) -> Option<Transition>) {
        let Some(breaker) = self.breakers.get(circuit) else { return };
        let transition = ask(breaker);
        self.shared.published(circuit).publish(breaker);
        if let Some(transition) = transition {
            self.announce(Change { origin: circuit.origin(), transition });
        }
    }

    fn announce(&self, change: Change<'_>) {
        self.shared.counters.count_transition(change.transition);
        self.settings.log.change(change);
        self.settings.on_transition.call(change);
    }

    fn report(&mut self, circuit: &Circuit, ticket: Ticket, outcome: Outcome, now: Instant) {
        self.change(circuit, |breaker| breaker.report(ticket, outcome, now));
    }

    fn decide(&mut self, failed: &Failed, now: Instant) -> Decision {
        if failed.permit.is_probe() {
            // A probe stands for one request: its failure counts at once, and a retry has to be admitted anew.
            self.report(failed.permit.circuit(), failed.permit.ticket(), failed.outcome, now);
        }
        let wait = match failed.policy.wait_after(&failed.attempt, now, &mut self.rng) {
            Ok(wait) => wait,
            Err(reason) => return self.give_up(failed, reason, now),
        };
        if self.is_open_at(failed.permit.circuit(), now + wait) {
            return self.give_up(failed, GiveUp::CircuitOpen, now);
        }
        if self.budget.withdraw(self.shared.counters.calls(), now).is_err() {
            return self.give_up(failed, GiveUp::BudgetSpent, now);
        }
        self.shared.counters.count_retry();
        Decision::Retry { wait }
    }

    /// A half-open breaker allows a number of requests, and an open one none: only a closed one allows hedges.
    fn allow_hedge(&mut self, circuit: &Circuit, ticket: Ticket, now: Instant) -> Result<(), NoHedge> {
        // A client that was opened by hand, too, is open.
        if self.shared.view(circuit, || now).generation() != Some(ticket.generation) {
            return Err(NoHedge::BreakerChanged);
        }
        let withdrawn = self.budget.withdraw(self.shared.counters.calls(), now);
        withdrawn.map_err(|Spent| NoHedge::BudgetSpent)?;
        self.shared.counters.count_hedge();
        Ok(())
    }

    fn give_up(&mut self, failed: &Failed, reason: GiveUp, now: Instant) -> Decision {
        if !failed.permit.is_probe() {
            self.report(failed.permit.circuit(), failed.permit.ticket(), failed.outcome, now);
        }
        Decision::GiveUp(reason)
    }

    /// Whether a breaker will be open at this time, or the client is opened by hand for all origins.
    fn is_open_at(&mut self, circuit: &Circuit, time: Instant) -> bool {
        self.breakers.client().is_open_at(time)
            || self.breakers.get(circuit).is_some_and(|breaker| breaker.is_open_at(time))
    }

    /// Closes the breaker of the client and those of all origins.
    fn close_all(&mut self) {
        let origins = self.shared.origins.as_ref().map(Origins::all).unwrap_or_default();
        for circuit in iter::once(Circuit::CLIENT).chain(origins.into_iter().map(Circuit::of)) {
            self.change(&circuit, Breaker::close);
        }
    }
}

impl State for Supervisor {
    const NAME: &'static str = "supervisor";

    fn last_number(&self) -> u64 {
        self.breakers.last_generation()
    }

    fn log_restart(&self) {
        self.settings.log.restarted();
    }
}

impl Handle<Admit> for Supervisor {
    fn handle(&mut self, Admit { circuit, expires, reply }: Admit) {
        let mut answer = None;
        self.change(&circuit, |breaker| {
            let (decision, transition) = breaker.admit(now(), expires);
            answer = Some(decision);
            transition
        });
        let permit = match answer {
            Some(answer) => answer.map(|ticket| Permit::issued(circuit, ticket, &self.address)),
            None => Ok(Permit::regular(circuit, 0)),
        };
        // If the caller has left, the permit is dropped here and gives its place back.
        let _ = reply.send(permit);
    }
}

impl Handle<Forget> for Supervisor {
    fn handle(&mut self, Forget(origin): Forget) {
        origin.forget();
        let forgotten = self.breakers.remove(origin.id());
        // The next call to this origin finds a closed breaker.
        if forgotten.is_some_and(|breaker| !matches!(breaker.state(), BreakerState::Closed { .. })) {
            let circuit = Circuit::of(origin);
            self.announce(Change { origin: circuit.origin(), transition: Transition::Closed });
        }
    }
}

impl Handle<Failed> for Supervisor {
    fn handle(&mut self, failed: Failed) {
        let decision = self.decide(&failed, now());
        let _ = failed.reply.send((decision, failed.permit.spent()));
    }
}

impl Handle<Hedge> for Supervisor {
    fn handle(&mut self, Hedge { circuit, ticket, reply }: Hedge) {
        let _ = reply.send(self.allow_hedge(&circuit, ticket, now()));
    }
}

impl Handle<Report> for Supervisor {
    fn handle(&mut self, Report { circuit, ticket, outcome, reply }: Report) {
        self.report(&circuit, ticket, outcome, now());
        if let Some(reply) = reply {
            let _ = reply.send(());
        }
    }
}

impl Handle<Control> for Supervisor {
    fn handle(&mut self, Control { command, reply }: Control) {
        match command {
            Command::ForceOpen => self.change(&Circuit::CLIENT, Breaker::force_open),
            Command::ForceClosed => self.close_all(),
            Command::Reset => {
                self.budget = Budget::new(self.settings.budget.clone(), self.shared.counters.calls(), now());
                self.close_all();
            }
        }
        let _ = reply.send(());
    }
}
