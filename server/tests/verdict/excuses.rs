//! What explains a journal otherwise, so that a finding is not made: each excuse at its borders.

use test_server::journal::{Body, Ended, Entry, Reuse};
use test_server::verdict::Grouping;

use crate::journal::{call, check, faulty, found, judge_with, ms, request};

/// An unmarked GET without a key: when it came, how long it took, and what it got.
fn guess(path: &str, at: u64, length: u64, status: u16) -> Entry {
    let mut entry = request(ms(at), "GET", path, &[], status);
    entry.duration = ms(length);
    entry
}

fn redirect(path: &str, at: u64, to: &str) -> Entry {
    let mut entry = guess(path, at, 1, 302);
    entry.location = Some(to.into());
    entry
}

/// The n-th request on its connection, which this server broke off.
fn broken(entry: Entry, request_on_connection: u32) -> Entry {
    let mut entry = faulty(entry, "reset", Ended::Broken);
    entry.request_on_connection = request_on_connection;
    entry
}

#[test]
fn a_breaker_may_have_opened_before_the_second_attempt() {
    let calls = |count: u64, apart: u64| {
        let one = |n| call(&format!("c{n}"), "GET", &[(n * apart, 503)]);
        (0..count).flat_map(one).collect::<Vec<_>>()
    };
    check("no-retry", calls(4, 100), "{}", true);
    check("no-retry", calls(5, 100), "{}", false);
    // After ten calls behind which another came within a second, no breaker was open.
    check("no-retry", calls(10, 100), "{}", false);
    check("no-retry", calls(11, 100), "{}", true);
    check("no-retry", calls(11, 1_001), "{}", true);
    check("no-retry", calls(11, 1_002), "{}", false);
}

#[test]
fn a_like_request_in_flight_may_be_the_hedge_of_a_guess() {
    let with_other = |end: u64| vec![guess("/msg", 0, 100, 503), guess("/msg", 50, end - 50, 200)];
    check("no-retry", with_other(120), "{}", false);
    check("no-retry", with_other(80), "{}", false);
    check("no-retry", with_other(79), "{}", true);
    let unlike = vec![guess("/msg", 0, 100, 503), guess("/echo", 50, 70, 200)];
    check("no-retry", unlike, "{}", true);
    let mut marked = [call("a", "GET", &[(0, 503)]), call("b", "GET", &[(50, 200)])].concat();
    marked.iter_mut().for_each(|entry| entry.duration = ms(100));
    check("no-retry", marked, "{}", true);
}

#[test]
fn a_request_to_where_several_calls_were_redirected_may_be_of_any_of_them() {
    let redirected = |paths: &[&str]| {
        let redirects = (0..).zip(paths).map(|(n, path)| redirect(path, n * 10, "/echo/c"));
        redirects.chain([guess("/echo/c", 100, 1, 503)]).collect::<Vec<_>>()
    };
    check("no-retry", redirected(&["/echo/a"]), "{}", true);
    check("no-retry", redirected(&["/echo/a", "/echo/b"]), "{}", false);
}

#[test]
fn a_request_that_the_library_sent_again_may_count_as_a_retry() {
    let resent = |on_connection| {
        let mut entries = call("a", "GET", &[(0, 200), (50, 503)]);
        entries[0] = broken(entries[0].clone(), on_connection);
        entries
    };
    check("no-retry", resent(2), "{}", false);
    check("no-retry", resent(2)[1..].to_vec(), "{}", true);
}

#[test]
fn an_attempt_after_a_stale_connection_may_be_a_retry() {
    let after = |wait: u64| {
        let mut entries = call("a", "GET", &[(0, 200), (1 + wait, 200)]);
        entries[0] = faulty(entries[0].clone(), "stale", Ended::Stale);
        entries.extend(call("b", "GET", &[(5_000, 503)]));
        entries
    };
    check("no-retry", after(101), "{}", false);
    check("no-retry", after(100), "{}", true);
}

#[test]
fn a_request_in_flight_may_be_the_retry() {
    let failed = || call("a", "GET", &[(0, 503)]);
    let other = request(ms(500), "GET", "/echo", &[], 200);
    let found_with = |in_flight: &[Entry]| {
        found(&judge_with(failed(), in_flight, Grouping::ByRequest)).contains_key("no-retry")
    };
    assert_eq!((found_with(&[]), found_with(&[other])), (true, false));
}

