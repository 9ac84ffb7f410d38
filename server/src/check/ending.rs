//! What is wrong with how a run of the client ended: its exit code, its output and its requests. \[pure\]

use std::time::Duration;

use crate::cases::{Case, Exit};
use crate::journal::{Ended, Entry};
use crate::verdict::attempt::{self, Outcome};
use crate::verdict::{Finding, Journal, Policy, Severity};

use super::judge::RunSeen;
use super::process::{Captured, End};

/// What begins every answer of `/echo`.
const ECHO: &[u8] = br#"{"message_id":""#;

/// The shortest part of an answer that is recognised.
const SHORTEST_PART: usize = 20;

/// A client that promises a shorter timeout than this need not wait for a slow answer, which takes 2.2 s.
const SLOW: Duration = Duration::from_millis(2500);

/// Something that is wrong with a run.
pub(super) struct Complaint {
    pub(super) severity: Severity,
    pub(super) text: String,
}

impl Complaint {
    fn fail(text: impl Into<String>) -> Self {
        Self { severity: Severity::Fail, text: text.into() }
    }

    pub(super) fn of(finding: &Finding) -> Self {
        Self { severity: finding.severity, text: format!("{}: {}", finding.id.id(), finding.message) }
    }
}

/// What is wrong with how a run ended.
pub(super) fn complaints(case: &Case, run: &RunSeen<'_>, policy: &Policy, limit: Duration) -> Vec<Complaint> {
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
        End::Exited(code) => reported_failure(case, entries, policy, code).into_iter().collect(),
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

/// The client reported a failure, although its last request succeeded or would have succeeded within the timeout that
/// the client promises.
fn reported_failure(case: &Case, entries: &[Entry], policy: &Policy, code: i32) -> Option<Complaint> {
    let taken = entries.iter().filter(|entry| entry.ended != Ended::ClientLeft);
    let last = taken.max_by_key(|entry| (entry.at, entry.id));
    let whole = last.filter(|last| is_2xx(last) && attempt::outcome(last) == Outcome::Succeeded);
    match (case.exit, whole.and_then(|last| last.status)) {
        (Exit::MayRefuse, _) | (Exit::AsAnswered, None) => None,
        (Exit::AsAnswered | Exit::AwaitsAnswer, Some(status)) => {
            Some(Complaint::fail(format!("exit {code} although the last answer was a whole {status}")))
        }
        (Exit::AwaitsAnswer, None) if policy.timeout.is_some_and(|timeout| timeout < SLOW) => None,
        (Exit::AwaitsAnswer, None) => {
            let text = format!("exit {code} before the answer was complete, which takes about two seconds");
            Some(Complaint { severity: Severity::Warn, text })
        }
    }
}
