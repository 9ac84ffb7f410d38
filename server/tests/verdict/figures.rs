//! The figures of a verdict: counts, and what is said of each call.

use serde_json::{Value, json};
use test_server::journal::{Ended, Entry};
use test_server::verdict::Grouping;

use crate::journal::{call, judge, judge_with, ms, request};

/// Requests that are not alike: when each came, and how long it took, in milliseconds.
fn lengths(requests: &[(u64, u64)]) -> Vec<Entry> {
    let one = |(at, length): &(u64, u64)| {
        let mut entry = request(ms(*at), "GET", &format!("/echo/{at}"), &[], 200);
        entry.duration = ms(*length);
        entry
    };
    requests.iter().map(one).collect()
}

fn on_one_connection(mut entries: Vec<Entry>) -> Vec<Entry> {
    entries.iter_mut().for_each(|entry| entry.connection = 7);
    entries
}

/// A call that is redirected at once, and gets an answer `after` this time there.
fn redirected(after: u64) -> Vec<Entry> {
    let mut entries = call("a", "GET", &[(0, 302)]);
    entries[0].location = Some("/echo/new".into());
    let mut target = request(ms(2), "GET", "/echo/new", &[("x-test-call", "a")], 503);
    target.duration = ms(after);
    entries.push(target);
    entries
}

fn stale_before(mut entries: Vec<Entry>) -> Vec<Entry> {
    entries[0].ended = Ended::Stale;
    entries
}

#[test]
fn amplification_is_attempts_per_call_to_the_hundredth() {
    let calls = |attempts: &[&[(u64, u16)]]| -> Vec<Entry> {
        let numbered = attempts.iter().enumerate();
        numbered.flat_map(|(number, attempts)| call(&format!("c{number}"), "GET", attempts)).collect()
    };
    let table = [
        ("nothing", Vec::new(), 0.0),
        ("one attempt", calls(&[&[(0, 200)]]), 1.0),
        ("three attempts and one", calls(&[&[(0, 503), (99, 503), (299, 200)], &[(500, 200)]]), 2.0),
        (
            "four attempts of three calls",
            calls(&[&[(0, 503), (99, 200)], &[(200, 200)], &[(300, 200)]]),
            1.33,
        ),
        (
            "five attempts of three calls",
            calls(&[&[(0, 503), (99, 200)], &[(200, 503), (300, 200)], &[(400, 200)]]),
            1.67,
        ),
        ("a redirect", redirected(1), 1.0),
        ("a stale connection", stale_before(calls(&[&[(0, 503), (99, 200)]])), 1.0),
    ];
    for (what, entries, expected) in table {
        let requests = entries.len();
        let verdict = judge(entries, "{}");
        assert_eq!((verdict.amplification, verdict.requests), (expected, requests), "{what}");
    }
}

#[test]
fn the_peak_is_the_most_requests_in_flight_at_once() {
    type Row<'a> = (&'a str, &'a [(u64, u64)], usize);
    let table: [Row<'_>; 7] = [
        ("nothing", &[], 0),
        ("one after the other", &[(0, 10), (20, 10)], 1),
        ("one ends when the next begins", &[(0, 10), (10, 10)], 1),
        ("two overlap", &[(0, 11), (10, 10)], 2),
        ("one around two", &[(0, 10), (2, 2), (4, 5)], 2),
        ("one around two that overlap", &[(0, 10), (2, 3), (4, 5)], 3),
        ("one takes no time", &[(0, 0), (5, 10), (20, 10)], 1),
    ];
    for (what, requests, expected) in table {
        assert_eq!(judge(lengths(requests), "{}").peak_concurrent, expected, "{what}");
    }
}

#[test]
fn connections_are_counted_once() {
    let two = || lengths(&[(0, 1), (5, 1)]);
    let mut three = on_one_connection(two());
    three.extend(lengths(&[(9, 1)]));
    for (what, entries, expected) in [
        ("nothing", Vec::new(), 0),
        ("one each", two(), 2),
        ("one for both", on_one_connection(two()), 1),
        ("one for two of three", three, 2),
    ] {
        assert_eq!(judge(entries, "{}").connections, expected, "{what}");
    }
}