#[test]
fn part_of_an_answer_may_be_all_that_the_client_wanted() {
    let ended = |short: &str, ended, some_bytes: bool| {
        let mut entries = call("a", "GET", &[(0, 200)]);
        entries[0] = faulty(entries[0].clone(), short, ended);
        entries[0].first_byte = some_bytes.then(|| ms(1));
        entries
    };
    for (short, how) in [("drip:64", Ended::ClientLeft), ("reset:40", Ended::Broken)] {
        check("no-retry", ended(short, how, true), "{}", false);
        check("no-retry", ended(short, how, false), "{}", true);
    }
    check("no-retry", ended("truncate", Ended::Broken, true), "{}", true);
}

/// Two overlapping attempts of a call: its client hedges.
fn hedged() -> Vec<Entry> {
    let mut entries = call("h", "GET", &[(10_000, 200), (10_100, 200)]);
    entries[0].duration = ms(200);
    entries
}

#[test]
fn a_client_that_hedges_may_have_sent_the_next_attempt_as_the_answer_came() {
    let after = |status, wait: u64| {
        let mut entries = call("a", "GET", &[(0, status), (1 + wait, 200)]);
        entries[0].retry_after = (status == 503).then(|| "1".into());
        entries
    };
    for (row, status) in [("retried-permanent", 404), ("retry-after-ignored", 503)] {
        check(row, after(status, 19), "{}", true);
        check(row, [after(status, 19), hedged()].concat(), "{}", false);
        check(row, [after(status, 20), hedged()].concat(), "{}", true);
    }
}

