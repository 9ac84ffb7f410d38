//! The state of the fault actor: it reads the clock, asks the plan and answers.

use std::sync::Arc;

use super::decision::{Caller, Decision};
use super::groups::KeyBudget;
use super::plan::{FaultPlan, PlanStatus};
use super::published::Published;
use super::rule::Rules;
use crate::address::Reply;
use crate::clock::now;
use crate::lifecycle::{Handle, State};

/// A fault as the actor keeps it: it is shared between threads, and never looked into.
pub trait Fault: Send + Sync + 'static {}

impl<F: Send + Sync + 'static> Fault for F {}

/// Owns the plan of one session and publishes its rules.
pub(super) struct Faults<F: Fault> {
    plan: Option<FaultPlan<F>>,
    published: Arc<Published<F>>,
    budget: KeyBudget,
    /// Numbers the plans.
    plans: u64,
    log_target: &'static str,
}

/// Replaces the plan; `None` ends it.
pub(super) struct Replace<F> {
    pub(super) rules: Option<Arc<Rules<F>>>,
    pub(super) reply: Reply<()>,
}

/// Asks what a request gets whose matchers hold for some rules of a plan.
pub(super) struct Decide {
    pub(super) question: Question,
    /// The answer is `None` when the plan is not that one any more.
    pub(super) reply: Reply<Option<Decision>>,
}

/// Asks what the next requests get.
pub(super) struct Preview {
    pub(super) question: Question,
    pub(super) requests: usize,
    /// As in [`Decide`].
    pub(super) reply: Reply<Option<Vec<Decision>>>,
}

/// A request, as far as it matters to the plan.
pub(super) struct Question {
    /// The number of the plan.
    pub(super) plan: u64,
    pub(super) candidates: Vec<usize>,
    pub(super) key: Option<Box<str>>,
    pub(super) connection: u64,
}

/// Asks how far the plan has come.
pub(super) struct ReadReport<F> {
    pub(super) reply: Reply<Option<PlanReport<F>>>,
}

/// A plan and how far it has come.
#[derive(Debug)]
pub struct PlanReport<F> {
    /// The rules.
    pub rules: Arc<Rules<F>>,
    /// How far each of them has come.
    pub status: PlanStatus,
}

impl<F: Fault> Faults<F> {
    /// A state without a plan, already published.
    pub(super) fn new(
        published: Arc<Published<F>>,
        budget: KeyBudget,
        log_target: &'static str,
        last_plan: u64,
    ) -> Self {
        published.withdraw();
        Self { plan: None, published, budget, plans: last_plan, log_target }
    }

    fn plan_of(&self, question: &Question) -> Option<&FaultPlan<F>> {
        self.plan.as_ref().filter(|_| question.plan == self.plans)
    }
}

impl Question {
    fn caller(&self) -> Caller<'_> {
        Caller { key: self.key.as_deref(), connection: self.connection }
    }
}

impl<F: Fault> State for Faults<F> {
    const NAME: &'static str = "fault";

    fn last_number(&self) -> u64 {
        self.plans
    }

    fn log_restart(&self) {
        log::error!(target: self.log_target, "Fault actor restarted after a panic; there is no plan now");
    }
}

impl<F: Fault> Handle<Replace<F>> for Faults<F> {
    fn handle(&mut self, Replace { rules, reply }: Replace<F>) {
        self.plans += 1;
        self.plan = rules.map(|rules| FaultPlan::new(rules, self.budget.clone(), now()));
        // Before the answer is sent: who has the answer must see its effect.
        match &self.plan {
            Some(plan) => self.published.publish(self.plans, plan.rules()),
            None => self.published.withdraw(),
        }
        let _ = reply.send(());
    }
}

impl<F: Fault> Handle<Decide> for Faults<F> {
    fn handle(&mut self, Decide { question, reply }: Decide) {
        if reply.is_closed() {
            return;
        }
        let decided =
            self.plan_of(&question).map(|plan| plan.decide(&question.candidates, question.caller(), now()));
        let decision = decided.as_ref().map(|decided| decided.decision);
        // A request that has left meanwhile takes no step.
        if reply.send(decision).is_ok()
            && let (Some(plan), Some(decided)) = (&mut self.plan, decided)
        {
            plan.commit(&decided);
        }
    }
}

impl<F: Fault> Handle<Preview> for Faults<F> {
    fn handle(&mut self, Preview { question, requests, reply }: Preview) {
        let preview =
            |plan: &FaultPlan<F>| plan.preview(&question.candidates, question.caller(), now(), requests);
        let _ = reply.send(self.plan_of(&question).map(preview));
    }
}

impl<F: Fault> Handle<ReadReport<F>> for Faults<F> {
    fn handle(&mut self, ReadReport { reply }: ReadReport<F>) {
        let report =
            |plan: &FaultPlan<F>| PlanReport { rules: Arc::clone(plan.rules()), status: plan.status() };
        let _ = reply.send(self.plan.as_ref().map(report));
    }
}
