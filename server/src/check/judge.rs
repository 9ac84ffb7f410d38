//! What a client did in a case. \[pure\]
//!
//! Judged are its exit code, what it printed (only whether that is a part of a broken answer), whether it ended in
//! time, and the journal.

use std::time::Duration;

use serde::Serialize;

use crate::cases::{Case, Concerns, Exit};
use crate::journal::{Ended, Entry};
use crate::verdict::attempt::{self, Outcome};
use crate::verdict::{self, Finding, Journal, Policy, Severity};

use super::process::{Captured, End};

/// What begins every answer of `/echo`.
const ECHO: &[u8] = br#"{"message_id":""#;

/// The shortest part of an answer that is recognised.
const SHORTEST_PART: usize = 20;

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

/// Something that is wrong with a run.
struct Complaint {
    severity: Severity,
    text: String,
}

/// Judges the runs of a client in a case. Each may have taken `limit`.
#[must_use]
pub fn judge(case: &Case, runs: &[RunSeen<'_>], policy: &Policy, limit: Duration) -> Judged {
    let mut complaints = Vec::new();
    let mut findings: Vec<Finding> = Vec::new();
    for (number, run) in runs.iter().enumerate() {
        let mut own = ending(case, run, limit);
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

impl Complaint {
    fn fail(text: impl Into<String>) -> Self {
        Self { severity: Severity::Fail, text: text.into() }
    }

    fn of(finding: &Finding) -> Self {
        Self { severity: finding.severity, text: format!("{}: {}", finding.id.id(), finding.message) }
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

/// What is wrong with how a run ended.
fn ending(case: &Case, run: &RunSeen<'_>, limit: Duration) -> Vec<Complaint> {
    let Journal { entries, in_flight, forgotten, .. } = run.journal;
    if entries.is_empty() && in_flight.is_empty() && forgotten == 0 {
        let how = match run.end {
            End::Exited(code) => format!("exit {code}"),
            End::Signalled(signal) => format!("ended by signal {signal}"),
            End::TimedOut => format!("did not end within {limit:?}"),
        };
        let said = last_line(run.stderr).map_or_else(String::new, |line| format!(": {line}"));
        return vec![Complaint::fail(format!("sent no request; {how}{said}"))];
    }
    match run.end {
        End::TimedOut => vec![Complaint::fail(format!("did not end within {limit:?}"))],
        End::Signalled(signal) => vec![Complaint::fail(format!("was ended by signal {signal}"))],
        End::Exited(0) if !may_have_succeeded(entries) => {
            vec![Complaint::fail(format!("exit 0 although {}", what_came(entries)))]
        }
        End::Exited(0) => printed_part(entries, run.stdout).into_iter().collect(),
        End::Exited(code) => reported_failure(case, entries, code).into_iter().collect(),
    }
}

/// The last line of an output that is not empty, and not too much of it.
fn last_line(output: &Captured) -> Option<String> {
    const LENGTH: usize = 120;
    let text = String::from_utf8_lossy(&output.kept);
    let line = text.lines().rev().map(str::trim).find(|line| !line.is_empty())?;
    Some(line.chars().map(|it| if it.is_control() { ' ' } else { it }).take(LENGTH).collect())
}

/// Whether an attempt got a whole 2xx, or what the client may have taken for one: it left an answer that was on its way.
fn may_have_succeeded(entries: &[Entry]) -> bool {
    entries.iter().any(|entry| {
        let left = entry.ended == Ended::ClientLeft && attempt::outcome(entry) == Outcome::Unclear;
        is_2xx(entry) && (left || attempt::outcome(entry) == Outcome::Succeeded)
    })
}

fn is_2xx(entry: &Entry) -> bool {
    matches!(entry.status, Some(200..=299))
}

/// What came instead of a whole 2xx.
fn what_came(entries: &[Entry]) -> String {
    let last = entries.iter().max_by_key(|entry| (entry.at, entry.id));
    match last.map(|entry| (attempt::outcome(entry), entry.first_byte)) {
        Some(_) if last.is_some_and(|entry| attempt::fault_name(entry) == "garbage") => {
            "what came was not HTTP: it was taken for an answer".to_owned()
        }
        Some((Outcome::Refused(status), _)) => format!("the last answer was a {status}"),
        Some((Outcome::Broken | Outcome::Unclear, Some(_))) => {
            "the last answer was broken: a part was taken for the whole".to_owned()
        }
        _ => "no answer came".to_owned(),
    }
}

/// The client printed a part of a broken answer, and said that it succeeded.
fn printed_part(entries: &[Entry], stdout: &Captured) -> Option<Complaint> {
    let broken = |entry: &Entry| {
        entry.first_byte.is_some() && matches!(attempt::outcome(entry), Outcome::Broken | Outcome::Unclear)
    };
    let length = part_of_echo(stdout).filter(|_| entries.iter().any(broken))?;
    Some(Complaint::fail(format!(
        "exit 0, and printed the first {length} bytes of a broken answer as the answer"
    )))
}

/// How many bytes of an answer of `/echo` were printed, if they are a proper prefix of one and nothing else.
fn part_of_echo(stdout: &Captured) -> Option<usize> {
    let printed = stdout.kept.trim_ascii_end();
    let begins = printed.len() >= SHORTEST_PART && printed.starts_with(ECHO) && stdout.dropped == 0;
    let parsed = begins.then(|| serde_json::from_slice::<serde::de::IgnoredAny>(printed))?;
    parsed.is_err_and(|error| error.is_eof()).then_some(printed.len())
}

/// The client said that it failed, although its last request succeeded or would have.
fn reported_failure(case: &Case, entries: &[Entry], code: i32) -> Option<Complaint> {
    let taken = entries.iter().filter(|entry| entry.ended != Ended::ClientLeft);
    let last = taken.max_by_key(|entry| (entry.at, entry.id));
    let whole = last.filter(|last| is_2xx(last) && attempt::outcome(last) == Outcome::Succeeded);
    match (case.exit, whole.and_then(|last| last.status)) {
        (Exit::MayRefuse, _) | (Exit::AsAnswered, None) => None,
        (Exit::AsAnswered | Exit::AwaitsAnswer, Some(status)) => {
            Some(Complaint::fail(format!("exit {code} although the last answer was a whole {status}")))
        }
        (Exit::AwaitsAnswer, None) => {
            let text = format!("exit {code} before the answer was complete, which takes about two seconds");
            Some(Complaint { severity: Severity::Warn, text })
        }
    }
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
