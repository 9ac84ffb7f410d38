//! The state of the failure actor: it reads the clock, asks the plan, publishes and answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use super::induced::{Decision, InducedFailure, Owner};
use super::plan::{Change, FailurePlan, FailureStatus, Reason};
use crate::address::{Reply, WeakAddress};
use crate::clock::now;
use crate::lifecycle::{Handle, State};

/// Owns one [`FailurePlan`] and publishes whether anything is armed.
pub(super) struct Failures {
    plan: FailurePlan,
    armed: Arc<AtomicBool>,
    address: WeakAddress<Self>,
    log_target: &'static str,
}

/// Changes the plan.
pub(super) struct Apply {
    pub(super) change: Change,
    pub(super) reply: Reply<FailureStatus>,
}

/// Asks whether one request must fail.
pub(super) struct Decide {
    pub(super) reply: Reply<Decision>,
}

/// Returns a failure that no client has seen.
pub(super) struct GiveBack(pub(super) Reason);

/// Asks what is armed.
pub(super) struct ReadStatus {
    pub(super) reply: Reply<FailureStatus>,
}

impl Failures {
    /// A state in which nothing is armed, already published.
    pub(super) fn new(
        armed: Arc<AtomicBool>,
        address: WeakAddress<Self>,
        log_target: &'static str,
        last_generation: u64,
    ) -> Self {
        let failures = Self { plan: FailurePlan::new(last_generation), armed, address, log_target };
        failures.publish(now());
        failures
    }

    /// Publishes whether anything is armed, before an answer is sent: a caller that has the answer must see its effect.
    fn publish(&self, now: Instant) -> FailureStatus {
        let status = self.plan.status(now);
        self.armed.store(status.failing(), Ordering::Release);
        status
    }
}

impl State for Failures {
    const NAME: &'static str = "failure";

    fn last_number(&self) -> u64 {
        self.plan.generation()
    }

    fn log_restart(&self) {
        log::error!(target: self.log_target, "Failure actor restarted after a panic; nothing is armed now");
    }
}

impl Handle<Apply> for Failures {
    /// A caller that has left changes nothing about the change.
    fn handle(&mut self, Apply { change, reply }: Apply) {
        let now = now();
        match change {
            Change::FailNext(count) => self.plan.fail_next(count),
            Change::FailFor(duration) => self.plan.fail_for(duration, now),
            Change::Reset => self.plan.reset(),
        }
        let _ = reply.send(self.publish(now));
    }
}

impl Handle<Decide> for Failures {
    fn handle(&mut self, Decide { reply }: Decide) {
        if reply.is_closed() {
            return;
        }
        let now = now();
        let decision = match self.plan.decide(now) {
            Some(reason) => Decision::Fail(InducedFailure::new(reason, Owner::Memory(self.address.clone()))),
            None => Decision::Pass,
        };
        self.publish(now);
        // A failure that cannot be delivered is dropped here, and a dropped failure gives itself back.
        let _ = reply.send(decision);
    }
}

impl Handle<GiveBack> for Failures {
    fn handle(&mut self, GiveBack(reason): GiveBack) {
        self.plan.give_back(reason);
        self.publish(now());
    }
}

impl Handle<ReadStatus> for Failures {
    fn handle(&mut self, ReadStatus { reply }: ReadStatus) {
        let _ = reply.send(self.publish(now()));
    }
}