/// What the verdict says of the only call of these entries.
fn only_call(entries: Vec<Entry>, in_flight: &[Entry], grouping: Grouping) -> Value {
    let mut verdict = serde_json::to_value(judge_with(entries, in_flight, grouping)).expect("JSON");
    let calls = verdict["calls"].as_array_mut().expect("a list");
    assert_eq!(calls.len(), 1, "{calls:?}");
    calls.remove(0)
}

#[test]
fn a_wait_is_from_the_end_of_an_attempt_to_the_beginning_of_the_next() {
    let lasting = |length: u64, attempts: &[(u64, u16)]| {
        let mut entries = call("a", "GET", attempts);
        entries[0].duration = ms(length);
        entries
    };
    let mut precise = lasting(1, &[(0, 503), (50, 200)]);
    precise[0].duration = std::time::Duration::from_nanos(1_234_567);
    let mut after_redirect = redirected(10);
    after_redirect.push(request(ms(112), "GET", "/msg", &[("x-test-call", "a")], 200));
    let table = [
        ("one attempt", lasting(1, &[(0, 503)]), json!([])),
        ("two waits", lasting(1, &[(0, 503), (101, 503), (302, 200)]), json!([100.0, 200.0])),
        ("to the microsecond", precise, json!([48.765])),
        ("an overlap", lasting(90, &[(0, 503), (50, 503), (151, 200)]), json!([0.0, 100.0])),
        ("a redirected attempt ends with its last request", after_redirect, json!([100.0])),
    ];
    for (what, entries, expected) in table {
        assert_eq!(only_call(entries, &[], Grouping::ByRequest)["waits_ms"], expected, "{what}");
    }
}

#[test]
fn an_outcome_is_that_of_the_best_attempt_or_open() {
    let attempts = |attempts: &[(u64, u16)]| call("a", "GET", attempts);
    let unmarked = |path: &str| request(ms(500), "GET", path, &[], 200);
    let marked = |mark: &str| request(ms(500), "GET", "/msg", &[("x-test-call", mark)], 200);
    let keyed = |key: &str| request(ms(500), "GET", "/msg", &[("idempotency-key", key)], 200);
    let failed_keyed = || vec![request(ms(0), "GET", "/msg", &[("idempotency-key", "a")], 503)];
    let failed_guess = || vec![request(ms(0), "GET", "/msg", &[], 503)];
    let by_request = Grouping::ByRequest;
    let table = [
        (attempts(&[(0, 200)]), None, by_request, "succeeded"),
        (attempts(&[(0, 503), (99, 200)]), None, by_request, "succeeded"),
        (attempts(&[(0, 200), (99, 503)]), None, by_request, "succeeded"),
        (attempts(&[(0, 302)]), None, by_request, "succeeded"),
        (attempts(&[(0, 404)]), None, by_request, "failed"),
        (attempts(&[(0, 503), (99, 503)]), None, by_request, "failed"),
        (attempts(&[(0, 503)]), Some(marked("a")), by_request, "open"),
        (attempts(&[(0, 503)]), Some(marked("b")), by_request, "failed"),
        (attempts(&[(0, 200)]), Some(marked("a")), by_request, "succeeded"),
        (failed_keyed(), Some(keyed("a")), by_request, "open"),
        (failed_keyed(), Some(keyed("b")), by_request, "failed"),
        (failed_guess(), Some(unmarked("/msg")), by_request, "open"),
        (failed_guess(), Some(unmarked("/echo")), by_request, "failed"),
        (failed_guess(), Some(unmarked("/echo")), Grouping::OneCall, "open"),
    ];
    for (number, (entries, in_flight, grouping, expected)) in table.into_iter().enumerate() {
        let in_flight: Vec<Entry> = in_flight.into_iter().collect();
        let outcome = only_call(entries, &in_flight, grouping)["outcome"].clone();
        assert_eq!(outcome, expected, "row {number}");
    }
}
