//! Makes journals by hand.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use test_server::journal::{Body, Ended, Entry, Execution, FaultSource, InjectedFault, Reuse};
use test_server::verdict::{Grouping, Journal, Policy, Severity, Verdict, verdict};

/// When every session of these tests began.
pub(crate) fn began() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000)
}

pub(crate) fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// A request that got this status after 1 ms, on a connection of its own.
pub(crate) fn request(
    at: Duration,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    status: u16,
) -> Entry {
    let id = u64::try_from(at.as_micros()).expect("a short time");
    let all = headers.iter().map(|(name, value)| (*name, value.as_bytes()));
    let mut entry = Entry::begun(id, at, &mut Vec::new(), [method, path, ""], all);
    let key = ["idempotency-key", "x-request-id"]
        .iter()
        .find_map(|name| headers.iter().find(|(found, _)| found == name).map(|(_, value)| *value));
    entry.key = key.map(Into::into);
    entry.duration = ms(1);
    entry.first_byte = Some(ms(1));
    entry.connection = id + 1_000_000_000;
    entry.status = Some(status);
    entry.ended = Ended::Answered;
    entry.reuse = Reuse::Closed;
    entry.body = Some(Body { bytes: 0, sha256: [0; 32] });
    entry.execution = if status == 200 { Execution::Executed } else { Execution::None };
    entry
}

/// The same with another end.
pub(crate) fn faulty(mut entry: Entry, short: &str, ended: Ended) -> Entry {
    entry.fault = Some(InjectedFault { by: FaultSource::Header, short: short.into() }.into());
    entry.ended = ended;
    if ended == Ended::Broken || ended == Ended::ClientLeft {
        entry.status = None;
        entry.first_byte = None;
    }
    entry
}

/// Attempts of one call, each 1 ms long: when they came, and what they got.
pub(crate) fn call(mark: &str, method: &str, attempts: &[(u64, u16)]) -> Vec<Entry> {
    let headers = [("x-test-call", mark), ("idempotency-key", mark)];
    attempts.iter().map(|(at, status)| request(ms(*at), method, "/msg", &headers, *status)).collect()
}

/// Gives the entries their numbers, in the order in which they ended.
fn numbered(mut entries: Vec<Entry>) -> Vec<Entry> {
    entries.sort_by_key(|entry| (entry.at + entry.duration, entry.id));
    for (seq, entry) in (1..).zip(&mut entries) {
        entry.seq = seq;
    }
    entries
}

/// Gives the entries their numbers, and judges them.
pub(crate) fn judge_as(entries: Vec<Entry>, policy: &str, grouping: Grouping, forgotten: u64) -> Verdict {
    let entries = numbered(entries);
    let policy = Policy::read(policy.as_bytes()).expect("a valid policy");
    let journal = Journal { entries: &entries, in_flight: &[], forgotten, grouping, began: began() };
    verdict(&journal, &policy)
}

/// The same while other requests are in flight.
pub(crate) fn judge_with(entries: Vec<Entry>, in_flight: &[Entry], grouping: Grouping) -> Verdict {
    let entries = numbered(entries);
    let journal = Journal { entries: &entries, in_flight, forgotten: 0, grouping, began: began() };
    verdict(&journal, &Policy::default())
}

/// Checks whether a finding is made.
#[track_caller]
pub(crate) fn check(row: &str, entries: Vec<Entry>, policy: &str, expected: bool) {
    let verdict = judge(entries, policy);
    assert_eq!(found(&verdict).contains_key(row), expected, "{row}: {:?}", verdict.findings);
}

pub(crate) fn judge(entries: Vec<Entry>, policy: &str) -> Verdict {
    judge_as(entries, policy, Grouping::ByRequest, 0)
}

/// The findings by their ids.
pub(crate) fn found(verdict: &Verdict) -> BTreeMap<&'static str, Severity> {
    verdict.findings.iter().map(|finding| (finding.id.id(), finding.severity)).collect()
}

/// The ids of the findings, notes left out.
pub(crate) fn serious(verdict: &Verdict) -> Vec<&'static str> {
    let serious = |(id, severity)| (severity > Severity::Note).then_some(id);
    found(verdict).into_iter().filter_map(serious).collect()
}
