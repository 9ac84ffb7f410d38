//! The demonstration: every pattern holds against the test server, and fails with a reason against other servers.

use rustix::process::Signal;
use tokio::net::TcpListener;
use workspace_tests::logs::LogStream;
use workspace_tests::wire_server::{Act, WireServer, reply};
use workspace_tests::{Outcome, Program, TestServer, answer, within};

use crate::support::{UnusedPort, end, received, resilient, signal, spawn};

const PATTERNS: [&str; 6] = [
    "basic call and idempotency",
    "retry",
    "circuit breaker",
    "bulkhead",
    "error hierarchy",
    "overhead against bare awc",
];

fn demo(base_url: &str) -> Program {
    resilient().arguments(&["demo", "--base-url", base_url])
}

async fn assert_nothing_armed(server: &TestServer) {
    let status = answer(server.get("/fail/status")).await;
    assert_eq!(status.body["currently_failing"], false, "{status:#?}");
}

#[tokio::test]
async fn every_pattern_holds_against_the_test_server_which_is_left_as_it_was() {
    let server = TestServer::start().await;
    answer(server.post("/fail/count/7")).await;
    let outcome = demo(&server.url("/")).run().await;
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""), "{outcome:#?}");
    for pattern in PATTERNS.into_iter().chain(["saw:", "All 6 patterns held"]) {
        assert!(outcome.stdout.contains(pattern), "{pattern}: {}", outcome.stdout);
    }
    assert!(!outcome.stdout.contains("FAILED") && !outcome.stdout.contains('\u{1b}'), "{}", outcome.stdout);
    assert_nothing_armed(&server).await;
}

#[track_caller]
fn assert_did_not_hold(outcome: &Outcome, patterns: &[&str]) {
    assert_eq!(outcome.code, Some(1), "{outcome:#?}");
    let line = outcome.only_error_line();
    let expected = format!("{} of 6 patterns did not hold: {}", patterns.len(), patterns.join(", "));
    assert!(line.contains(&expected), "{line}\n{}", outcome.stdout);
    assert_eq!(outcome.stdout.matches("FAILED").count(), patterns.len(), "{}", outcome.stdout);
}

#[tokio::test]
async fn patterns_do_not_hold_against_a_server_that_always_gives_the_same_answer() {
    let body = r#"{"message_id":"always","failure_status":{"fail_requests_count":0}}"#;
    let server = WireServer::always(vec![reply(200, "", body)]).await;
    assert_did_not_hold(&demo(&server.url()).run().await, &PATTERNS[..5]);
}

#[tokio::test]
async fn no_pattern_holds_against_a_server_without_failure_modes() {
    let server = WireServer::start(|n| vec![reply(if n == 0 { 200 } else { 404 }, "", "{}")]).await;
    let outcome = demo(&server.url()).run().await;
    assert_did_not_hold(&outcome, &PATTERNS);
    assert!(outcome.stdout.contains("POST /fail/reset: the server answered 404"), "{}", outcome.stdout);
}

#[tokio::test]
async fn no_pattern_holds_and_nothing_hangs_when_the_server_closes_every_connection() {
    let server =
        WireServer::start(|n| if n == 0 { vec![reply(200, "", "{}")] } else { vec![Act::Close] }).await;
    assert_did_not_hold(&demo(&server.url()).run().await, &PATTERNS);
}

#[tokio::test]
async fn without_a_server_the_exit_code_is_3_and_one_line_says_why() {
    let port = UnusedPort::new();
    let outcome = demo(&port.url()).run().await;
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(3), ""), "{outcome:#?}");
    assert!(outcome.only_error_line().contains("no server answers at http://127.0.0.1:"), "{outcome:#?}");
}

#[tokio::test]
async fn a_listener_that_never_answers_counts_as_no_server() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let outcome = demo(&format!("http://{}", listener.local_addr().unwrap())).run().await;
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(3), ""), "{outcome:#?}");
    assert!(outcome.only_error_line().contains("no server answers"), "{outcome:#?}");
}

#[tokio::test]
async fn a_server_without_a_health_route_is_not_a_test_server() {
    let server = WireServer::always(vec![reply(404, "", "")]).await;
    let outcome = demo(&server.url()).run().await;
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(1), ""), "{outcome:#?}");
    assert!(outcome.only_error_line().contains("no healthy test server"), "{outcome:#?}");
}

#[tokio::test]
async fn a_stopped_demonstration_does_not_wait_for_a_server_that_hangs() {
    let server = WireServer::start(|n| match n {
        0 => vec![reply(200, "", "{}")],
        _ => vec![Act::Stall],
    });
    let server = server.await;
    let child = spawn(&demo(&server.url()));
    received(&server, 2).await;
    signal(&child, Signal::TERM);
    let outcome = end(child).await;
    assert_eq!(outcome.code, Some(143), "{outcome:#?}");
    assert!(
        outcome.only_error_line().contains("failure modes of the server could not be reset"),
        "{outcome:#?}"
    );
}

#[tokio::test]
async fn a_stopped_demonstration_leaves_no_failure_armed() {
    let server = TestServer::start().await;
    let mut child = spawn(&demo(&server.url("")));
    let story = LogStream::read(child.stdout.take().unwrap());
    story.find("the breaker's refusal", |line| line.says("one more call")).await.unwrap();
    signal(&child, Signal::INT);
    let status = within("the end of the demonstration", child.wait()).await.unwrap();
    assert_eq!(status.code(), Some(130));
    assert_nothing_armed(&server).await;
}
