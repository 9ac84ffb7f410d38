//! The errors that a server, or its absence, causes: kind, exit code and message.

use std::time::Duration;

use workspace_tests::wire_server::{Act, WireServer, reply, send};
use workspace_tests::{Outcome, TestServer};

use crate::support::{UnusedPort, attempts, get, json, quick, report_of, resilient};

#[track_caller]
fn assert_fails(outcome: &Outcome, code: i32, kind: &str, tries: usize) {
    let report = json(outcome);
    assert_eq!((outcome.code, report["kind"].as_str()), (Some(code), Some(kind)), "{report:#}");
    assert_eq!((report["outcome"].as_str(), attempts(&report).len()), (Some("error"), tries), "{report:#}");
    assert!(!report["message"].as_str().unwrap_or_default().is_empty(), "{report:#}");
    assert!(report["request_id"].is_string(), "{report:#}");
    assert_eq!(outcome.stderr, "", "the report says it all");
}

#[tokio::test]
async fn a_status_is_an_error_of_its_kind_with_its_exit_code_and_body() {
    for (status, code, kind, tries) in [
        (400, 4, "invalid_request", 1),
        (401, 4, "authentication", 1),
        (403, 4, "authentication", 1),
        (404, 4, "not_found", 1),
        (405, 4, "status", 1),
        (408, 3, "server_timeout", 2),
        (422, 4, "invalid_request", 1),
        (429, 4, "rate_limited", 2),
        (500, 3, "server", 2),
        (501, 3, "server", 2),
        (502, 3, "service_unavailable", 2),
        (503, 3, "service_unavailable", 2),
        (504, 3, "service_unavailable", 2),
    ] {
        let server = WireServer::always(vec![reply(status, "", r#"{"detail":"why"}"#)]).await;
        let outcome = report_of(&server.url()).flag("--max-attempts", 2).run().await;
        assert_fails(&outcome, code, kind, tries);
        let report = json(&outcome);
        assert_eq!(
            (report["status"].as_u64(), &report["body"]["detail"]),
            (Some(u64::from(status)), &"why".into())
        );
    }
}

#[tokio::test]
async fn a_broken_exchange_is_a_connection_error() {
    let short = send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort");
    for (what, acts, kind) in [
        ("closed", vec![Act::Close], "network"),
        ("reset", vec![Act::Reset], "network"),
        ("cut short", vec![short.clone(), Act::Close], "network"),
        ("no HTTP", vec![send("hello\r\n\r\n"), Act::Close], "network"),
        ("silent", vec![Act::Stall], "timeout"),
        ("silent in the body", vec![short, Act::Stall], "timeout"),
    ] {
        let server = WireServer::always(acts).await;
        let patience = if kind == "timeout" { 0.2 } else { 20.0 };
        let call = report_of(&server.url()).flag("--max-attempts", 2).flag("--read-timeout", patience);
        let outcome = call.run().await;
        println!("{what}");
        assert_fails(&outcome, 3, kind, 2);
        assert!(json(&outcome)["status"].is_null() && json(&outcome)["body"].is_null(), "{outcome:#?}");
    }
}

#[tokio::test]
async fn a_port_without_a_listener_is_a_connection_error() {
    let port = UnusedPort::new();
    assert_fails(&report_of(&port.url()).run().await, 3, "network", 3);
}

#[tokio::test]
async fn a_full_bulkhead_is_a_pool_timeout() {
    let server =
        WireServer::always(vec![Act::Pause(Duration::from_millis(500)), reply(200, "", "body")]).await;
    let url = server.url();
    let calls = resilient().arguments(&["get", &url, &url, "--parallel", "--report"]);
    let outcome = calls.flag("--max-concurrency", 1).flag("--acquisition-timeout", 0).run().await;
    assert_eq!(outcome.code, Some(5), "{outcome:#?}");
    assert!(
        outcome.stdout.contains(r#""kind":"pool_timeout""#) && outcome.stdout.contains(r#""outcome":"ok""#)
    );
    assert_eq!(server.request_count(), 1);
}

#[tokio::test]
async fn an_open_breaker_refuses_without_sending_and_says_how_long_to_wait() {
    let port = UnusedPort::new();
    let url = port.url();
    let calls = resilient().arguments(&["get", &url, &url, "--report", "--max-attempts", "1"]);
    let outcome = calls.flag("--failure-threshold", 1).flag("--recovery-timeout", 60).run().await;
    assert_eq!(outcome.code, Some(6), "{outcome:#?}");
    let refused: serde_json::Value = serde_json::from_str(outcome.stdout.lines().nth(1).unwrap()).unwrap();
    assert_eq!((&refused["kind"], &refused["attempts"]), (&"circuit_open".into(), &serde_json::json!([])));
    let wait = refused["retry_after_ms"].as_f64().unwrap();
    assert!(wait > 0.0 && wait <= 60_000.0, "{wait}");
}

#[tokio::test]
async fn a_deadline_ends_the_call_and_the_attempt_under_way() {
    let server = TestServer::start().await;
    let outcome = report_of(&server.url("/msg?delay=20000")).flag("--deadline", 1).run().await;
    assert_fails(&outcome, 7, "deadline_exceeded", 1);
}

#[tokio::test]
async fn a_body_that_is_too_long_is_an_error_of_another_kind() {
    let server = WireServer::always(vec![reply(200, "", "four")]).await;
    let outcome = report_of(&server.url()).flag("--max-body-bytes", 3).run().await;
    assert_fails(&outcome, 1, "body_too_large", 1);
}

#[tokio::test]
async fn a_retry_after_that_is_too_long_ends_the_call_and_is_reported() {
    let server = WireServer::always(vec![reply(503, "Retry-After: 100\r\n", "")]).await;
    let outcome = report_of(&server.url()).flag("--retry-after-max", 99.5).run().await;
    assert_fails(&outcome, 3, "service_unavailable", 1);
    assert_eq!(json(&outcome)["retry_after_ms"], 100_000.0);
}

#[tokio::test]
async fn retry_methods_idempotent_excludes_post_and_patch() {
    let server = WireServer::always(vec![reply(500, "", "")]).await;
    let url = server.url();
    for (method, methods, tries) in
        [("post", "all", 3), ("post", "idempotent", 1), ("put", "idempotent", 3), ("patch", "idempotent", 1)]
    {
        let call = quick(resilient().arguments(&[method, &url, "--report", "--retry-methods", methods]));
        assert_fails(&call.run().await, 3, "server", tries);
    }
}

#[tokio::test]
async fn without_a_report_the_body_of_an_error_is_printed_and_one_line_describes_the_error() {
    let server = WireServer::always(vec![reply(404, "", "not here")]).await;
    let outcome = get(&server.url()).flag("--request-id", "id-1").run().await;
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(4), "not here"));
    assert_eq!(
        outcome.only_error_line(),
        "resilient: not_found: the server answered 404, after 1 attempt, request id id-1"
    );
}

#[tokio::test]
async fn an_error_that_has_no_body_is_one_line_alone() {
    let port = UnusedPort::new();
    let outcome = get(&port.url()).run().await;
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(3), ""));
    let line = outcome.only_error_line();
    assert!(line.starts_with("resilient: network: ") && line.contains("after 3 attempts"), "{line}");
}

#[tokio::test]
async fn a_call_that_cannot_be_sent_is_reported_too() {
    for (url, header, kind) in
        [("ftp://host/", "X: y", "invalid_url"), ("http://host/", "X: a\nb", "invalid_header")]
    {
        let outcome = report_of(url).arguments(&["-H", header]).run().await;
        let report = json(&outcome);
        assert_eq!((outcome.code, report["kind"].as_str()), (Some(2), Some(kind)), "{report:#}");
        assert_eq!(
            (&report["attempts"], &report["request_id"]),
            (&serde_json::json!([]), &serde_json::Value::Null)
        );
        assert!(outcome.only_error_line().contains(report["message"].as_str().unwrap()), "{outcome:#?}");
    }
}
