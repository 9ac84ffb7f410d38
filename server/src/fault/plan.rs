//! A plan as JSON, and the one-line script.

use resilience_actors::fault::{Action, Matcher, Per, Rule, Rules, Step, Then};
use serde_json::Value;

use super::kind::Fault;
use super::rule::{self, MAX_STEPS};
use super::short;
use crate::body::PLAN;
use crate::json::reader::MAX_INTEGER;
use crate::json::{Node, Place, Problem, Problems};

/// The most rules of a plan.
const MAX_RULES: usize = 100;

/// The rules of a plan, without the seed if it has none of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct FaultRules {
    /// The seed of the plan.
    pub seed: Option<u64>,
    /// The rules.
    pub rules: Vec<Rule<Fault>>,
}

impl FaultRules {
    /// The rules with a seed (their own, else `seed`) and the text that they were read from.
    #[must_use]
    pub fn into_rules(self, seed: u64, source: String) -> Rules<Fault> {
        Rules { seed: self.seed.unwrap_or(seed), source: source.into(), rules: self.rules }
    }
}

/// Reads a plan of at most [`PLAN`] bytes, and returns it with its text.
#[must_use]
pub fn read_plan(node: Node<'_>) -> Option<(FaultRules, String)> {
    let source = node.value().to_string();
    if source.len() > PLAN {
        return node.invalid(format!("A plan should have at most {PLAN} bytes, not {}", source.len()));
    }
    read_rules(node).map(|rules| (rules, source))
}

/// Reads a plan of any size.
pub(super) fn read_rules(node: Node<'_>) -> Option<FaultRules> {
    let mut object = node.object()?;
    let seed = rule::optional(&mut object, "seed", |node| node.integer(0..=MAX_INTEGER));
    let rules = object.required("rules").and_then(|node| {
        let rules: Vec<_> = node.list(MAX_RULES)?.into_iter().map(rule::read).collect();
        rules.into_iter().collect()
    });
    object.finish();
    Some(FaultRules { seed: seed?, rules: rules? })
}

/// Reads a comma-separated script of short forms, which concerns every path and is played once.
///
/// # Errors
/// Everything that is wrong with it, at `["path", "script", i]`.
pub fn read_script(text: &str) -> Result<FaultRules, Vec<Problem>> {
    let texts: Vec<Value> = text.split(',').map(|step| Value::from(step.trim())).collect();
    let steps = Value::Array(texts);
    let place = ["path", "script"].map(|name| Place::Name(name.to_owned()));
    let steps = Problems::read_value(&steps, place.to_vec(), |node| {
        let steps: Vec<Option<Step<Fault>>> =
            node.list(MAX_STEPS)?.into_iter().map(|node| short_form(&node)).collect();
        steps.into_iter().collect()
    })?;
    let action = Action::Script { per: Per::Session, steps, then: Then::Pass };
    let rule = Rule { name: None, matcher: Matcher::default(), action, window: None, times: None };
    Ok(FaultRules { seed: None, rules: vec![rule] })
}

fn short_form(node: &Node<'_>) -> Option<Step<Fault>> {
    match short::read(node.value().as_str().unwrap_or_default()) {
        Ok(step) => Some(step),
        Err(why) => node.invalid(why),
    }
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
