//! How long a full journal takes: printed, since a machine's speed is no fact about the program.

use std::time::Instant;

use test_server::journal::Entry;

use crate::journal::{judge, ms, request};

const ENTRIES: u64 = 100_000;

fn measure(name: &str, entry: impl Fn(u64) -> Entry) {
    let entries: Vec<Entry> = (0..ENTRIES).map(entry).collect();
    let began = Instant::now();
    let verdict = judge(entries, "{}");
    let rows: Vec<_> = verdict.findings.iter().map(|finding| finding.id.id()).collect();
    println!("{ENTRIES} entries, {name}: {:?}, {} calls, {rows:?}", began.elapsed(), verdict.calls.len());
    assert_eq!(u64::try_from(verdict.requests), Ok(ENTRIES));
}

/// Run it with `--nocapture` to see the figures. Quadratic work would take minutes.
#[test]
fn full_journals_of_any_shape_are_judged() {
    measure("one guess after the other", |n| request(ms(n * 100), "GET", "/msg", &[], 503));
    measure("all at once", |n| {
        let mut entry = request(ms(n / 100), "GET", "/msg", &[], 503);
        entry.duration = ms(5_000);
        entry
    });
    measure("keys of three attempts", |n| {
        let key = format!("k{}", n / 3);
        let status = if n % 3 == 2 { 200 } else { 503 };
        request(ms(n * 100), "POST", "/msg", &[("idempotency-key", &key)], status)
    });
    measure("one key", |n| request(ms(n * 100), "POST", "/msg", &[("idempotency-key", "k")], 503));
}
