//! A plan that goes on from where it has come to in a store, for a preview.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::decision::Caller;
use super::plan::FaultPlan;
use super::rule::Rules;
use crate::store::Answer;

/// How far a plan has come.
pub(super) struct Progress {
    pub(super) age: Duration,
    pub(super) forgotten: u64,
    pub(super) rules: Vec<RuleProgress>,
}

/// How far a rule has come.
pub(super) struct RuleProgress {
    pub(super) matched: u64,
    pub(super) injected: u64,
    /// How long until its bucket is full.
    pub(super) fills: Duration,
    /// How often it has matched for the key and for the connection that were asked for.
    pub(super) by_key: u64,
    pub(super) by_connection: u64,
}

impl Progress {
    /// Reads what `plan_status.lua` answers for so many rules.
    pub(super) fn read(answer: &Answer, rules: usize) -> Self {
        let rule = |rule: usize| {
            let number = |place| answer.number(3 + rule * 5 + place);
            RuleProgress {
                matched: number(0),
                injected: number(1),
                fills: Duration::from_micros(number(2)),
                by_key: number(3),
                by_connection: number(4),
            }
        };
        Self {
            age: Duration::from_millis(answer.number(1)),
            forgotten: answer.number(2),
            rules: (0..rules).map(rule).collect(),
        }
    }
}

/// The plan as it is for one caller; it knows the counts of no other.
pub(super) fn plan<F>(
    rules: &Arc<Rules<F>>,
    progress: &Progress,
    caller: Caller<'_>,
    now: Instant,
) -> FaultPlan<F> {
    let began = now.checked_sub(progress.age).unwrap_or(now);
    let mut plan = FaultPlan::new(Arc::clone(rules), super::groups::KeyBudget::new(usize::MAX), began);
    for (index, rule) in progress.rules.iter().enumerate() {
        plan.resume(
            index,
            [rule.matched, rule.injected],
            now + rule.fills,
            caller,
            [rule.by_key, rule.by_connection],
        );
    }
    plan
}
