//! What every thread reads of a plan without a message: its rules, and whether it has ended.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::watch;

use super::rule::Rules;

/// The rules in force. The actor alone writes here.
pub(super) struct Published<F> {
    arming: Arming,
    armed: AtomicBool,
    current: watch::Sender<Option<Current<F>>>,
}

/// When a request has to ask whether there is a rule for it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Arming {
    /// While there is a plan with a rule.
    WithPlan,
    /// Always: what is known of a plan in a store is known for a time only.
    #[cfg(feature = "store")]
    Always,
}

/// The rules of one plan.
pub(super) struct Current<F> {
    /// The number of the plan.
    pub(super) plan: u64,
    pub(super) rules: Arc<Rules<F>>,
}

/// Learns when a plan ends.
pub(super) type Watch<F> = watch::Receiver<Option<Current<F>>>;

impl<F> Published<F> {
    pub(super) fn new(arming: Arming) -> Self {
        Self { arming, armed: AtomicBool::new(arming != Arming::WithPlan), current: watch::Sender::new(None) }
    }

    /// Whether there is a plan with a rule. The first question of every request, and the only one without a plan.
    pub(super) fn is_armed(&self) -> bool {
        self.armed.load(Ordering::Acquire)
    }

    /// The rules in force.
    pub(super) fn current(&self) -> Option<Current<F>> {
        self.current.borrow().clone()
    }

    pub(super) fn watch(&self) -> Watch<F> {
        self.current.subscribe()
    }

    pub(super) fn publish(&self, plan: u64, rules: &Arc<Rules<F>>) {
        self.current.send_replace(Some(Current { plan, rules: Arc::clone(rules) }));
        self.arm(!rules.rules.is_empty());
    }

    fn arm(&self, has_rule: bool) {
        self.armed.store(has_rule || self.arming != Arming::WithPlan, Ordering::Release);
    }

    pub(super) fn withdraw(&self) {
        self.arm(false);
        self.current.send_replace(None);
    }
}

impl<F> Clone for Current<F> {
    fn clone(&self) -> Self {
        Self { plan: self.plan, rules: Arc::clone(&self.rules) }
    }
}
