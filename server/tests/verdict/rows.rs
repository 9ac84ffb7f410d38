//! Each finding at its borders.

use std::time::Duration;

use test_server::journal::{Body, Ended, Entry, Execution, Reuse};
use test_server::verdict::{Grouping, Policy, Severity};

use crate::journal::{began, call, check, faulty, found, judge, judge_as, ms, request};

/// Begins of attempts with these waits between them.
fn after(waits: &[u64], status: u16) -> Vec<(u64, u16)> {
    let mut at = 0;
    let mut attempts = vec![(0, status)];
    for wait in waits {
        at += 1 + wait;
        attempts.push((at, status));
    }
    attempts
}

fn shifted(mut entries: Vec<Entry>, by: u64) -> Vec<Entry> {
    for entry in &mut entries {
        entry.at += ms(by);
        entry.id += by * 1000;
    }
    entries
}

#[test]
fn no_retry_is_said_once_no_call_was_tried_again() {
    check("no-retry", call("a", "GET", &[(0, 503)]), "{}", true);
    check("no-retry", call("a", "GET", &[(0, 404)]), "{}", false);
    check("no-retry", call("a", "GET", &[(0, 200)]), "{}", false);
    check(
        "no-retry",
        [call("a", "GET", &[(0, 503)]), call("b", "GET", &[(9, 503), (200, 200)])].concat(),
        "{}",
        false,
    );
    check("no-retry", call("a", "GET", &[(0, 503)]), r#"{"retries_on": [500]}"#, false);
    check("no-retry", call("a", "GET", &[(0, 418)]), r#"{"retries_on": [418]}"#, true);
    check("no-retry", vec![request(ms(0), "POST", "/msg", &[], 503)], "{}", false);
    check("no-retry", vec![request(ms(0), "POST", "/msg", &[("idempotency-key", "a")], 503)], "{}", true);
    for (seconds, expected) in [("60", true), ("61", false)] {
        let mut entries = call("a", "GET", &[(0, 503)]);
        entries[0].retry_after = Some(seconds.into());
        check("no-retry", entries, "{}", expected);
    }
    let guessed = judge(vec![request(ms(0), "GET", "/msg", &[], 503)], "{}");
    assert_eq!(found(&guessed)["no-retry"], Severity::Warn, "also of a guess");
}

#[test]
fn a_retry_after_a_permanent_answer_is_found() {
    for status in [400, 401, 403, 404, 405, 410, 413, 422] {
        check("retried-permanent", call("a", "GET", &[(0, status), (100, 200)]), "{}", true);
    }
    for status in [408, 409, 418, 425, 429, 500, 503] {
        check("retried-permanent", call("a", "GET", &[(0, status), (100, 200)]), "{}", false);
    }
    let unkeyed = |second: &[(&str, &str)], status| {
        vec![
            request(ms(0), "GET", "/a", &[("x-test-call", "a")], status),
            request(ms(99), "GET", "/a", second, 200),
        ]
    };
    check("retried-permanent", unkeyed(&[("x-test-call", "a")], 409), "{}", true);
    let with_token = [("x-test-call", "a"), ("authorization", "b")];
    check("retried-permanent", unkeyed(&with_token, 401), "{}", false);
    check("retried-permanent", unkeyed(&with_token, 413), "{}", false);
    check("retried-permanent", unkeyed(&with_token, 404), "{}", true);
    check("retried-permanent", call("a", "GET", &[(0, 404), (100, 200)]), r#"{"retries_on": [404]}"#, false);
    let mut invited = call("a", "GET", &[(0, 404), (100, 200)]);
    invited[0].retry_after = Some("0".into());
    check("retried-permanent", invited, "{}", false);
    let mut twice = unkeyed(&with_token, 401);
    twice[1].status = Some(401);
    twice.push(request(ms(200), "GET", "/a", &[("x-test-call", "a"), ("authorization", "c")], 200));
    check("retried-permanent", twice, "{}", true);
}

#[test]
fn retry_after_counts_from_the_first_byte_with_a_tolerance() {
    let answered = |retry_after: &str, status, at: u64| {
        let mut entries = call("a", "GET", &[(0, status), (at, 200)]);
        entries[0].first_byte = Some(ms(1));
        entries[0].retry_after = Some(retry_after.into());
        entries
    };
    for (at, expected) in [(980, true), (981, false), (1001, false)] {
        check("retry-after-ignored", answered("1", 503, at), "{}", expected);
        check("retry-after-ignored", answered("1", 307, at), "{}", false);
    }
    let date = httpdate::fmt_http_date(began() + Duration::from_secs(5));
    for (at, expected) in [(3999, true), (4000, false)] {
        check("retry-after-ignored", answered(&date, 503, at), "{}", expected);
    }
    check("retry-after-ignored", answered("soon", 503, 10), "{}", false);
}

#[test]
fn three_short_waits_in_a_row_are_no_backoff() {
    let waits = |waits: &[u64]| call("a", "GET", &after(waits, 503));
    check("no-backoff", waits(&[19, 19, 19]), "{}", true);
    check("no-backoff", waits(&[19, 19]), "{}", false);
    check("no-backoff", waits(&[19, 19, 20]), "{}", false);
    check("no-backoff", waits(&[19, 19, 20, 19]), "{}", false);
    check("no-backoff", waits(&[300, 300, 300]), r#"{"min_wait_ms": 500}"#, true);
    check("no-backoff", waits(&[490, 490, 490]), r#"{"min_wait_ms": 500}"#, false);
    let mut dictated = waits(&[5, 5, 5]);
    dictated[1].retry_after = Some("0".into());
    check("no-backoff", dictated, "{}", false);
}

#[test]
fn waits_within_ten_percent_are_flat() {
    let waits = |mark: &str, at: u64, waits: &[u64]| shifted(call(mark, "GET", &after(waits, 503)), at);
    let two =
        |last: u64| [waits("a", 0, &[1000, 1050, last]), waits("b", 90_000, &[1000, 1050, last])].concat();
    check("flat-backoff", two(1100), "{}", true);
    check("flat-backoff", two(1101), "{}", false);
    check("flat-backoff", waits("a", 0, &[100, 100, 100, 100]), "{}", false);
    check("flat-backoff", waits("a", 0, &[100, 100, 100, 100, 100]), "{}", true);
    check("flat-backoff", waits("a", 0, &[5, 5, 5, 5, 5]), "{}", false);
}

#[test]
fn the_same_wait_in_ten_calls_is_no_jitter() {
    let calls = |count: u64, wait: u64, last: u64| {
        let wait = |n| if n == 0 { last } else { wait };
        let one = |n| shifted(call(&format!("c{n}"), "GET", &[(0, 503), (1 + wait(n), 200)]), n * 5000);
        (0..count).flat_map(one).collect::<Vec<_>>()
    };
    check("no-jitter", calls(10, 1000, 1020), "{}", true);
    check("no-jitter", calls(10, 1000, 1021), "{}", false);
    check("no-jitter", calls(9, 1000, 1000), "{}", false);
    check("no-jitter", calls(10, 100, 100), "{}", true);
    check("no-jitter", calls(10, 99, 99), "{}", false);
    check("no-jitter", calls(10, 1000, 1000), r#"{"jitter": false}"#, false);
    // What the server asked to be sent again is no retry, and is not counted.
    let negotiated = |n: u64| {
        let headers = |token| {
            let mark = format!("c{n}");
            move |at, status| {
                request(ms(at), "GET", "/msg", &[("x-test-call", &mark), ("authorization", token)], status)
            }
        };
        let entries = vec![headers("old")(0, 401), headers("new")(10, 503), headers("new")(1011, 200)];
        shifted(entries, n * 5000)
    };
    let mut some_negotiated = calls(5, 1000, 1000);
    some_negotiated.extend((5..10).flat_map(negotiated));
    check("no-jitter", some_negotiated, "{}", true);
}

#[test]
fn eleven_attempts_are_too_many() {
    let attempts = |count: u64| call("a", "GET", &(0..count).map(|n| (n * n * 100, 503)).collect::<Vec<_>>());
    check("too-many-attempts", attempts(10), "{}", false);
    check("too-many-attempts", attempts(11), "{}", true);
    check("too-many-attempts", attempts(3), r#"{"max_attempts": 3}"#, false);
    check("too-many-attempts", attempts(4), r#"{"max_attempts": 3}"#, true);
    check("too-many-attempts", attempts(11), r#"{"max_attempts": 12}"#, false);
}

#[test]
fn twenty_calls_of_four_attempts_are_a_storm_while_everything_fails() {
    let calls = |count: u64, attempts: u64, apart: u64| {
        let one = |n: u64| {
            let attempts: Vec<_> = (0..attempts).map(|k| (n * apart + k * 200, 503)).collect();
            call(&format!("c{n}"), "GET", &attempts)
        };
        (0..count).flat_map(one).collect::<Vec<_>>()
    };
    check("retry-storm", calls(20, 4, 1000), "{}", true);
    check("outage-ignored", calls(20, 4, 1000), "{}", false);
    check("outage-ignored", calls(20, 3, 1000), "{}", true);
    check("retry-storm", calls(19, 4, 1000), "{}", false);
    check("retry-storm", calls(20, 3, 1000), "{}", false);
    check("retry-storm", calls(20, 4, 1000), r#"{"max_attempts": 4}"#, false);
    let mut one_success = calls(20, 4, 1000);
    one_success.extend(call("good", "GET", &[(9_950, 200)]));
    check("retry-storm", one_success, "{}", false);
    let mut slower = calls(19, 4, 1000);
    slower.extend(shifted(call("last", "GET", &[(0, 503), (200, 503), (400, 503), (600, 503)]), 60_000));
    check("retry-storm", slower, "{}", false);
}

#[test]
fn an_outage_is_ignored_when_the_second_half_is_as_busy_as_the_first() {
    let outage = |first: u64, second: u64| {
        let begins =
            (0..first).map(|n| n * 10_000 / first).chain((0..=second).map(|n| 10_000 + n * 10_000 / second));
        let mark = |n: usize| format!("c{}", n / 2);
        let one = |(n, at): (usize, u64)| call(&mark(n), "GET", &[(at, 503)]);
        begins.enumerate().flat_map(one).collect::<Vec<_>>()
    };
    check("outage-ignored", outage(50, 39), "{}", true);
    check("outage-ignored", outage(50, 38), "{}", false);
    check("outage-ignored", outage(25, 24), "{}", true);
    check("outage-ignored", outage(25, 23), "{}", false);
    let single = |n: u64| call(&format!("c{n}"), "GET", &[(n * 100, 503)]);
    check("outage-ignored", (0..60).flat_map(single).collect(), "{}", false);
}

/// Two attempts of one marked call with these headers.
fn pair(method: &str, first: &[(&str, &str)], second: &[(&str, &str)]) -> Vec<Entry> {
    let owned = |headers: &[(&str, &str)]| -> Vec<(String, String)> {
        headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
    let build = |at, headers: &[(&str, &str)], status| {
        let mut own = owned(headers);
        own.push(("x-test-call".to_owned(), "a".to_owned()));
        let refs: Vec<(&str, &str)> = own.iter().map(|(name, value)| (&**name, &**value)).collect();
        request(ms(at), method, "/echo/a", &refs, status)
    };
    vec![build(0, first, 503), build(500, second, 200)]
}

#[test]
fn keys_are_judged_where_a_request_is_not_idempotent() {
    let (a, b) = (("idempotency-key", "1"), ("idempotency-key", "2"));
    check("key-changed", pair("POST", &[a], &[b]), "{}", true);
    check("key-changed", pair("POST", &[a], &[a]), "{}", false);
    check("key-changed", pair("PUT", &[a], &[b]), "{}", false);
    check("key-missing", pair("POST", &[], &[]), "{}", true);
    check("key-missing", pair("GET", &[], &[]), "{}", false);
    check(
        "key-missing",
        pair("POST", &[("x-key", "1")], &[("x-key", "1")]),
        r#"{"key_header": "x-key"}"#,
        false,
    );
    let own = |first, second| pair("POST", &[("x-key", first)], &[("x-key", second)]);
    check("key-changed", own("\"1\"", "1"), r#"{"key_header": "x-key"}"#, false);
    check("key-changed", own("\"1\"", "2"), r#"{"key_header": "x-key"}"#, true);
    let mut lost = pair("POST", &[a], &[]);
    lost[0].execution = Execution::Executed;
    assert_eq!(found(&judge(lost, "{}")).into_keys().collect::<Vec<_>>(), ["key-missing"], "this row alone");
    let reused = |path: &str| {
        vec![request(ms(0), "POST", "/echo/a", &[a], 200), request(ms(500), "POST", path, &[a], 422)]
    };
    check("key-reused", reused("/echo/b"), "{}", true);
    check("key-reused", reused("/echo/a"), "{}", false);
    let mut redirected = reused("/echo/b");
    redirected[0].status = Some(307);
    redirected[0].location = Some("b".into());
    check("key-reused", redirected, "{}", false);
}

#[test]
fn two_executions_of_one_call_are_found() {
    let twice = |method: &str, headers: &[(&str, &str)]| {
        let mut entries = pair(method, headers, headers);
        entries[0].execution = Execution::Executed;
        entries
    };
    check("executed-twice", twice("POST", &[]), "{}", true);
    check("executed-twice", twice("POST", &[("idempotency-key", "1")]), "{}", false);
    check("executed-twice", twice("PUT", &[]), "{}", false);
    check("executed-twice", pair("POST", &[], &[]), "{}", false);
}

#[test]
fn what_is_repeated_must_be_what_was_sent() {
    let with_bodies = |first: Option<u8>, second: Option<u8>, status| {
        let mut entries = pair("PUT", &[], &[]);
        entries[0].status = Some(status);
        for (entry, body) in entries.iter_mut().zip([first, second]) {
            entry.body = body.map(|byte| Body { bytes: 1, sha256: [byte; 32] });
        }
        entries
    };
    check("body-lost", with_bodies(Some(1), Some(0), 503), "{}", true);
    check("body-lost", with_bodies(Some(1), Some(1), 503), "{}", false);
    check("body-lost", with_bodies(None, Some(1), 503), "{}", false);
    check("body-lost", with_bodies(Some(1), Some(0), 200), "{}", false);
    check("header-lost", pair("GET", &[("accept", "a")], &[]), "{}", true);
    check("header-lost", pair("GET", &[], &[("accept", "a")]), "{}", false);
    check("header-lost", pair("GET", &[("accept", "a")], &[("accept", "b")]), "{}", false);
    for name in ["expect", "connection", "range", "if-match", "cookie", "date", "traceparent", "x-request-id"]
    {
        check("header-lost", pair("GET", &[(name, "a")], &[]), "{}", false);
    }
    check("header-lost", pair("GET", &[("x-own-key", "a")], &[]), r#"{"key_header": "X-Own-Key"}"#, false);
}

#[test]
fn a_hang_of_thirty_seconds_asks_for_a_timeout() {
    let hang = |length: u64, ended| {
        let mut entry = faulty(request(ms(0), "GET", "/msg", &[], 200), "hang:99", ended);
        entry.duration = ms(length);
        vec![entry]
    };
    check("no-timeout", hang(30_000, Ended::Broken), "{}", true);
    check("no-timeout", hang(29_999, Ended::Broken), "{}", false);
    check("no-timeout", hang(40_000, Ended::ClientLeft), "{}", false);
    check("no-timeout", hang(2_000, Ended::Broken), r#"{"timeout_ms": 2000}"#, true);
    check("no-timeout", hang(31_000, Ended::Broken), r#"{"timeout_ms": 60000}"#, false);
}

#[test]
fn a_connection_is_not_used_after_a_broken_answer() {
    let on_one = |short: &str| {
        let mut entries = call("a", "GET", &[(0, 200), (100, 200)]);
        entries[0] = faulty(entries[0].clone(), short, Ended::Answered);
        entries[1].connection = entries[0].connection;
        entries[1].request_on_connection = 2;
        entries
    };
    for short in ["extra", "malformed_chunk", "garbage"] {
        check("broken-connection-reused", on_one(short), "{}", true);
    }
    for short in ["stale", "drip:64", "interim"] {
        check("broken-connection-reused", on_one(short), "{}", false);
    }
}

#[test]
fn notes_are_made_of_slow_retries_overlaps_and_churn() {
    let slow = |at| call("a", "GET", &[(0, 503), (at, 200)]);
    check("slow-retry", slow(1021), r#"{"max_wait_ms": 1000}"#, false);
    check("slow-retry", slow(1022), r#"{"max_wait_ms": 1000}"#, true);
    check("slow-retry", slow(99_000), "{}", false);
    let overlapping = |length| {
        let mut entries = call("a", "GET", &[(0, 503), (100, 200)]);
        entries[0].duration = ms(length);
        entries
    };
    check("overlapping-attempts", overlapping(121), "{}", true);
    check("overlapping-attempts", overlapping(120), "{}", false);
    let churn = |count: u64, reuse| {
        let mut entries: Vec<_> = (0..count).map(|n| request(ms(n * 50), "GET", "/msg", &[], 200)).collect();
        entries.iter_mut().for_each(|entry| entry.reuse = reuse);
        entries
    };
    check("connection-churn", churn(20, Reuse::Open), "{}", true);
    check("connection-churn", churn(19, Reuse::Open), "{}", false);
    check("connection-churn", churn(20, Reuse::Closed), "{}", false);
}

#[test]
fn what_rests_on_a_guess_is_a_note() {
    let guess = |at, status| request(ms(at), "GET", "/msg", &[], status);
    let verdict = judge(vec![guess(0, 404), guess(500, 200)], "{}");
    assert_eq!(found(&verdict)["retried-permanent"], Severity::Note);
    assert!(verdict.calls[0].guess);
    let far_apart = judge(vec![guess(0, 404), guess(3_000, 200)], r#"{"max_wait_ms": 2000}"#);
    assert_eq!(far_apart.calls.len(), 2, "farther apart than the longest wait");
    let mut overlapping = vec![guess(0, 503), guess(500, 200)];
    overlapping[0].duration = ms(600);
    assert_eq!(judge(overlapping, "{}").calls.len(), 2, "at once");
    let one_call = judge_as(vec![guess(0, 404), guess(500, 200)], "{}", Grouping::OneCall, 0);
    assert_eq!(found(&one_call)["retried-permanent"], Severity::Warn);
}

#[test]
fn what_is_no_attempt_is_not_counted() {
    let attempts = |entries| judge_as(entries, "{}", Grouping::OneCall, 0).calls[0].attempts.len();
    let broken = |on_connection, next_at| {
        let mut entries = call("a", "GET", &[(0, 200), (next_at, 200)]);
        entries[0] = faulty(entries[0].clone(), "reset", Ended::Broken);
        entries[0].request_on_connection = on_connection;
        entries
    };
    assert_eq!(attempts(broken(2, 101)), 1, "a connection that was not fresh ended before a byte");
    assert_eq!(attempts(broken(2, 102)), 2, "more than 100 ms ago");
    assert_eq!(attempts(broken(1, 50)), 2, "a fresh connection");
    let lasting = |mut entries: Vec<Entry>| {
        entries[0].duration = ms(30);
        entries
    };
    assert_eq!(attempts(lasting(broken(2, 10))), 1, "its end was noticed 20 ms later");
    assert_eq!(attempts(lasting(broken(2, 9))), 2, "it had not ended 20 ms before");
    let mut stale = call("a", "GET", &[(0, 503), (500, 200), (501, 200)]);
    stale[1].ended = Ended::Stale;
    assert_eq!(attempts(stale), 2, "a stale connection");
    let redirected = |next_at| {
        let mut entries = vec![request(ms(0), "GET", "/msg", &[], 302)];
        entries[0].location = Some("/s/abc/echo/new".into());
        entries.push(request(ms(next_at), "GET", "/echo/new", &[], 200));
        entries
    };
    assert_eq!(attempts(redirected(5)), 1, "a redirect");
    assert_eq!(attempts(lasting(redirected(10))), 1, "its end was noticed 20 ms later");
    assert_eq!(attempts(lasting(redirected(9))), 2, "it had not ended 20 ms before");
    let calls = |entries| judge(entries, "{}").calls.len();
    assert_eq!(calls(lasting(redirected(10))), 1, "a guess: its end was noticed 20 ms later");
    assert_eq!(calls(lasting(redirected(9))), 2, "a guess: it had not ended 20 ms before");
}

#[test]
fn a_journal_with_forgotten_entries_is_incomplete() {
    let verdict = judge_as(call("a", "GET", &[(0, 503)]), "{}", Grouping::ByRequest, 1);
    assert!(verdict.incomplete && verdict.findings.is_empty());
    let certain = judge_as(call("a", "GET", &after(&[1, 1, 1], 503)), "{}", Grouping::ByRequest, 1);
    assert!(found(&certain).contains_key("no-backoff"), "this needs no beginning");
}

#[test]
fn what_the_policy_allows_is_not_found() {
    check("no-retry", call("a", "GET", &[(0, 503)]), r#"{"allow": ["no-retry"]}"#, false);
}

#[test]
fn unknown_fields_and_findings_of_a_policy_are_errors() {
    for wrong in [r#"{"max_atempts": 3}"#, r#"{"allow": ["no-retries"]}"#, r#"{"jitter": 1}"#, "[]", "{"] {
        assert_eq!(Policy::read(wrong.as_bytes()).unwrap_err().len(), 1, "{wrong}");
    }
    let full = r#"{"max_attempts": 3, "retries_on": [503], "min_wait_ms": 1, "max_wait_ms": 2, "jitter": true,
        "timeout_ms": 4, "key_header": "X-Key", "allow": ["no-retry"]}"#;
    assert_eq!(Policy::read(full.as_bytes()).unwrap().key_header.as_deref(), Some("x-key"));
}
