use std::sync::Arc;
use std::time::SystemTime;

use super::*;
use crate::journal::{Entry, FaultSource, InjectedFault, Reuse};
use crate::verdict::{Grouping, Row};

const LIMIT: Duration = Duration::from_secs(90);
const PART: &str = r#"{"message_id":"16598348-6599-4d5c-a0b7-3dc93c3b230a","method":"GE"#;
const WHOLE: &str = r#"{"message_id":"16598348-6599-4d5c-a0b7-3dc93c3b230a","method":"GET"}"#;

/// A GET that came so many milliseconds after the session began, and got this fault.
fn got(at_ms: u64, fault: &str) -> Entry {
    let headers = [("host", &b"a"[..])].into_iter();
    let mut entry =
        Entry::begun(at_ms, Duration::from_millis(at_ms), &mut Vec::new(), ["GET", "/echo", ""], headers);
    entry.seq = at_ms + 1;
    entry.connection = at_ms + 1;
    entry.duration = Duration::from_millis(2);
    entry.first_byte = Some(Duration::from_millis(1));
    entry.ended = Ended::Answered;
    entry.reuse = Reuse::Open;
    entry.status = Some(200);
    if !fault.is_empty() {
        let by = FaultSource::Rule { rule: 0, step: None };
        entry.fault = Some(Arc::new(InjectedFault { by, short: fault.into() }));
    }
    match fault.split(':').next().unwrap_or_default() {
        "reset" | "close" => {
            entry.ended = Ended::Broken;
            entry.status = None;
            entry.first_byte = entry.first_byte.filter(|_| fault.contains(':'));
        }
        "truncate" => entry.ended = Ended::Broken,
        "stale" => entry.status = Some(503),
        status => entry.status = status.parse().ok().or(entry.status),
    }
    entry
}

fn ended(mut entry: Entry, ended: Ended) -> Entry {
    entry.ended = ended;
    entry
}

/// The first answer as by this fault, the second whole.
fn then_whole(fault: &str) -> Vec<Entry> {
    vec![got(0, fault), got(1000, "")]
}

/// A run, as it is written in the tables: the case, the requests, how it ended, what it printed.
struct Run {
    case: &'static str,
    entries: Vec<Entry>,
    end: End,
    stdout: &'static str,
}

fn captured(text: &str) -> Captured {
    Captured { kept: text.as_bytes().to_vec(), dropped: 0 }
}

fn journal<'a>(entries: &'a [Entry]) -> Journal<'a> {
    let began = SystemTime::UNIX_EPOCH;
    Journal { entries, in_flight: &[], forgotten: 0, grouping: Grouping::OneCall, began }
}

fn judged(runs: &[Run], policy: &Policy) -> Judged {
    let case = Case::named(runs[0].case).expect("the case exists");
    let outputs: Vec<Captured> = runs.iter().map(|run| captured(run.stdout)).collect();
    let stderr = captured("Traceback\n  KeyError: \u{7}'x'\n\n");
    let seen: Vec<RunSeen<'_>> = runs
        .iter()
        .zip(&outputs)
        .map(|(run, stdout)| {
            let took = Duration::from_millis(1234);
            RunSeen { end: run.end, took, stdout, stderr: &stderr, journal: journal(&run.entries) }
        })
        .collect();
    judge(case, &seen, policy, LIMIT)
}

