//! Hangs, and the end of a session: what holds a request, what it holds, and what ends it.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;
use workspace_tests::{Ended, Program, RawConnection, Session, TestServer, answer};

/// A server with one slot.
fn one_slot() -> Program {
    TestServer::verbose().flag("--max-concurrency", 1).flag("--workers", 2)
}

/// Sends a request and waits until its fault is injected.
async fn hang(server: &TestServer, path: &str, fault: &str) -> RawConnection {
    let injected = || server.logs().iter().filter(|line| line.says("Injected fault")).count();
    let before = injected();
    let mut connection = server.connect().await;
    connection.request("GET", path, &format!("X-Fault: {fault}\r\n")).await;
    let seen = async {
        while injected() == before {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    workspace_tests::within("the fault is injected", seen).await;
    connection
}

/// Whether a request waits for a slot.
async fn slot_is_taken(server: &TestServer, prefix: &str) -> bool {
    let waiting = answer(server.get(&format!("{prefix}/msg")));
    tokio::time::timeout(Duration::from_millis(300), waiting).await.is_err()
}

#[tokio::test]
async fn a_hang_holds_its_slot_until_its_client_leaves() {
    let server = one_slot().start().await;
    for fault in ["hang", "hang:300000", "lose:hang"] {
        for is_reset in [false, true] {
            let connection = hang(&server, "/msg", fault).await;
            assert!(slot_is_taken(&server, "").await, "{fault}");
            if is_reset {
                connection.abort();
            } else {
                connection.close();
            }
            answer(server.get("/msg")).await.message_id();
        }
    }
}

#[tokio::test]
async fn a_hang_lasts_as_long_as_it_says_and_is_not_cut_by_the_request_timeout() {
    let server = one_slot().flag("--request-timeout", 1).start().await;
    for (fault, lasts) in [("hang:1500", 1500), ("hang", 1000), ("lose:hang", 1000)] {
        let sent = Instant::now();
        let mut connection = hang(&server, "/msg", fault).await;
        assert_eq!(connection.end().await, (String::new(), Ended::Closed), "{fault}");
        assert!(sent.elapsed() >= Duration::from_millis(lasts), "{fault}: {:?}", sent.elapsed());
        answer(server.get("/msg")).await.message_id();
    }
}

#[tokio::test]
async fn a_hang_of_a_plan_ends_with_the_plan_and_with_the_session() {
    let server = one_slot().start().await;
    for end in ["/fail/script/ok", "/fail/reset", "/reset", "DELETE /faults", "DELETE /sessions"] {
        for fault in ["hang:300000", "lose:hang"] {
            let session =
                answer(server.post("/sessions")).await.body["id"].as_str().expect("an id").to_owned();
            let prefix = format!("/s/{session}");
            answer(server.post(&format!("{prefix}/fail/script/{fault}"))).await;
            let mut connection = server.connect().await;
            connection
                .request("GET", &format!("{prefix}/msg"), &format!("X-Request-ID: {session}\r\n"))
                .await;
            let id = server.correlation_id_of(&session).await;
            let injected =
                |line: &workspace_tests::logs::LogLine| line.says("Injected fault") && line.mentions(&id);
            server.wait_for_log("the fault", injected).await;
            let mut control = server.connect().await;
            match end {
                "DELETE /faults" => control.request("DELETE", &format!("{prefix}/faults"), "").await,
                "DELETE /sessions" => control.request("DELETE", &format!("/sessions/{session}"), "").await,
                path => control.request("POST", &format!("{prefix}{path}"), "").await,
            }
            let status = control.head().await.status;
            assert!(matches!(status, 200 | 204), "{end}: {status}");
            assert_eq!(connection.end().await, (String::new(), Ended::Closed), "{end} {fault}");
        }
    }
}

#[tokio::test]
async fn the_requests_in_flight_of_a_session_end_with_it_and_idle_connections_stay() {
    let server = TestServer::verbose().flag("--request-timeout", 60).start().await;
    for end in ["POST /reset", "DELETE"] {
        for headers in ["", "Idempotency-Key: k\r\n", "X-Fault: delay:20000\r\n"] {
            let id = answer(server.post("/sessions")).await.body["id"].as_str().expect("an id").to_owned();
            let mut idle = server.connect().await;
            assert_eq!(idle.get(&format!("/s/{id}/msg")).await.status, 200);
            let mut waiting = server.connect().await;
            waiting.request("GET", &format!("/s/{id}/msg?delay=20000&{id}"), headers).await;
            server.delayed(&format!("delay=20000&{id}")).await;
            let mut control = server.connect().await;
            match end {
                "DELETE" => control.request("DELETE", &format!("/sessions/{id}"), "").await,
                _ => control.request("POST", &format!("/s/{id}/reset"), "").await,
            }
            assert!(matches!(control.head().await.status, 200 | 204));
            assert_eq!(waiting.end().await, (String::new(), Ended::Closed), "{end} {headers}");
            assert_eq!(idle.get("/health").await.status, 200, "{end}");
        }
    }
}

#[tokio::test]
async fn an_injected_answer_has_the_headers_that_a_browser_needs() {
    let server = TestServer::builder().flag("--cors-enabled", "true").start().await;
    for fault in ["503", "early", "truncate", "extra", "http10", "stale", "reset:5000", "malformed_chunk"] {
        let mut connection = server.connect().await;
        connection.request("GET", "/msg", &format!("Origin: http://page\r\nX-Fault: {fault}\r\n")).await;
        let head = connection.head().await;
        assert_eq!(head.header("access-control-allow-origin"), Some("*"), "{fault}: {head:?}");
    }
}

#[tokio::test]
async fn faults_happen_while_the_server_stops() {
    for (fault, expected) in [
        ("reset", Ended::Reset),
        ("close", Ended::Closed),
        ("truncate:3", Ended::Closed),
        ("extra", Ended::Closed),
        ("garbage", Ended::Closed),
        ("reset:20", Ended::Reset),
        ("stale", Ended::Closed),
    ] {
        let mut server = TestServer::verbose().start().await;
        let mut connection = server.connect().await;
        let header = format!("X-Request-ID: {}\r\nX-Fault: {fault}\r\n", fault.replace(':', "-"));
        connection
            .send(format!("POST /echo HTTP/1.1\r\nHost: x\r\n{header}Content-Length: 2\r\n\r\n1"))
            .await
            .expect("open");
        server.received(&fault.replace(':', "-")).await;
        server.terminate();
        server.wait_for_log("the stop", |line| line.says("Shutdown begun")).await;
        connection.send("2").await.expect("open");
        let (text, ended) = connection.end().await;
        assert_eq!(ended, expected, "{fault}: {text}");
        assert_eq!(server.wait_exit().await.code, Some(0));
    }
}

#[tokio::test]
async fn a_drip_ends_when_its_session_is_deleted_or_reset() {
    let server = TestServer::start().await;
    for end in ["DELETE /sessions/x", "POST /s/x/reset", "POST /reset"] {
        Session::open(&server, json!({ "id": "x" })).await;
        let prefix = if end == "POST /reset" { "" } else { "/s/x" };
        let mut connection = server.connect().await;
        connection.request("GET", &format!("{prefix}/msg"), "X-Fault: drip:1\r\n").await;
        assert_eq!(connection.bytes(1).await, "H");
        let mut idle = server.connect().await;
        assert_eq!(idle.get(&format!("{prefix}/msg")).await.status, 200);
        let (method, path) = end.split_once(' ').expect("a method and a path");
        let mut control = server.connect().await;
        control.request(method, path, "").await;
        assert!(matches!(control.head().await.status, 200 | 204), "{end}");
        let (text, ended) = connection.end().await;
        assert_eq!(ended, Ended::Closed, "{end}");
        assert!(!text.contains("\r\n\r\n"), "{end}: the answer was cut: {text}");
        assert_eq!(idle.get("/health").await.status, 200, "{end}: an idle connection stays");
        answer(server.request(Method::DELETE, "/sessions/x")).await;
    }
}

#[tokio::test]
async fn a_session_does_not_expire_during_a_drip_and_lives_on_behind_it() {
    let server = TestServer::start().await;
    Session::open(&server, json!({ "id": "x", "ttl_seconds": 1 })).await;
    let mut connection = server.connect().await;
    connection.request("GET", "/s/x/msg", "X-Fault: drip:64\r\n").await;
    let begun = Instant::now();
    assert_eq!(connection.response().await.status, 200, "the answer is whole");
    assert!(begun.elapsed() > Duration::from_secs(2), "it took longer than an idle session lives");
    assert_eq!(connection.get("/s/x/msg").await.status, 200);
    let expired = async {
        while answer(server.get("/sessions/x")).await.status != 404 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    workspace_tests::within("the session expires", expired).await;
}
