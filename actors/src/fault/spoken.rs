//! What one rule gives to one request, and how a decision is put together from it. Pure.

use std::time::Duration;

use super::decision::{Decision, Effect, Source};
use super::delay::{Delay, MAX_DELAY};
use super::draw::Purpose;
use super::rate::Bucket;
use super::rule::Step;

/// What one rule gives to one request.
pub(super) struct Spoken {
    pub(super) delay: Option<Duration>,
    pub(super) effect: Effect,
    pub(super) step: Option<usize>,
    pub(super) bucket: Option<Bucket>,
}

impl Default for Spoken {
    fn default() -> Self {
        Self { delay: None, effect: Effect::Pass, step: None, bucket: None }
    }
}

impl Spoken {
    pub(super) fn step<F>(step: &Step<F>, draw: impl Fn(Purpose) -> f64) -> Self {
        let sample = |delay: Delay| delay.sample(if delay.is_random() { draw(Purpose::Delay) } else { 0.0 });
        let effect = if step.fault.is_some() { Effect::Inject } else { Effect::Pass };
        Self { delay: step.delay.map(sample), effect, ..Self::default() }
    }

    /// Whether there is a delay or a fault.
    pub(super) fn injects(&self) -> bool {
        self.delay.is_some() || self.effect != Effect::Pass
    }

    /// Whether no other rule is asked.
    pub(super) fn is_final(&self) -> bool {
        self.effect != Effect::Pass
    }
}

impl Decision {
    /// Adds what the next rule gives.
    pub(super) fn add(&mut self, rule: usize, spoken: &Spoken) {
        self.delay = (self.delay + spoken.delay.unwrap_or_default()).min(MAX_DELAY);
        if spoken.injects() && (self.source.is_none() || spoken.is_final()) {
            self.source = Some(Source { rule, step: spoken.step });
        }
        if spoken.is_final() {
            self.effect = spoken.effect;
        }
    }
}
