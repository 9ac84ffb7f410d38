//! What a plan consists of: rules, each with what it matches, what it injects, and within which bounds. Pure data.

use std::time::Duration;

use super::{delay::Delay, matcher::Matcher, rate::RateLimit};

/// The rules of a plan and the seed of what is random in them. `F` is a fault; this crate never looks into one.
#[derive(Clone, Debug, PartialEq)]
pub struct Rules<F> {
    /// The seed, 0 to 2^53 − 1.
    pub seed: u64,
    /// The plan as it was written, for people to read back.
    pub source: Box<str>,
    /// The rules, in the order in which they are asked.
    pub rules: Vec<Rule<F>>,
}

/// One rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule<F> {
    /// A name for people.
    pub name: Option<String>,
    /// Which requests it concerns.
    pub matcher: Matcher,
    /// What it injects.
    pub action: Action<F>,
    /// When it holds, counted from the beginning of the plan.
    pub window: Option<Window>,
    /// How often it injects at most.
    pub times: Option<u64>,
}

/// What a rule injects.
#[derive(Clone, Debug, PartialEq)]
pub enum Action<F> {
    /// The n-th match of a group gets the n-th step.
    Script {
        /// What counts together.
        per: Per,
        /// The steps; at least one.
        steps: Vec<Step<F>>,
        /// What follows the last step.
        then: Then,
    },
    /// Each match gets the same step, with a probability.
    Fault {
        /// What counts together; it matters for what is drawn.
        per: Per,
        /// The step.
        step: Step<F>,
        /// The probability, 0 to 1.
        probability: f64,
    },
    /// What exceeds a rate is refused.
    RateLimit(RateLimit),
}

/// A step: how long to wait, and what to inject then. A step without either injects nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct Step<F> {
    /// How long to wait first.
    pub delay: Option<Delay>,
    /// What to inject.
    pub fault: Option<F>,
}

/// What follows the last step of a script.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Then {
    /// Nothing is injected any more.
    #[default]
    Pass,
    /// The last step, again and again.
    Last,
    /// The script from its first step.
    Repeat,
}

/// Whose matches of a rule count together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Per {
    /// All of them.
    #[default]
    Session,
    /// Those with the same idempotency key; a request without one does not match.
    Key,
    /// Those on the same connection.
    Connection,
}

/// A time in which a rule holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// When it begins, counted from the beginning of the plan.
    pub after: Duration,
    /// How long it lasts; `None` means without an end.
    pub lasts: Option<Duration>,
}

impl Window {
    /// Whether the window is open `age` after the plan began. The beginning belongs to it, the end does not.
    pub(super) fn contains(self, age: Duration) -> bool {
        age >= self.after && self.lasts.is_none_or(|lasts| age - self.after < lasts)
    }
}

impl Then {
    /// Which of `steps` steps the n-th match (from 1) gets.
    pub(super) fn step(self, n: u64, steps: usize) -> Option<usize> {
        let last = steps.checked_sub(1)?;
        match usize::try_from(n - 1) {
            Ok(position) if position <= last => Some(position),
            _ => match self {
                Self::Pass => None,
                Self::Last => Some(last),
                Self::Repeat => usize::try_from((n - 1) % steps as u64).ok(),
            },
        }
    }
}

impl<F> Action<F> {
    pub(super) fn per(&self) -> Per {
        match self {
            Self::Script { per, .. } | Self::Fault { per, .. } => *per,
            Self::RateLimit(_) => Per::Session,
        }
    }
}

impl<F> Step<F> {
    /// Whether there is anything to inject.
    #[must_use]
    pub fn injects(&self) -> bool {
        self.delay.is_some() || self.fault.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nth_match_gets_the_nth_step_and_then_what_follows() {
        let steps = |then: Then| (1..=7).map(|n| then.step(n, 3)).collect::<Vec<_>>();
        let none = [None; 4];
        let first = [Some(0), Some(1), Some(2)];
        assert_eq!(steps(Then::Pass), [&first[..], &none].concat());
        assert_eq!(steps(Then::Last), [&first[..], &[Some(2); 4]].concat());
        assert_eq!(steps(Then::Repeat), [&first[..], &first, &[Some(0)]].concat());
    }

    #[test]
    fn a_window_contains_its_beginning_and_not_its_end() {
        let seconds = Duration::from_secs;
        let bounded = Window { after: seconds(5), lasts: Some(seconds(10)) };
        let unbounded = Window { after: seconds(5), lasts: None };
        for (age, expected) in
            [(0, [false, false]), (5, [true, true]), (14, [true, true]), (15, [false, true])]
        {
            let contains = [bounded, unbounded].map(|window| window.contains(seconds(age)));
            assert_eq!(contains, expected, "{age}");
        }
    }
}