#[test]
fn a_hedged_attempt_is_none_of_the_promised_ones() {
    let attempts = |wait: u64| call("a", "GET", &[(0, 503), (1 + wait, 503), (5_000, 200)]);
    check("too-many-attempts", attempts(19), r#"{"max_attempts": 2}"#, false);
    check("too-many-attempts", attempts(20), r#"{"max_attempts": 2}"#, true);
}

/// One attempt of a marked call: when it came, its token, and what it got.
fn with_token(method: &str, at: u64, token: &str, status: u16) -> Entry {
    request(ms(at), method, "/msg", &[("x-test-call", "a"), ("authorization", token)], status)
}

#[test]
fn what_the_server_asked_to_be_sent_again_is_no_attempt_more() {
    let negotiated = |second: &str, more: u64| {
        let mut entries = vec![with_token("GET", 0, "old", 401)];
        entries.extend((1..=more).map(|n| with_token("GET", n * n * 100, second, 503)));
        entries
    };
    check("too-many-attempts", negotiated("new", 2), r#"{"max_attempts": 2}"#, false);
    check("too-many-attempts", negotiated("old", 2), r#"{"max_attempts": 2}"#, true);
    check("too-many-attempts", negotiated("new", 10), "{}", false);
    check("too-many-attempts", negotiated("new", 11), "{}", true);
    let with_hedge = |token: &str, more| {
        let mut entries = negotiated(token, more);
        entries.push(with_token("GET", 105, token, 503));
        entries
    };
    check("too-many-attempts", with_hedge("new", 10), "{}", false);
    check("too-many-attempts", with_hedge("old", 9), "{}", true);
}

#[test]
fn the_server_may_ask_for_other_headers_or_another_body() {
    let accept = |mut entries: Vec<Entry>| {
        let headers = [("x-test-call", "a"), ("authorization", "old"), ("accept", "*/*")];
        entries[0] = request(ms(0), entries[0].method(), "/msg", &headers, entries[0].status.unwrap());
        entries
    };
    let renewed = |status| vec![with_token("POST", 0, "old", status), with_token("POST", 1, "new", 200)];
    for (status, expected) in [(401, false), (413, false), (417, false), (503, true)] {
        check("header-lost", accept(renewed(status)), "{}", expected);
        check("key-missing", renewed(status), "{}", expected);
    }
    for (status, expected) in [(413, false), (401, true), (503, true)] {
        let mut entries = renewed(status);
        entries[1].body = Some(Body { bytes: 1, sha256: [1; 32] });
        check("body-lost", entries, "{}", expected);
    }
    let waits = |statuses: [u16; 4]| {
        let one = |(n, status): (u64, u16)| with_token("PUT", n * 2, &format!("t{n}"), status);
        (0..).zip(statuses).map(one).collect::<Vec<_>>()
    };
    check("no-backoff", waits([401, 413, 417, 200]), "{}", false);
    check("no-backoff", waits([503, 503, 503, 200]), "{}", true);
}

#[test]
fn a_header_of_the_content_is_lost_with_the_body() {
    let headers = [("x-test-call", "a"), ("content-type", "text/plain")];
    let repeated = |byte| {
        let mut entries = vec![request(ms(0), "PUT", "/msg", &headers, 503)];
        entries.push(request(ms(99), "PUT", "/msg", &headers[..1], 200));
        entries[1].body = Some(Body { bytes: 0, sha256: [byte; 32] });
        entries
    };
    check("header-lost", repeated(1), "{}", false);
    check("header-lost", repeated(0), "{}", true);
}

#[test]
fn a_wait_while_another_attempt_is_in_flight_is_no_short_wait() {
    let while_first_takes = |length: u64| {
        let attempts = [(0, 503), (500, 503), (505, 503), (510, 503), (515, 200)];
        let mut entries = call("a", "GET", &attempts);
        entries[0].duration = ms(length);
        entries
    };
    check("no-backoff", while_first_takes(1_000), "{}", false);
    check("no-backoff", while_first_takes(1), "{}", true);
}

#[test]
fn a_broken_answer_demands_nothing() {
    let after = |ended| {
        let mut entries = call("a", "GET", &[(0, 503), (100, 200)]);
        (entries[0].ended, entries[0].retry_after) = (ended, Some("1".into()));
        entries
    };
    check("retry-after-ignored", after(Ended::Broken), "{}", false);
    check("retry-after-ignored", after(Ended::Answered), "{}", true);
}

#[test]
fn connections_that_were_not_there_to_be_used_are_no_churn() {
    let alone = |apart: u64| {
        let mut entries: Vec<_> = (0..20).map(|n| guess("/msg", n * apart, 1, 200)).collect();
        entries.iter_mut().for_each(|entry| entry.reuse = Reuse::Open);
        entries
    };
    check("connection-churn", alone(5_001), "{}", true);
    check("connection-churn", alone(5_002), "{}", false);
    let among = |others: u64| {
        let mut entries: Vec<_> = (0..others).map(|n| guess("/echo", n * 10, 1, 200)).collect();
        for (number, entry) in (1..).zip(&mut entries) {
            (entry.connection, entry.request_on_connection) = (7, number);
        }
        [entries, alone(50)].concat()
    };
    check("connection-churn", among(20), "{}", true);
    check("connection-churn", among(21), "{}", false);
}

#[test]
fn waits_that_are_alike_in_few_of_many_calls_may_be_chance() {
    let calls = |flat: u64, grown: u64| {
        let one = |n: u64| {
            let (begin, factor) = (n * 100_000, if n < flat { 1 } else { n % 3 + 2 });
            let at = |k: u32| begin + (0..k).map(|k| 1 + 1_000 * factor.pow(k)).sum::<u64>();
            call(&format!("c{n}"), "GET", &(0..4).map(|k| (at(k), 503)).collect::<Vec<_>>())
        };
        (0..flat + grown).flat_map(one).collect::<Vec<_>>()
    };
    check("flat-backoff", calls(2, 2), "{}", true);
    check("flat-backoff", calls(2, 3), "{}", false);
}

#[test]
fn a_budget_lets_a_small_share_of_retries_go_on_in_an_outage() {
    let outage = |each: u64| {
        let one = |n: u64| {
            let retry = n.is_multiple_of(each).then_some((n * 200 + 50, 503));
            call(
                &format!("c{n}"),
                "GET",
                &[Some((n * 200, 503)), retry].into_iter().flatten().collect::<Vec<_>>(),
            )
        };
        (0..120).flat_map(one).collect::<Vec<_>>()
    };
    check("outage-ignored", outage(1), "{}", true);
    check("outage-ignored", outage(4), "{}", false);
}

#[test]
fn what_the_server_asked_to_be_sent_again_is_no_retry_in_an_outage() {
    let outage = |second: &str| {
        let one = |n: u64| {
            let mark = format!("c{n}");
            let sent = |at, token, status| {
                request(ms(at), "GET", "/msg", &[("x-test-call", &mark), ("authorization", token)], status)
            };
            [sent(n, "old", 401), sent(1_000 + n * 100, second, 503)]
        };
        (0..60).flat_map(one).collect::<Vec<_>>()
    };
    check("outage-ignored", outage("new"), "{}", false);
    check("outage-ignored", outage("old"), "{}", true);
}

#[test]
fn a_request_that_was_sent_before_the_answer_broke_reuses_nothing() {
    let pipelined = |at: u64| {
        let mut entries = call("a", "GET", &[(0, 200), (at, 200)]);
        entries[0] = faulty(entries[0].clone(), "extra", Ended::Answered);
        (entries[0].duration, entries[0].first_byte) = (ms(50), Some(ms(30)));
        (entries[1].connection, entries[1].request_on_connection) = (entries[0].connection, 2);
        entries
    };
    check("broken-connection-reused", pipelined(29), "{}", false);
    check("broken-connection-reused", pipelined(30), "{}", true);
}
