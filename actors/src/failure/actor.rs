//! The actor that owns the failure plan. Handlers read the clock, ask the plan, publish and answer.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use actix::{Actor, Addr, Context, Handler, Message};
use futures::channel::oneshot;

use super::handle::{InducedFailure, Verdict};
use super::plan::{FailurePlan, FailureStatus, Reason};
use crate::clock::now;

/// Owns one [`FailurePlan`] and publishes whether anything is armed.
pub struct FailureActor {
    plan: FailurePlan,
    armed: Arc<AtomicBool>,
    address: Weak<Addr<Self>>,
}

/// Changes to the plan.
pub(super) enum Change {
    FailNext(u32),
    FailFor(Duration),
    Reset,
}

#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Apply {
    pub(super) change: Change,
    pub(super) done: oneshot::Sender<FailureStatus>,
}

#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Decide {
    pub(super) reply: oneshot::Sender<Verdict>,
}

#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct GiveBack(pub(super) Reason);

#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct ReadStatus {
    pub(super) reply: oneshot::Sender<FailureStatus>,
}

impl FailureActor {
    pub(super) fn new(armed: Arc<AtomicBool>, address: Weak<Addr<Self>>) -> Self {
        Self { plan: FailurePlan::default(), armed, address }
    }

    /// Always before an answer goes out: whoever has seen the answer must see what it announced.
    fn publish(&self, now: Instant) -> FailureStatus {
        let status = self.plan.status(now);
        self.armed.store(status.failing(), Ordering::Release);
        status
    }
}

impl Actor for FailureActor {
    type Context = Context<Self>;
}

impl Handler<Apply> for FailureActor {
    type Result = ();

    fn handle(&mut self, Apply { change, done }: Apply, _: &mut Self::Context) {
        let now = now();
        match change {
            Change::FailNext(count) => self.plan.fail_next(count),
            Change::FailFor(duration) => self.plan.fail_for(duration, now),
            Change::Reset => self.plan.reset(),
        }
        // Whoever asked may be gone; the change holds all the same.
        let _ = done.send(self.publish(now));
    }
}

impl Handler<Decide> for FailureActor {
    type Result = ();

    fn handle(&mut self, Decide { reply }: Decide, _: &mut Self::Context) {
        if reply.is_canceled() {
            return;
        }
        let now = now();
        let verdict = match self.plan.decide(now) {
            Some(reason) => Verdict::Fail(InducedFailure::new(reason, self.address.clone())),
            None => Verdict::Pass,
        };
        self.publish(now);
        // A verdict that cannot be delivered is dropped here, and a dropped failure gives itself back.
        let _ = reply.send(verdict);
    }
}

impl Handler<GiveBack> for FailureActor {
    type Result = ();

    fn handle(&mut self, GiveBack(reason): GiveBack, _: &mut Self::Context) {
        self.plan.give_back(reason);
        self.publish(now());
    }
}

impl Handler<ReadStatus> for FailureActor {
    type Result = ();

    fn handle(&mut self, ReadStatus { reply }: ReadStatus, _: &mut Self::Context) {
        let _ = reply.send(self.publish(now()));
    }
}
