//! Sessions chosen by the header `X-Test-Session`, and what browsers see of sessions.

use reqwest::Method;
use serde_json::json;
use workspace_tests::{Session, TestServer, answer};

async fn failing_session(server: &TestServer, id: &str) -> Session {
    let session = Session::open(server, json!({ "id": id })).await;
    assert_eq!(answer(session.post("/fail/count/1000")).await.status, 200);
    session
}

#[tokio::test]
async fn a_header_at_the_root_chooses_the_session_for_every_route() {
    let server = TestServer::start().await;
    failing_session(&server, "x").await;
    assert_eq!(answer(server.get("/msg").header("X-Test-Session", "x")).await.status, 500);
    assert_eq!(answer(server.get("/msg").header("x-test-session", "default")).await.status, 200);
    assert_eq!(answer(server.get("/msg").header("X-Test-Session", "")).await.status, 200);
    let reset = answer(server.post("/fail/reset").header("X-Test-Session", "x")).await;
    assert_eq!(reset.status, 200);
    assert_eq!(answer(server.get("/s/x/msg")).await.status, 200);
    let put = server.request(Method::PUT, "/faults").header("X-Test-Session", "x");
    assert_eq!(answer(put.json(&json!({ "rules": [{ "fault": "418" }] }))).await.status, 200);
    assert_eq!(answer(server.get("/s/x/echo")).await.status, 418);
    assert_eq!(answer(server.get("/echo")).await.status, 200);
}

#[tokio::test]
async fn the_path_wins_over_the_header() {
    let server = TestServer::start().await;
    failing_session(&server, "x").await;
    Session::open(&server, json!({ "id": "y" })).await;
    assert_eq!(answer(server.get("/s/y/msg").header("X-Test-Session", "x")).await.status, 200);
    assert_eq!(answer(server.get("/s/x/msg").header("X-Test-Session", "y")).await.status, 500);
    assert_eq!(answer(server.get("/s/y/msg").header("X-Test-Session", "unknown")).await.status, 200);
}

#[tokio::test]
async fn an_unknown_or_malformed_session_in_the_header_is_not_found() {
    let server = TestServer::start().await;
    for value in ["unknown", "a b", "a/b", "%61", &"x".repeat(65), "x,y"] {
        for (method, path) in [(Method::GET, "/msg"), (Method::GET, "/faults"), (Method::POST, "/reset")] {
            let found = answer(server.request(method, path).header("X-Test-Session", value)).await;
            found.assert_is(404, &json!({ "detail": "No such session" }));
        }
    }
    let mut connection = server.connect().await;
    let head = b"GET /msg HTTP/1.1\r\nHost: x\r\nX-Test-Session: \xff\r\n\r\n";
    connection.send(head).await.expect("it listens");
    assert_eq!(connection.response().await.status, 404);
}

#[tokio::test]
async fn two_headers_are_refused() {
    let server = TestServer::start().await;
    Session::open(&server, json!({ "id": "x" })).await;
    for (path, values) in [("/msg", ["x", "x"]), ("/faults", ["x", "y"]), ("/echo", ["", "x"])] {
        let mut connection = server.connect().await;
        let headers = values.map(|value| format!("X-Test-Session: {value}\r\n")).concat();
        connection.request("GET", path, &headers).await;
        let refused = connection.response().await;
        assert_eq!(refused.status, 422, "{path} {values:?} {refused:?}");
        assert_eq!(refused.json()["detail"][0]["loc"], json!(["header", "X-Test-Session"]));
    }
}

#[tokio::test]
async fn a_browser_may_use_sessions_keys_and_faults_and_sees_injected_answers() {
    let server = TestServer::builder().flag("--cors-enabled", true).start().await;
    let session = Session::with_plan(
        &server,
        json!({ "rules": [
        { "match": {"path": "/msg"}, "script": ["503", {"status": 429, "retry_after": {"seconds": 1}}] }
    ] }),
    )
    .await;
    let preflight = session
        .request(Method::OPTIONS, "/msg")
        .header("Origin", "http://shop.example")
        .header("Access-Control-Request-Method", "POST")
        .header(
            "Access-Control-Request-Headers",
            "x-test-session, x-fault, idempotency-key, x-request-id, content-type",
        );
    let preflight = answer(preflight).await;
    assert!((200..300).contains(&preflight.status), "{preflight:#?}");
    let allowed = preflight.header("Access-Control-Allow-Headers").unwrap_or_default().to_lowercase();
    for header in ["x-test-session", "x-fault", "idempotency-key", "x-request-id"] {
        assert!(allowed.contains(header), "{header}: {allowed}");
    }
    for status in [503, 429, 200] {
        let seen = answer(session.get("/msg").header("Origin", "http://shop.example")).await;
        assert_eq!(seen.status, status);
        assert_eq!(seen.header("Access-Control-Allow-Origin"), Some("*"), "{seen:#?}");
        let exposed = seen.header("Access-Control-Expose-Headers").unwrap_or_default().to_lowercase();
        for header in ["idempotent-replayed", "retry-after", "location"] {
            assert!(exposed.contains(header), "{header}: {exposed}");
        }
    }
    assert_eq!(session.plan().await["rules"][0]["matched"], 3, "the preflight took no step");
}
