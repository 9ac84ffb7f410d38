//! The demonstration: it holds against the test server, and says what does not hold against another.

use rustix::process::Signal;
use tokio::net::TcpListener;
use workspace_tests::logs::LogStream;
use workspace_tests::wire_server::{Act, WireServer, reply};
use workspace_tests::{Outcome, Program, TestServer, answer, within};

use crate::support::{Nobody, resilient, signal, spawn};

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
async fn a_server_that_always_answers_the_same_does_not_hold() {
    let body = r#"{"message_id":"always","failure_status":{"fail_requests_count":0}}"#;
    let server = WireServer::always(vec![reply(200, "", body)]).await;
    assert_did_not_hold(&demo(&server.url()).run().await, &PATTERNS[..5]);
}

#[tokio::test]
async fn a_server_that_cannot_be_told_to_fail_does_not_hold() {
    let server = WireServer::start(|n| vec![reply(if n == 0 { 200 } else { 404 }, "", "{}")]).await;
    let outcome = demo(&server.url()).run().await;
    assert_did_not_hold(&outcome, &PATTERNS);
    assert!(outcome.stdout.contains("POST /fail/reset: the server answered 404"), "{}", outcome.stdout);
}

#[tokio::test]
async fn a_server_that_dies_on_the_way_does_not_hold_and_nothing_hangs() {
    let server =
        WireServer::start(|n| if n == 0 { vec![reply(200, "", "{}")] } else { vec![Act::Close] }).await;
    assert_did_not_hold(&demo(&server.url()).run().await, &PATTERNS);
}

#[tokio::test]
async fn without_a_server_it_is_one_line_and_exit_code_3() {
    let nobody = Nobody::new();
    let outcome = demo(&nobody.url()).run().await;
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(3), ""), "{outcome:#?}");
    assert!(outcome.only_error_line().contains("no server answers at http://127.0.0.1:"), "{outcome:#?}");
}

#[tokio::test]
async fn a_listener_that_says_nothing_is_no_server() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let outcome = demo(&format!("http://{}", listener.local_addr().unwrap())).run().await;
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(3), ""), "{outcome:#?}");
    assert!(outcome.only_error_line().contains("no server answers"), "{outcome:#?}");
}

#[tokio::test]
async fn a_server_of_another_kind_is_told_apart() {
    let server = WireServer::always(vec![reply(404, "", "")]).await;
    let outcome = demo(&server.url()).run().await;
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(1), ""), "{outcome:#?}");
    assert!(outcome.only_error_line().contains("no healthy test server"), "{outcome:#?}");
}

#[tokio::test]
async fn who_stops_it_leaves_no_failure_armed() {
    let server = TestServer::start().await;
    let mut child = spawn(&demo(&server.url("")));
    let story = LogStream::read(child.stdout.take().unwrap());
    story.find("the breaker's refusal", |line| line.says("one more call")).await.unwrap();
    signal(&child, Signal::INT);
    let status = within("the end of the demonstration", child.wait()).await.unwrap();
    assert_eq!(status.code(), Some(130));
    assert_nothing_armed(&server).await;
}
