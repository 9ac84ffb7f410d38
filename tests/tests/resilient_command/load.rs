//! Many calls: outcomes, pace, and an early end.

use std::collections::HashSet;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::{Value, json};
use workspace_tests::wire_server::{Act, WireServer, reply};
use workspace_tests::{Program, TestServer, answer};

use crate::support::{end, json, quick, received, resilient, signal, spawn};

fn load(url: &str, requests: u32, concurrency: u32) -> Program {
    quick(resilient().arguments(&["load", url]))
        .flag("--requests", requests)
        .flag("--concurrency", concurrency)
}

/// The report of a load that ran to its end.
async fn report(program: Program) -> Value {
    let outcome = program.argument("--report").run().await;
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""), "{outcome:#?}");
    json(&outcome)
}

#[tokio::test]
async fn successes_are_counted_and_measured() {
    let server = TestServer::start().await;
    let report = report(load(&server.url("/msg"), 200, 10)).await;
    assert_eq!(report["outcomes"], json!({"ok": 200}));
    assert_eq!((&report["requests"], &report["interrupted"]), (&json!(200), &json!(false)));
    let at = |name: &str| report["latency_ms"][name].as_f64().unwrap_or_else(|| panic!("{name}: {report:#}"));
    let quantiles = ["min", "p50", "p90", "p99", "p99_9", "max"].map(at);
    assert!(quantiles.is_sorted() && quantiles[0] > 0.0, "{quantiles:?}");
    assert!(report["throughput_per_second"].as_f64().unwrap() > 0.0);
    assert!(report["duration_ms"].as_f64().unwrap() > 0.0);
    assert_eq!(report["retries"], 0);
    assert_eq!(report["breaker_transitions"], json!({"opened": 0, "half_opened": 0, "closed": 0}));
}

#[tokio::test]
async fn failures_are_counted_by_their_kind_and_the_exit_code_is_0() {
    let server = TestServer::start().await;
    answer(server.post("/fail/count/5")).await;
    let load = load(&server.url("/msg"), 50, 5).flag("--max-attempts", 1).flag("--failure-threshold", 100);
    assert_eq!(report(load).await["outcomes"], json!({"ok": 45, "server": 5}));
}

#[tokio::test]
async fn retries_are_counted() {
    let server = TestServer::start().await;
    answer(server.post("/fail/count/5")).await;
    let report = report(load(&server.url("/msg"), 20, 1).flag("--max-attempts", 10)).await;
    assert_eq!((&report["outcomes"], &report["retries"]), (&json!({"ok": 20}), &json!(5)));
}

#[tokio::test]
async fn an_open_breaker_is_an_outcome_and_a_transition() {
    let server = WireServer::always(vec![reply(503, "", "")]).await;
    let load = load(&server.url(), 100, 1).flag("--max-attempts", 1).flag("--failure-threshold", 3);
    let report = report(load.flag("--recovery-timeout", 600)).await;
    assert_eq!(report["outcomes"], json!({"service_unavailable": 3, "circuit_open": 97}));
    assert_eq!(report["breaker_transitions"]["opened"], 1);
    assert_eq!(server.request_count(), 3);
}

#[tokio::test]
async fn a_full_bulkhead_is_an_outcome() {
    let server = WireServer::always(vec![Act::Pause(Duration::from_millis(500)), reply(200, "", "")]).await;
    let load = load(&server.url(), 5, 5).flag("--max-concurrency", 1).flag("--acquisition-timeout", 0);
    assert_eq!(report(load).await["outcomes"], json!({"ok": 1, "pool_timeout": 4}));
}

#[tokio::test]
async fn every_request_has_its_own_id_and_is_sent_as_typed() {
    let server = WireServer::always(vec![reply(200, "", "")]).await;
    let load = load(&server.url(), 30, 3).arguments(&["-X", "post", "--json", "[1]"]);
    assert_eq!(report(load).await["outcomes"], json!({"ok": 30}));
    let requests = server.requests();
    let id = |request: &String| {
        request.lines().find(|line| line.to_lowercase().starts_with("x-request-id")).map(str::to_owned)
    };
    let ids: HashSet<_> = requests.iter().filter_map(id).collect();
    assert_eq!((requests.len(), ids.len()), (30, 30));
    assert!(
        requests.iter().all(|request| request.starts_with("POST / ") && request.ends_with("\r\n\r\n[1]"))
    );
}

#[tokio::test]
async fn a_rate_spaces_the_requests_and_latency_counts_from_when_they_were_due() {
    let server = WireServer::always(vec![reply(200, "", "")]).await;
    let paced = report(load(&server.url(), 21, 5).flag("--rate", 100)).await;
    assert!(paced["duration_ms"].as_f64().unwrap() >= 200.0, "{paced:#}");
    assert_eq!(paced["rate"], 100.0);

    // Each takes 50 ms and one goes at a time, ten times as many are due: the last waits for nearly all others.
    let slow = WireServer::always(vec![Act::Pause(Duration::from_millis(50)), reply(200, "", "")]).await;
    let late = report(load(&slow.url(), 10, 1).flag("--rate", 1000)).await;
    assert!(late["latency_ms"]["max"].as_f64().unwrap() >= 450.0, "{late:#}");
}

#[tokio::test]
async fn the_table_and_the_histogram_are_plain_text_without_a_terminal() {
    let server = TestServer::start().await;
    let outcome = load(&server.url("/msg"), 100, 5).run().await;
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""), "{outcome:#?}");
    for word in [
        "100 of 100",
        "throughput",
        "p50",
        "p90",
        "p99",
        "p99.9",
        "max",
        "ok",
        "100.0 %",
        "retries",
        "breaker",
        "|#",
        " ms |",
    ] {
        assert!(outcome.stdout.contains(word), "{word}: {}", outcome.stdout);
    }
    assert!(
        outcome.stdout.chars().all(|c| c == '\n' || c == ' ' || c.is_ascii_graphic()),
        "{:?}",
        outcome.stdout
    );
}

#[tokio::test]
async fn a_signal_ends_a_load_early_and_the_results_so_far_are_printed() {
    for (stop, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let server =
            WireServer::start(|n| if n < 3 { vec![reply(200, "", "")] } else { vec![Act::Stall] }).await;
        let child = spawn(&load(&server.url(), 10, 1).argument("--report"));
        received(&server, 4).await;
        signal(&child, stop);
        let outcome = end(child).await;
        assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(code), ""), "{outcome:#?}");
        let report = json(&outcome);
        assert_eq!((&report["requests"], &report["requested"]), (&json!(3), &json!(10)), "{report:#}");
        assert_eq!((&report["interrupted"], &report["outcomes"]), (&json!(true), &json!({"ok": 3})));
    }
}

#[tokio::test]
async fn a_load_that_ends_before_its_first_result_is_reported_too() {
    let server = WireServer::always(vec![Act::Stall]).await;
    for form in ["--report", "--no-jitter"] {
        let before = server.request_count();
        let child = spawn(&load(&server.url(), 10, 2).argument(form));
        received(&server, before + 2).await;
        signal(&child, Signal::INT);
        let outcome = end(child).await;
        assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(130), ""), "{outcome:#?}");
        assert!(outcome.stdout.contains("0 of 10") || json(&outcome)["latency_ms"].is_null(), "{outcome:#?}");
    }
}