#[test]
fn each_run_gets_its_result_and_one_reason() {
    use CaseResult::{Fail, NotApplicable, Pass, Warn};
    const OK: End = End::Exited(0);
    const ERROR: End = End::Exited(22);
    let alone = |fault| vec![got(0, fault)];
    let table = [
        ("steady", alone(""), OK, WHOLE, Pass, "1 request, exit 0"),
        ("steady", alone(""), ERROR, WHOLE, Fail, "exit 22 although the last answer was a whole 200"),
        ("steady", Vec::new(), ERROR, "", Fail, "sent no request; exit 22: KeyError:  'x'"),
        ("steady", Vec::new(), OK, "", Fail, "sent no request; exit 0: KeyError:  'x'"),
        (
            "steady",
            vec![],
            End::TimedOut,
            "",
            Fail,
            "sent no request; did not end within 90s: KeyError:  'x'",
        ),
        (
            "steady",
            Vec::new(),
            End::Signalled(9),
            "",
            Fail,
            "sent no request; ended by signal 9: KeyError:  'x'",
        ),
        ("steady", alone(""), End::TimedOut, WHOLE, Fail, "did not end within 90s"),
        ("steady", alone(""), End::Signalled(11), WHOLE, Fail, "was ended by signal 11"),
        ("one-503", then_whole("503"), OK, WHOLE, Pass, "2 requests, exit 0"),
        ("one-503", then_whole("503"), ERROR, "", Fail, "exit 22 although the last answer was a whole 200"),
        ("one-503", alone("503"), ERROR, "", Warn, "no-retry: "),
        ("one-503", alone("503"), OK, "", Fail, "exit 0 although the last answer was a 503"),
        ("two-503", vec![got(0, "503"), got(1000, "503")], ERROR, "", Pass, "2 requests, exit 22"),
        ("404", alone("404"), ERROR, "", Pass, "1 request, exit 22"),
        ("404", alone("404"), OK, "", Fail, "exit 0 although the last answer was a 404"),
        ("404", vec![got(0, "404"), got(1000, "404")], ERROR, "", Warn, "retried-permanent: "),
        ("reset", alone("reset"), OK, "", Fail, "exit 0 although no answer came"),
        ("reset-in-body", alone("reset:220"), ERROR, PART, Pass, "1 request, exit 22"),
        ("reset-in-body", alone("reset:220"), OK, PART, Fail, "exit 0 although the last answer was broken"),
        ("truncated", alone("truncate"), OK, PART, Fail, "exit 0 although the last answer was broken"),
        ("truncated", then_whole("truncate"), OK, WHOLE, Pass, "2 requests, exit 0"),
        (
            "truncated",
            then_whole("truncate"),
            OK,
            PART,
            Fail,
            "exit 0, and printed the first 65 bytes of a broken",
        ),
        ("truncated", then_whole("truncate"), ERROR, PART, Fail, "exit 22 although the last answer"),
        ("truncated", then_whole("truncate"), OK, r#"{"message_id":"a"#, Pass, "2 requests, exit 0"),
        ("truncated", then_whole("truncate"), OK, r#"{"message_id":"a","b"x and more"#, Pass, "2 requests"),
        ("truncated", then_whole("truncate"), OK, r#"[{"message_id":"a","bcdefghi""#, Pass, "2 requests"),
        ("one-503", then_whole("503"), OK, PART, Pass, "2 requests, exit 0"),
        (
            "malformed-chunk",
            alone("malformed_chunk"),
            OK,
            WHOLE,
            Fail,
            "exit 0 although the last answer was broken",
        ),
        ("extra-bytes", alone("extra"), OK, WHOLE, Pass, "1 request, exit 0"),
        ("extra-bytes", alone("extra"), ERROR, "", Pass, "1 request, exit 22"),
        ("slow-body", vec![ended(got(0, "drip"), Ended::ClientLeft)], OK, "", Pass, "1 request, exit 0"),
        (
            "slow-head",
            vec![ended(got(0, ""), Ended::ClientLeft), got(900, "")],
            OK,
            "",
            Pass,
            "2 requests, exit 0",
        ),
        (
            "stale",
            alone("stale:503"),
            ERROR,
            "",
            NotApplicable,
            "the client did not come back on the connection",
        ),
        ("stale", Vec::new(), ERROR, "", Fail, "sent no request"),
        ("stale", alone("stale:503"), End::TimedOut, "", Fail, "did not end within 90s"),
        (
            "stale",
            vec![got(0, "stale:503"), ended(got(1000, ""), Ended::Stale), got(1010, "")],
            OK,
            "",
            Pass,
            "3 requests, exit 0",
        ),
    ];
    for (case, entries, end, stdout, result, why) in table {
        let requests = entries.len();
        let judged = judged(&[Run { case, entries, end, stdout }], &Policy::default());
        let told = format!("{case}, {requests} requests, {end:?}, {stdout:?}: {judged:?}");
        assert_eq!(judged.result, result, "{told}");
        assert!(judged.why.starts_with(why), "{why}\nis not\n{told}");
        assert_eq!((judged.case, judged.seconds), (case, 1.23), "{told}");
    }
}

#[test]
fn a_loser_of_a_race_that_is_cancelled_after_the_winner_is_no_failure() {
    let entries = vec![got(0, ""), ended(got(100, ""), Ended::ClientLeft)];
    let run = Run { case: "steady", entries, end: End::Exited(0), stdout: "" };
    assert_eq!(judged(&[run], &Policy::default()).result, CaseResult::Pass);
}

#[test]
fn an_accepted_finding_is_no_complaint() {
    let run = || Run { case: "one-503", entries: vec![got(0, "503")], end: End::Exited(1), stdout: "" };
    let policy = Policy { allow: vec![Row::NoRetry], ..Policy::default() };
    let with = judged(&[run()], &policy);
    assert_eq!((with.result, with.exit, &*with.why), (CaseResult::Pass, Some(1), "1 request, exit 1"));
    let without = judged(&[run()], &Policy::default());
    assert_eq!(without.findings.iter().map(|finding| finding.id).collect::<Vec<_>>(), [Row::NoRetry]);
}

#[test]
fn a_client_need_not_wait_for_longer_than_it_promises() {
    let run = || Run {
        case: "slow-body",
        entries: vec![ended(got(0, "drip"), Ended::ClientLeft)],
        end: End::Exited(1),
        stdout: "",
    };
    for (millis, expected) in [(2000, CaseResult::Pass), (5000, CaseResult::Warn)] {
        let policy = Policy { timeout: Some(Duration::from_millis(millis)), ..Policy::default() };
        assert_eq!(judged(&[run()], &policy).result, expected, "{millis} ms");
    }
}

#[test]
fn the_worst_complaint_is_the_reason_and_the_others_are_counted() {
    let mut entries = vec![got(0, "503"), got(3, "503"), got(6, "503"), got(9, "503")];
    for entry in &mut entries {
        entry.duration = Duration::from_millis(2);
    }
    let run = Run { case: "outage", entries, end: End::Exited(0), stdout: "" };
    let judged = judged(&[run], &Policy::default());
    assert_eq!(judged.why, "exit 0 although the last answer was a 503 (and 1 more)");
    assert_eq!(judged.findings[0].id, Row::NoBackoff);
}

/// Ten runs of which each waits so many milliseconds before it tries again.
fn ten(wait: impl Fn(u64) -> u64) -> Vec<Run> {
    let run = |n| Run {
        case: "ten-alike",
        entries: vec![got(0, "503"), got(2 + wait(n), "")],
        end: End::Exited(0),
        stdout: "",
    };
    (0..10).map(run).collect()
}

#[test]
fn ten_clients_that_wait_equally_long_have_no_jitter() {
    let alike = judged(&ten(|_| 1000), &Policy::default());
    assert_eq!(alike.result, CaseResult::Warn);
    assert!(alike.why.starts_with("no-jitter: the waits before retry 1 of 10 calls"), "{}", alike.why);
    let random = judged(&ten(|n| 1000 + 100 * n), &Policy::default());
    assert_eq!((random.result, &*random.why), (CaseResult::Pass, "20 requests, exit 0 in 10 of 10 runs"));
    let promised = Policy { jitter: Some(false), ..Policy::default() };
    assert_eq!(judged(&ten(|_| 1000), &promised).result, CaseResult::Pass);
    let accepted = Policy { allow: vec![Row::NoJitter], ..Policy::default() };
    assert_eq!(judged(&ten(|_| 1000), &accepted).result, CaseResult::Pass);
}

#[test]
fn of_several_runs_the_one_that_failed_is_named_and_its_exit_code_reported() {
    let mut runs = ten(|n| 1000 + 100 * n);
    runs[6].end = End::Exited(3);
    let one = judged(&runs, &Policy::default());
    assert_eq!(one.result, CaseResult::Fail);
    assert_eq!(
        (one.why.as_str(), one.exit),
        ("run 7: exit 3 although the last answer was a whole 200", Some(3))
    );
    runs[2].end = End::Signalled(6);
    assert_eq!(judged(&runs, &Policy::default()).exit, None);
}
