//! What a session is to be created with, as JSON.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use crate::cases::{CASES, Case, HANG};
use crate::fault::{FaultRules, read_plan};
use crate::json::{Node, Object};
use crate::session::settings::{MAX_SEED, random_seed};
use crate::session::{SessionSettings, id};
use crate::verdict::Grouping;

/// What a session is to be created with.
pub(super) struct Asked {
    id: Option<String>,
    ttl: Option<Duration>,
    seed: Option<u64>,
    plan: Option<(FaultRules, String)>,
    grouping: Option<Grouping>,
    max_concurrency: Option<usize>,
    request_timeout: Option<Duration>,
    cache_max_size: Option<NonZeroUsize>,
    cache_ttl: Option<Duration>,
}

impl Asked {
    /// What is created without a body.
    pub(super) fn nothing() -> Self {
        Self {
            id: None,
            ttl: None,
            seed: None,
            plan: None,
            grouping: None,
            max_concurrency: None,
            request_timeout: None,
            cache_max_size: None,
            cache_ttl: None,
        }
    }

    /// Reads what is asked for. The ranges are those of the settings.
    pub(super) fn read(node: Node<'_>) -> Option<Self> {
        let mut object = node.object()?;
        let id = field(&mut object, "id", |node| id(&node));
        let ttl = field(&mut object, "ttl_seconds", |node| seconds(node, 1..=86_400));
        let seed = field(&mut object, "seed", |node| node.integer(0..=MAX_SEED));
        let plan = field(&mut object, "faults", read_plan);
        let case = field(&mut object, "case", case);
        // The number of calls, of which one alone has a meaning.
        let grouping = field(&mut object, "calls", |node| node.integer(1..=1).map(|_| Grouping::OneCall));
        let max_concurrency = field(&mut object, "max_concurrency", |node| count(node, 1..=100_000));
        let request_timeout = field(&mut object, "request_timeout", |node| seconds(node, 1..=300));
        let cache_max_size =
            field(&mut object, "cache_max_size", |node| NonZeroUsize::new(count(node, 1..=1_000_000)?));
        let cache_ttl = field(&mut object, "cache_ttl_seconds", |node| seconds(node, 1..=86_400));
        let is_one = if object.has("faults") && object.has("case") {
            object.node().invalid("should have faults or case, not both")
        } else {
            Some(())
        };
        object.finish();
        is_one?;
        let (plan, case) = (plan?, case?);
        Some(Self {
            id: id?,
            ttl: ttl?,
            seed: seed?,
            plan: case.map(|case| case.rules(HANG)).or(plan),
            grouping: case.map(Case::grouping).or(grouping?),
            max_concurrency: max_concurrency?,
            request_timeout: request_timeout?,
            cache_max_size: cache_max_size?,
            cache_ttl: cache_ttl?,
        })
    }

    /// The id, the time to live and the settings of the session; what was not asked for is as in `defaults`.
    pub(super) fn with(
        self,
        defaults: &SessionSettings,
        ttl: Duration,
    ) -> (String, Duration, SessionSettings) {
        let seed = self.seed.unwrap_or_else(random_seed);
        let plan = self.plan.map(|(rules, source)| Arc::new(rules.into_rules(seed, source)));
        let settings = SessionSettings {
            max_concurrency: self.max_concurrency.unwrap_or(defaults.max_concurrency),
            request_timeout: self.request_timeout.unwrap_or(defaults.request_timeout),
            cache_max_size: self.cache_max_size.unwrap_or(defaults.cache_max_size),
            cache_ttl: self.cache_ttl.unwrap_or(defaults.cache_ttl),
            seed,
            plan,
            grouping: self.grouping.unwrap_or(defaults.grouping),
            key_budget: defaults.key_budget.clone(),
            journal: defaults.journal.clone(),
        };
        (self.id.unwrap_or_else(id::generate), self.ttl.unwrap_or(ttl), settings)
    }
}

/// A field that may be missing: `Some(None)`; `None` if it is there and wrong.
fn field<'a, T>(
    object: &mut Object<'a>,
    name: &'static str,
    read: impl FnOnce(Node<'a>) -> Option<T>,
) -> Option<Option<T>> {
    match object.optional(name) {
        Some(node) => read(node).map(Some),
        None => Some(None),
    }
}

fn id(node: &Node<'_>) -> Option<String> {
    let text = node.clone().string(id::MAX_LENGTH)?;
    if id::is_valid(text) {
        return Some(text.to_owned());
    }
    node.mismatch(id::PATTERN)
}

fn case(node: Node<'_>) -> Option<&'static Case> {
    node.one_of(&CASES.each_ref().map(|case| (case.name, case)))
}

fn seconds(node: Node<'_>, range: std::ops::RangeInclusive<u64>) -> Option<Duration> {
    node.integer(range).map(Duration::from_secs)
}

fn count(node: Node<'_>, range: std::ops::RangeInclusive<u64>) -> Option<usize> {
    usize::try_from(node.integer(range)?).ok()
}
