//! From a journal and a policy to a verdict.

use std::collections::HashSet;
use std::time::{Duration, SystemTime};

use serde::Serialize;
use utoipa::ToSchema;

use crate::journal::Entry;

use super::call::{Basis, Call};
use super::figures;
use super::findings::{self, Finding, Severity};
use super::grouping::{self, Grouping};
use super::policy::Policy;

/// The journal of a session, as it is judged.
#[derive(Debug, Clone, Copy)]
pub struct Journal<'a> {
    /// The requests that have ended.
    pub entries: &'a [Entry],
    /// The requests in flight.
    pub in_flight: &'a [Entry],
    /// How many requests the journal has forgotten.
    pub forgotten: u64,
    /// What the session says of its calls.
    pub grouping: Grouping,
    /// When the session began.
    pub began: SystemTime,
}

/// What the client did.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Verdict {
    /// The verdict in a word.
    pub verdict: Overall,
    /// How many requests were judged.
    pub requests: usize,
    /// The calls.
    pub calls: Vec<JudgedCall>,
    /// How many attempts were made for a call, on average.
    pub amplification: f64,
    /// The most requests that were in flight at once.
    pub peak_concurrent: usize,
    /// How many connections were used.
    pub connections: usize,
    /// How many requests the journal has forgotten.
    pub forgotten: u64,
    /// Whether findings that need the beginning of a call were left out.
    pub incomplete: bool,
    /// The ids of the requests in flight.
    pub in_flight: Vec<u64>,
    /// What the client did wrong.
    pub findings: Vec<Finding>,
}

/// A verdict in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Overall {
    /// Nothing, or notes alone.
    Pass,
    /// A finding of severity `warn`, and none of severity `fail`.
    Warn,
    /// A finding of severity `fail`.
    Fail,
}

/// A call, as the verdict shows it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct JudgedCall {
    /// The key.
    #[schema(required = true)]
    pub key: Option<String>,
    /// Whether its requests were put together because they are alike.
    pub guess: bool,
    /// The `seq` of the first request of each attempt.
    pub attempts: Vec<u64>,
    /// The waits between them, in milliseconds.
    pub waits_ms: Vec<f64>,
    /// How it ended.
    pub outcome: CallOutcome,
}

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum CallOutcome {
    /// An attempt got a whole answer with a status below 400.
    Succeeded,
    /// None did.
    Failed,
    /// None has, and a request is in flight.
    Open,
}

/// Judges a journal against a policy.
#[must_use]
pub fn verdict(journal: &Journal<'_>, policy: &Policy) -> Verdict {
    let calls = grouping::calls(journal, policy);
    let findings = findings::find(journal, &calls, policy);
    let worst = findings.iter().map(|finding| finding.severity).max();
    let open = Open::of(journal, policy);
    let judged: Vec<JudgedCall> = calls.iter().map(|call| open.judged(call)).collect();
    let attempts = judged.iter().map(|call| call.attempts.len()).sum();
    Verdict {
        verdict: worst.map_or(Overall::Pass, Severity::overall),
        requests: journal.entries.len(),
        amplification: figures::ratio(attempts, judged.len()),
        calls: judged,
        peak_concurrent: figures::peak_concurrent(journal.entries),
        connections: figures::connections(journal.entries),
        forgotten: journal.forgotten,
        incomplete: journal.forgotten > 0,
        in_flight: journal.in_flight.iter().map(|entry| entry.id).collect(),
        findings,
    }
}

impl Verdict {
    /// Puts a prefix before the links, for a server whose own routes are under one.
    pub fn link_below(&mut self, prefix: &str) {
        for finding in &mut self.findings {
            finding.link.insert_str(0, prefix);
        }
    }
}

/// What the requests in flight may belong to.
struct Open<'a> {
    any: bool,
    grouping: Grouping,
    marks: HashSet<&'a [u8]>,
    keys: HashSet<&'a str>,
    targets: HashSet<(&'a str, &'a str, &'a str)>,
}

impl<'a> Open<'a> {
    fn of(journal: &Journal<'a>, policy: &Policy) -> Self {
        let entries = journal.in_flight.iter();
        Self {
            any: !journal.in_flight.is_empty(),
            grouping: journal.grouping,
            marks: entries.clone().filter_map(|entry| entry.header("x-test-call")).collect(),
            keys: entries.clone().filter_map(|entry| policy.key(entry)).collect(),
            targets: entries.map(|entry| (entry.method(), entry.path(), entry.query())).collect(),
        }
    }

    fn contains(&self, call: &Call<'_>) -> bool {
        let marked =
            |entry: &&Entry| entry.header("x-test-call").is_some_and(|mark| self.marks.contains(mark));
        let alike = |entry: &&Entry| self.targets.contains(&(entry.method(), entry.path(), entry.query()));
        let first = call.entries.first();
        self.any
            && match call.basis {
                Basis::Marked => self.grouping == Grouping::OneCall || first.is_some_and(marked),
                Basis::Key => call.key.is_some_and(|key| self.keys.contains(key)),
                Basis::Guess | Basis::Unclear => first.is_some_and(alike),
            }
    }

    fn judged(&self, call: &Call<'_>) -> JudgedCall {
        let attempts = call.attempts();
        let waits = attempts.windows(2).map(|pair| pair[1].begin().saturating_sub(pair[0].end()));
        let outcome = match call.succeeded() {
            true => CallOutcome::Succeeded,
            false if self.contains(call) => CallOutcome::Open,
            false => CallOutcome::Failed,
        };
        JudgedCall {
            key: call.key.map(str::to_owned),
            guess: matches!(call.basis, Basis::Guess | Basis::Unclear),
            waits_ms: waits.map(in_ms).collect(),
            attempts: attempts.iter().map(|attempt| attempt.first().seq).collect(),
            outcome,
        }
    }
}

/// Milliseconds, to the microsecond.
fn in_ms(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}
