//! A plan under way: the rules, how often each has matched, and what the next request gets. Pure: the time is passed
//! in, and what is random is a function of the seed.
//!
//! A decision is made in two steps, so that a request that is gone before it hears of it takes no step of a script:
//! [`FaultPlan::decide`] changes nothing, and [`FaultPlan::commit`] counts what was decided.

use std::sync::Arc;
use std::time::Instant;

use super::decision::{Caller, Decision, Effect};
use super::draw::{Purpose, uniform};
use super::groups::{Group, Groups, KeyBudget};
use super::rate::{Admission, Bucket};
use super::rule::{Action, Per, Rule, Rules};
use super::spoken::Spoken;

/// The rules and their positions.
#[derive(Debug)]
pub struct FaultPlan<F> {
    rules: Arc<Rules<F>>,
    began: Instant,
    positions: Vec<Position>,
    groups: Groups,
}

/// How far a rule has come.
#[derive(Clone, Copy, Debug, Default)]
struct Position {
    matched: u64,
    injected: u64,
    bucket: Bucket,
}

/// A decision, and what it counts once it is committed.
#[derive(Clone, Debug)]
pub struct Decided {
    /// The decision.
    pub decision: Decision,
    counts: Vec<Count>,
}

/// What one rule counts.
#[derive(Clone, Copy, Debug)]
struct Count {
    rule: usize,
    group: Option<Group>,
    injected: bool,
    bucket: Option<Bucket>,
}

/// How often a rule has matched and injected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RuleStatus {
    /// Requests for which the rule held.
    pub matched: u64,
    /// Those of them that it gave a fault or a delay.
    pub injected: u64,
}

/// How far a plan has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanStatus {
    /// One entry for each rule.
    pub rules: Vec<RuleStatus>,
    /// Keys that began at their first step again because there were too many of them.
    pub forgotten_keys: u64,
}

impl<F> FaultPlan<F> {
    /// A plan that begins now, with every rule at its first step.
    #[must_use]
    pub fn new(rules: Arc<Rules<F>>, budget: KeyBudget, now: Instant) -> Self {
        let positions = vec![Position::default(); rules.rules.len()];
        Self { rules, began: now, positions, groups: Groups::new(budget) }
    }

    /// The rules.
    #[must_use]
    pub fn rules(&self) -> &Arc<Rules<F>> {
        &self.rules
    }

    /// What a request gets whose matchers hold for the rules `candidates`, in ascending order.
    #[must_use]
    pub fn decide(&self, candidates: &[usize], caller: Caller<'_>, now: Instant) -> Decided {
        let mut decided = Decided::nothing();
        for &index in candidates {
            let Some(rule) = self.rules.rules.get(index) else { continue };
            let Some((n, group)) = self.match_number(index, rule, caller, now) else { continue };
            let spoken = self.ask(index, rule, n, caller, now);
            let (injected, bucket) = (spoken.injects(), spoken.bucket);
            decided.counts.push(Count { rule: index, group, injected, bucket });
            decided.decision.add(index, &spoken);
            if spoken.is_final() {
                break;
            }
        }
        decided
    }

    /// Counts a decision that has reached its request.
    pub fn commit(&mut self, decided: &Decided) {
        for count in &decided.counts {
            let position = &mut self.positions[count.rule];
            position.matched += 1;
            position.injected += u64::from(count.injected);
            position.bucket = count.bucket.unwrap_or(position.bucket);
            if let Some(group) = count.group {
                self.groups.count(count.rule, group);
            }
        }
    }

    /// What the next `requests` requests get if they all come now; changes nothing.
    #[must_use]
    pub fn preview(
        &self,
        candidates: &[usize],
        caller: Caller<'_>,
        now: Instant,
        requests: usize,
    ) -> Vec<Decision> {
        let mut copy = self.copy_for(caller);
        let next = |_| {
            let decided = copy.decide(candidates, caller, now);
            copy.commit(&decided);
            decided.decision
        };
        (0..requests).map(next).collect()
    }

