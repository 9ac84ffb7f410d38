//! What deleting, expiring or resetting a session does to its requests in flight.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use workspace_tests::{RawConnection, Session, TestServer, answer};

#[tokio::test]
async fn deleting_a_session_ends_its_requests_in_flight_and_keeps_idle_connections() {
    let server = TestServer::verbose().start().await;
    let session = Session::open(&server, json!({ "id": "x", "max_concurrency": 1 })).await;
    let mut idle = server.connect().await;
    assert_eq!(idle.get("/s/x/msg").await.status, 200);
    let mut running = server.connect().await;
    running.request("GET", "/s/x/msg?delay=20000", "X-Request-ID: runs\r\n").await;
    server.delayed("runs").await;
    let mut waiting = server.connect().await;
    waiting.request("GET", "/s/x/msg", "X-Request-ID: waits\r\n").await;
    server.queued("waits").await;
    let mut same = server.connect().await;
    same.request("GET", "/s/x/msg?delay=20000", "X-Request-ID: runs\r\n").await;
    server.handled("x", 4).await;
    assert_eq!(answer(server.request(Method::DELETE, "/sessions/x")).await.status, 204);
    for connection in [running, waiting, same] {
        assert_eq!(String::from_utf8_lossy(&connection.closed().await), "", "closed without an answer");
    }
    assert_eq!(idle.get("/msg").await.status, 200, "an idle connection stays");
    assert_eq!(idle.get("/s/x/msg").await.json(), json!({ "detail": "No such session" }));
    drop(session);
}

#[tokio::test]
async fn a_reset_closes_delays_in_flight_and_stores_no_late_result() {
    let server = TestServer::verbose().start().await;
    Session::open(&server, json!({ "id": "x", "max_concurrency": 1 })).await;
    let mut running = server.connect().await;
    running.request("GET", "/s/x/msg?delay=1500", "X-Request-ID: runs\r\n").await;
    server.delayed("runs").await;
    assert_eq!(answer(server.post("/s/x/reset")).await.status, 200);
    assert_eq!(running.closed().await, b"");
    let first = answer(server.get_keyed("/s/x/msg", "runs")).await;
    assert!(!first.is_replayed(), "the slot is free and nothing is stored");
    tokio::time::sleep(Duration::from_millis(1600)).await;
    let second = answer(server.get_keyed("/s/x/msg", "runs")).await;
    assert_eq!((second.message_id(), second.is_replayed()), (first.message_id(), true));
}

/// Fills a session: one request is delayed, one executes under a key, one waits for that key, one waits for a slot.
async fn fill(server: &TestServer, session: &Session) -> Vec<RawConnection> {
    let mut connections = Vec::new();
    for (path, headers) in [
        ("msg?delay=25000", "Connection: close\r\n"),
        ("msg?delay=3000", "Idempotency-Key: k\r\n"),
        ("msg?delay=3000", "Idempotency-Key: k\r\n"),
        ("echo", "Connection: close\r\n"),
    ] {
        let mut connection = server.connect().await;
        connection.request("GET", &format!("/s/{}/{path}", session.id), headers).await;
        connections.push(connection);
    }
    connections
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_deleted_under_load_leave_no_execution_slot_connection_or_memory() {
    let server = TestServer::verbose().flag("--workers", 2).flag("--session-ttl", 60).start().await;
    let mut footprints = Vec::new();
    for _ in 0..3 {
        let mut filled = Vec::new();
        for _ in 0..150 {
            let session = Session::open(&server, json!({ "max_concurrency": 3 })).await;
            filled.push((fill(&server, &session).await, session));
        }
        for (connections, session) in filled {
            let path = format!("/sessions/{}", session.id);
            while answer(server.get(&path)).await.body["requests"] != 4 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            assert_eq!(answer(server.request(reqwest::Method::DELETE, &path)).await.status, 204);
            for connection in connections {
                let sent = connection.closed().await;
                // The request without a delay may have been answered before.
                assert!(sent.is_empty() || sent.starts_with(b"HTTP/1.1 200 "), "{sent:?}");
            }
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        footprints.push(server.footprint());
    }
    println!("{footprints:?}");
    tokio::time::sleep(Duration::from_secs(3)).await;
    let stored = server.logs().iter().filter(|line| line.says("Cache store")).count();
    assert_eq!(stored, 0, "executions ended with their sessions");
    let (first, last) = (footprints[0], footprints[2]);
    assert!(last.descriptors <= first.descriptors + 8, "{footprints:?}");
    assert!(last.resident < first.resident + (4 << 20), "{footprints:?}");
}

#[tokio::test]
async fn a_session_that_expires_ends_its_open_streams() {
    let server = TestServer::start().await;
    Session::open(&server, json!({ "id": "x", "ttl_seconds": 1 })).await;
    let mut stream = server.connect().await;
    stream.request("GET", "/s/x/journal/stream", "").await;
    let response = stream.response().await;
    assert_eq!(response.status, 200, "the stream ends, and as a whole: {response:?}");
    assert_eq!(answer(server.get("/s/x/journal")).await.status, 404, "an open stream is no use");
}

#[tokio::test]
async fn a_lost_acknowledgement_is_one_execution_and_its_retry_gets_the_stored_answer() {
    let server = TestServer::verbose().start().await;
    for loss in ["reset", "close", "truncate"] {
        let plan = json!({ "rules": [{ "script": [{ "lose": loss }] }] });
        let session = Session::with_plan(&server, plan).await;
        let key = format!("order-{loss}");
        let mut connection = server.connect().await;
        let headers = format!("Idempotency-Key: {key}\r\n");
        connection.request("POST", &format!("/s/{}/echo/orders", session.id), &headers).await;
        assert!(connection.try_response().await.is_none(), "{loss}: the answer is lost");
        let retry = || answer(session.post("/echo/orders").header("Idempotency-Key", &key));
        let (first, second) = (retry().await, retry().await);
        assert!(first.is_replayed(), "{loss}: it was executed by the request whose answer was lost");
        assert_eq!(first.message_id(), second.message_id());
        let stored =
            server.logs().iter().filter(|line| line.says("Cache store") && line.mentions(&key)).count();
        assert_eq!(stored, 1, "{loss}");
        assert_eq!(session.plan().await["rules"][0], json!({"name": null, "matched": 3, "injected": 1}));
    }
}

#[tokio::test]
async fn a_hang_ends_with_its_plan_or_its_session() {
    let server = TestServer::start().await;
    let plan = json!({ "rules": [{ "fault": {"hang": {"ms": 300_000}} }] });
    for end in ["plan", "replaced", "reset", "fail", "session"] {
        let session = Session::with_plan(&server, plan.clone()).await;
        let mut connection = server.connect().await;
        connection.request("GET", &format!("/s/{}/msg", session.id), "").await;
        while session.plan().await["rules"][0]["matched"] != 1 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let ended = match end {
            "plan" => session.request(Method::DELETE, "/faults"),
            "replaced" => session.request(Method::PUT, "/faults").json(&plan),
            "reset" => session.post("/reset"),
            "fail" => session.post("/fail/reset"),
            _ => server.request(Method::DELETE, &format!("/sessions/{}", session.id)),
        };
        assert!(answer(ended).await.status < 300, "{end}");
        assert_eq!(connection.closed().await, b"", "{end}: closed without a word");
    }
}
