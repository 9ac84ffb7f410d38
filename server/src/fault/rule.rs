//! A rule of a plan as JSON.

use std::ops::RangeInclusive;
use std::time::Duration;

use resilience_actors::fault::{Action, Glob, Matcher, Per, RateLimit, Rule, Then, Window};

use super::kind::Fault;
use super::short::narrow;
use super::step;
use crate::json::{Node, Object};

/// The most steps of a script.
pub(super) const MAX_STEPS: usize = 1_000;

const MAX_NAME: usize = 200;
const MAX_PATTERN: usize = 1_024;
const MAX_CONDITIONS: usize = 100;
/// A year: longer than any test, and far from every overflow.
const MILLIS: RangeInclusive<u64> = 0..=365 * 24 * 3_600_000;

/// Reads a rule.
pub(super) fn read(node: Node<'_>) -> Option<Rule<Fault>> {
    let mut object = node.object()?;
    let name = optional(&mut object, "name", |node| node.string(MAX_NAME).map(str::to_owned));
    let matcher = optional(&mut object, "match", matcher);
    let window = optional(&mut object, "window", window);
    let times = optional(&mut object, "times", |node| node.integer(1..=crate::json::reader::MAX_INTEGER));
    let action = action(&mut object);
    object.finish();
    Some(Rule {
        name: name?,
        matcher: matcher?.unwrap_or_default(),
        action: action?,
        window: window?,
        times: times?,
    })
}

/// A field that may be missing: `Some(None)`; `None` if it is there and wrong.
pub(super) fn optional<'a, T>(
    object: &mut Object<'a>,
    name: &'static str,
    read: impl FnOnce(Node<'a>) -> Option<T>,
) -> Option<Option<T>> {
    match object.optional(name) {
        Some(node) => read(node).map(Some),
        None => Some(None),
    }
}

fn action(object: &mut Object<'_>) -> Option<Action<Fault>> {
    let kinds = ["script", "fault", "rate_limit"].map(|kind| object.has(kind));
    match kinds {
        [true, false, false] => script(object),
        [false, true, false] => fault(object),
        [false, false, true] => optional(object, "rate_limit", rate_limit)?.map(Action::RateLimit),
        _ => {
            // Named here, so that what belongs to them is not reported as unknown too.
            for name in ["script", "then", "per", "fault", "probability", "rate_limit"] {
                object.nullable(name);
            }
            object.node().invalid("should have one of script, fault and rate_limit")
        }
    }
}

fn script(object: &mut Object<'_>) -> Option<Action<Fault>> {
    const THEN: [(&str, Then); 3] = [("pass", Then::Pass), ("last", Then::Last), ("repeat", Then::Repeat)];
    let steps = object.required("script").and_then(steps);
    let then = optional(object, "then", |node| node.one_of(&THEN));
    let per = per(object);
    Some(Action::Script { per: per?, steps: steps?, then: then?.unwrap_or_default() })
}

/// Reads the steps of a script.
pub(super) fn steps(node: Node<'_>) -> Option<Vec<resilience_actors::fault::Step<Fault>>> {
    let place = node.clone();
    let steps: Vec<_> = node.list(MAX_STEPS)?.into_iter().map(step::read).collect();
    if steps.is_empty() {
        return place.invalid("should have a step");
    }
    steps.into_iter().collect()
}

fn fault(object: &mut Object<'_>) -> Option<Action<Fault>> {
    let step = object.required("fault").and_then(step::read);
    let probability = optional(object, "probability", |node| node.number(0.0..=1.0));
    let per = per(object);
    Some(Action::Fault { per: per?, step: step?, probability: probability?.unwrap_or(1.0) })
}

fn per(object: &mut Object<'_>) -> Option<Per> {
    const PER: [(&str, Per); 3] =
        [("session", Per::Session), ("key", Per::Key), ("connection", Per::Connection)];
    optional(object, "per", |node| node.one_of(&PER)).map(Option::unwrap_or_default)
}

fn rate_limit(node: Node<'_>) -> Option<RateLimit> {
    let mut object = node.object()?;
    let per_second = object.required("per_second").and_then(|node| match node.clone().number(0.0..=1e6) {
        Some(rate) if rate < 1e-6 => node.invalid("should be at least 0.000001"),
        rate => rate,
    });
    let burst = optional(&mut object, "burst", |node| node.integer(1..=1_000_000).map(narrow));
    object.finish();
    let (per_second, burst) = (per_second?, burst?);
    Some(RateLimit { per_second, burst: burst.unwrap_or_else(|| default_burst(per_second)) })
}

/// What a second brings, and one at least.
fn default_burst(per_second: f64) -> u32 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "at most a million, and positive"
    )]
    let rounded = per_second.ceil() as u32;
    rounded.max(1)
}

fn window(node: Node<'_>) -> Option<Window> {
    let mut object = node.object()?;
    let millis = |node: Node<'_>| node.integer(MILLIS).map(Duration::from_millis);
    let after = optional(&mut object, "after_ms", millis);
    let lasts = optional(&mut object, "for_ms", millis);
    object.finish();
    Some(Window { after: after?.unwrap_or_default(), lasts: lasts? })
}

fn matcher(node: Node<'_>) -> Option<Matcher> {
    let mut object = node.object()?;
    let methods = optional(&mut object, "methods", methods);
    let path = optional(&mut object, "path", glob);
    let key = optional(&mut object, "key", glob);
    let headers = optional(&mut object, "headers", |node| globs(node, str::to_ascii_lowercase));
    let query = optional(&mut object, "query", |node| globs(node, str::to_owned));
    object.finish();
    Some(Matcher {
        methods: methods?.unwrap_or_default(),
        path: path?,
        key: key?,
        headers: headers?.unwrap_or_default(),
        query: query?.unwrap_or_default(),
    })
}

fn methods(node: Node<'_>) -> Option<Vec<String>> {
    let place = node.clone();
    let methods: Vec<_> =
        node.list(MAX_CONDITIONS)?.into_iter().map(|node| node.string(MAX_NAME).map(str::to_owned)).collect();
    if methods.is_empty() {
        return place.invalid("should have a method; leave it out to match every method");
    }
    methods.into_iter().collect()
}

fn glob(node: Node<'_>) -> Option<Glob> {
    node.string(MAX_PATTERN).map(Glob::new)
}

fn globs(node: Node<'_>, name_of: impl Fn(&str) -> String) -> Option<Vec<(String, Glob)>> {
    let place = node.clone();
    let entries = node.entries()?;
    if entries.len() > MAX_CONDITIONS {
        return place.invalid(format!("should have at most {MAX_CONDITIONS} conditions"));
    }
    let read: Vec<_> =
        entries.into_iter().map(|(name, node)| glob(node).map(|glob| (name_of(name), glob))).collect();
    read.into_iter().collect()
}
