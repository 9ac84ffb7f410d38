//! What a plan decides about one request. Pure data.

use std::time::Duration;

#[cfg(doc)]
use super::delay::MAX_DELAY;
use super::rule::{Action, Rules};

/// Who asks, as far as the count of a rule depends on it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Caller<'a> {
    /// The idempotency key of the request.
    pub key: Option<&'a str>,
    /// The number of the connection.
    pub connection: u64,
}

/// What a request gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// How long it waits first: the delays of all rules, at most [`MAX_DELAY`].
    pub delay: Duration,
    /// Which rule spoke: the one that injects a fault, else the first that delays.
    pub source: Option<Source>,
    /// What happens then.
    pub effect: Effect,
}

/// The origin of a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source {
    /// The rule, from 0.
    pub rule: usize,
    /// The step of its script, from 0.
    pub step: Option<usize>,
}

/// What happens to a request once it has waited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Nothing is injected.
    Pass,
    /// The fault of the decision's source; see [`Rules::fault`].
    Inject,
    /// It exceeds a rate limit.
    Refuse {
        /// When a request would be admitted again.
        retry_after: Duration,
    },
}

impl<F> Rules<F> {
    /// The fault that a decision injects.
    #[must_use]
    pub fn fault(&self, decision: &Decision) -> Option<&F> {
        let source = decision.source.filter(|_| decision.effect == Effect::Inject)?;
        match (&self.rules.get(source.rule)?.action, source.step) {
            (Action::Script { steps, .. }, Some(step)) => steps.get(step)?.fault.as_ref(),
            (Action::Fault { step, .. }, None) => step.fault.as_ref(),
            _ => None,
        }
    }
}

impl Decision {
    /// Nothing is injected, and nothing delayed.
    pub const PASS: Self = Self { delay: Duration::ZERO, source: None, effect: Effect::Pass };
}
