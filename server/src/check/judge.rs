//! What a client did in a case. \[pure\]
//!
//! Judged are its exit code, what it printed (only whether that is a part of a broken answer), whether it ended in
//! time, and the journal.

use std::time::Duration;

use serde::Serialize;

use crate::cases::{Case, Concerns};
use crate::journal::Ended;
use crate::verdict::{self, Finding, Journal, Policy, Severity};

use super::ending::{self, Complaint};
use super::process::{Captured, End};

/// One run of the client, as it is judged.
#[derive(Debug, Clone, Copy)]
pub struct RunSeen<'a> {
    /// How it ended.
    pub end: End,
    /// How long it took.
    pub took: Duration,
    /// What it printed.
    pub stdout: &'a Captured,
    /// What it printed on standard error.
    pub stderr: &'a Captured,
    /// What the server saw of it.
    pub journal: Journal<'a>,
}

/// The judgement of a case.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Judged {
    /// The name of the case.
    pub case: &'static str,
    /// The result.
    pub result: CaseResult,
    /// The reason, in one line.
    pub why: String,
    /// The exit code; of several runs the first that is not 0. `None` if a signal or the end of its time ended a run,
    /// or if there was no run.
    pub exit: Option<i32>,
    /// How long the longest run took.
    pub seconds: f64,
    /// What the journal shows.
    pub findings: Vec<Finding>,
}

/// The result of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CaseResult {
    /// The client did nothing wrong.
    Pass,
    /// It did something that is harmful under load or in bad luck.
    Warn,
    /// It did something wrong.
    Fail,
    /// The case does not concern it.
    NotApplicable,
}

/// Judges the runs of a client in a case. Each may have taken `limit`.
#[must_use]
pub fn judge(case: &Case, runs: &[RunSeen<'_>], policy: &Policy, limit: Duration) -> Judged {
    let mut complaints = Vec::new();
    let mut findings: Vec<Finding> = Vec::new();
    for (number, run) in runs.iter().enumerate() {
        let mut own = ending::complaints(case, run, policy, limit);
        let found = verdict::verdict(&run.journal, policy).findings;
        own.extend(found.iter().map(Complaint::of));
        if runs.len() > 1 {
            own.iter_mut()
                .for_each(|complaint| complaint.text.insert_str(0, &format!("run {}: ", number + 1)));
        }
        complaints.extend(own);
        let known = |finding: &Finding| findings.iter().any(|known| known.id == finding.id);
        let new: Vec<Finding> = found.into_iter().filter(|finding| !known(finding)).collect();
        findings.extend(new);
    }
    if runs.len() > 1 {
        let journals: Vec<Journal<'_>> = runs.iter().map(|run| run.journal).collect();
        let across = verdict::across(&journals, policy);
        complaints.extend(across.iter().map(Complaint::of));
        findings.extend(across);
    }
    let (result, why) = match missed(case, runs) {
        Some(why) => (CaseResult::NotApplicable, why),
        None => result(complaints, runs),
    };
    let longest = runs.iter().map(|run| run.took).max().unwrap_or_default();
    Judged { case: case.name, result, why, exit: exit(runs), seconds: seconds(longest), findings }
}

impl Judged {
    /// The judgement of a case that does not concern the client.
    #[must_use]
    pub fn not_applicable(case: &Case, why: &str) -> Self {
        let (result, why) = (CaseResult::NotApplicable, why.to_owned());
        Self { case: case.name, result, why, exit: None, seconds: 0.0, findings: Vec::new() }
    }
}

impl CaseResult {
    /// The result in words.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Warn => "warn",
            Self::Fail => "fail",
            Self::NotApplicable => "not applicable",
        }
    }
}

/// The result of the runs and its reason: the worst complaint, or what was seen.
fn result(mut complaints: Vec<Complaint>, runs: &[RunSeen<'_>]) -> (CaseResult, String) {
    // The sort is stable: of equally bad complaints, the first is named.
    complaints.sort_by_key(|complaint| std::cmp::Reverse(complaint.severity));
    let worst = complaints.first().map(|complaint| complaint.severity);
    let result = match worst {
        Some(Severity::Fail) => CaseResult::Fail,
        Some(Severity::Warn) => CaseResult::Warn,
        Some(Severity::Note) | None => CaseResult::Pass,
    };
    let more = complaints.iter().filter(|complaint| Some(complaint.severity) == worst).count();
    let why = match complaints.into_iter().next() {
        Some(Complaint { severity: Severity::Note, text }) => format!("{}; note: {text}", summary(runs)),
        Some(Complaint { text, .. }) if more > 1 => format!("{text} (and {} more)", more - 1),
        Some(Complaint { text, .. }) => text,
        None => summary(runs),
    };
    (result, why)
}

/// What was seen, where nothing is wrong with it.
fn summary(runs: &[RunSeen<'_>]) -> String {
    let requests: usize = runs.iter().map(|run| run.journal.entries.len()).sum();
    let requests = format!("{requests} request{}", if requests == 1 { "" } else { "s" });
    match runs {
        [RunSeen { end: End::Exited(code), .. }] => format!("{requests}, exit {code}"),
        runs => {
            let succeeded = runs.iter().filter(|run| run.end == End::Exited(0)).count();
            format!("{requests}, exit 0 in {succeeded} of {} runs", runs.len())
        }
    }
}

/// Why a case does not concern a client that was run in it.
fn missed(case: &Case, runs: &[RunSeen<'_>]) -> Option<String> {
    let came_back = |run: &RunSeen<'_>| run.journal.entries.iter().any(|entry| entry.ended == Ended::Stale);
    let ended = |run: &RunSeen<'_>| matches!(run.end, End::Exited(_)) && !run.journal.entries.is_empty();
    let missed = case.concerns == Concerns::Reusing && runs.iter().all(ended) && !runs.iter().any(came_back);
    missed.then(|| "the client did not come back on the connection that had gone stale".to_owned())
}

fn exit(runs: &[RunSeen<'_>]) -> Option<i32> {
    let codes = runs.iter().map(|run| match run.end {
        End::Exited(code) => Some(code),
        End::Signalled(_) | End::TimedOut => None,
    });
    let codes: Vec<i32> = codes.collect::<Option<_>>()?;
    codes.iter().copied().find(|code| *code != 0).or_else(|| codes.first().copied())
}

/// Seconds, to the hundredth.
fn seconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 100.0).round() / 100.0
}

#[cfg(test)]
#[path = "judge_tests.rs"]
mod tests;