    /// Puts a rule where it has come to: how often it has matched and injected, when its bucket is full, and how often it
    /// has matched for the key and for the connection of a caller.
    #[cfg(feature = "store")]
    pub(super) fn resume(
        &mut self,
        rule: usize,
        [matched, injected]: [u64; 2],
        full_at: Instant,
        caller: Caller<'_>,
        [by_key, by_connection]: [u64; 2],
    ) {
        self.positions[rule] = Position { matched, injected, bucket: Bucket::full_at(full_at) };
        let Some(Some(group)) = group_of(self.rules.rules[rule].action.per(), caller) else { return };
        let matches = if matches!(group, Group::Key(_)) { by_key } else { by_connection };
        self.groups.set(rule, group, matches);
    }

    /// How far the plan has come.
    #[must_use]
    pub fn status(&self) -> PlanStatus {
        let status =
            |position: &Position| RuleStatus { matched: position.matched, injected: position.injected };
        PlanStatus {
            rules: self.positions.iter().map(status).collect(),
            forgotten_keys: self.groups.forgotten(),
        }
    }

    /// The number of this match among those that count together, from 1; `None` if the rule does not hold now.
    fn match_number(
        &self,
        index: usize,
        rule: &Rule<F>,
        caller: Caller<'_>,
        now: Instant,
    ) -> Option<(u64, Option<Group>)> {
        let position = &self.positions[index];
        let age = now.saturating_duration_since(self.began);
        let is_open = rule.window.is_none_or(|window| window.contains(age));
        if !is_open || rule.times.is_some_and(|times| position.injected >= times) {
            return None;
        }
        match group_of(rule.action.per(), caller)? {
            None => Some((position.matched + 1, None)),
            Some(group) => Some((self.groups.matches(index, group) + 1, Some(group))),
        }
    }

    /// What a rule says to its n-th match.
    fn ask(&self, index: usize, rule: &Rule<F>, n: u64, caller: Caller<'_>, now: Instant) -> Spoken {
        let key = match rule.action.per() {
            Per::Key => caller.key.unwrap_or_default(),
            Per::Session | Per::Connection => "",
        };
        let draw = |purpose| uniform(self.rules.seed, index, key, n, purpose);
        match &rule.action {
            Action::Script { steps, then, .. } => match then.step(n, steps.len()) {
                Some(step) => Spoken { step: Some(step), ..Spoken::step(&steps[step], draw) },
                None => Spoken::default(),
            },
            Action::Fault { step, probability, .. } => {
                // A certain fault needs no number.
                let hits = *probability >= 1.0 || draw(Purpose::Fault) < *probability;
                if hits { Spoken::step(step, draw) } else { Spoken::default() }
            }
            Action::RateLimit(limit) => match limit.admit(self.positions[index].bucket, now) {
                Admission::Admitted(bucket) => Spoken { bucket: Some(bucket), ..Spoken::default() },
                Admission::Refused(retry_after) => {
                    Spoken { effect: Effect::Refuse { retry_after }, ..Spoken::default() }
                }
            },
        }
    }

    /// A copy that counts on for one caller; the counts of other keys are left behind.
    fn copy_for(&self, caller: Caller<'_>) -> Self {
        let mut groups = Groups::new(KeyBudget::new(usize::MAX));
        for (index, rule) in self.rules.rules.iter().enumerate() {
            if let Some(Some(group)) = group_of(rule.action.per(), caller) {
                groups.set(index, group, self.groups.matches(index, group));
            }
        }
        Self { rules: Arc::clone(&self.rules), began: self.began, positions: self.positions.clone(), groups }
    }
}

/// What counts together with this caller: everything (`Some(None)`) or a group; `None` if the rule cannot match.
fn group_of(per: Per, caller: Caller<'_>) -> Option<Option<Group>> {
    match per {
        Per::Session => Some(None),
        Per::Key => caller.key.map(|key| Some(Group::of_key(key))),
        Per::Connection => Some(Some(Group::Connection(caller.connection))),
    }
}

impl Decided {
    fn nothing() -> Self {
        Self { decision: Decision::PASS, counts: Vec::new() }
    }
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
