//! What `/echo` answers.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use reqwest::Method;
use serde_json::{Value, json};
use workspace_tests::{Session, TestServer, answer};

const MEBIBYTE: usize = 1 << 20;

#[tokio::test]
async fn an_echo_tells_the_request_of_any_method() {
    let server = TestServer::start().await;
    let session = Session::open(&server, json!({ "id": "x" })).await;
    let root = Session::default_of(&server);
    for method in ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND", "X-OWN"] {
        let method: Method = method.parse().expect("a token");
        for session in [&session, &root] {
            let path = "/echo/a%2Fb//c;d=1/%C3%A9?x=%20y&&z";
            let echo = answer(session.request(method.clone(), path).body("text \u{e9}")).await;
            echo.message_id();
            assert_eq!(echo.body["method"], method.as_str());
            assert_eq!(echo.body["path"], "/echo/a%2Fb//c;d=1/%C3%A9");
            assert_eq!(echo.body["query"], "x=%20y&&z");
            assert_eq!(echo.body["body"], "text \u{e9}");
            assert_eq!(echo.body["body_base64"], Value::Null);
        }
    }
}

#[tokio::test]
async fn an_echo_of_head_has_no_body() {
    let server = TestServer::start().await;
    let echo = answer(server.request(Method::HEAD, "/echo")).await;
    assert_eq!((echo.status, echo.text.as_str()), (200, ""));
}

#[tokio::test]
async fn an_echo_has_exactly_the_documented_fields() {
    let server = TestServer::start().await;
    let mut connection = server.connect().await;
    let head = "POST /echo HTTP/1.1\r\nHost: h:1\r\nX-A: 1\r\nx-a: 2\r\nX-Empty:\r\nCOOKIE: a=1\r\n\
                Content-Length: 0\r\n\r\n";
    connection.send(head).await.expect("it listens");
    let echo = connection.response().await;
    assert_eq!(echo.status, 200);
    let mut body = echo.json();
    body["message_id"] = json!("");
    let expected = json!({
        "message_id": "", "method": "POST", "path": "/echo", "query": "", "body": "", "body_base64": null,
        "headers": {"host": "h:1", "x-a": "1, 2", "x-empty": "", "cookie": "a=1", "content-length": "0"},
    });
    assert_eq!(body, expected);
}

#[tokio::test]
async fn an_echo_of_a_binary_body_is_base64() {
    let server = TestServer::start().await;
    for bytes in [vec![0xff_u8, 0, 1], (0..=255).collect()] {
        let echo = answer(server.post("/echo").body(bytes.clone())).await;
        assert_eq!(echo.body["body"], Value::Null);
        assert_eq!(echo.body["body_base64"], BASE64_STANDARD.encode(bytes));
    }
    let text = answer(server.post("/echo").body("\u{0}\"\\\u{7f}\u{2028}\n")).await;
    assert_eq!(text.body["body"], "\u{0}\"\\\u{7f}\u{2028}\n");
}

#[tokio::test]
async fn a_body_of_1_mebibyte_is_echoed_and_one_byte_more_is_refused() {
    let server = TestServer::start().await;
    let whole = answer(server.post("/echo").body("x".repeat(MEBIBYTE))).await;
    assert_eq!(whole.body["body"].as_str().map(str::len), Some(MEBIBYTE));
    let more = answer(server.post("/echo").body("x".repeat(MEBIBYTE + 1))).await;
    assert_eq!(more.status, 413, "{:?}", more.body);
    let mut chunked = server.connect().await;
    chunked.request("POST", "/echo", "Transfer-Encoding: chunked\r\n").await;
    let chunk = format!("{:x}\r\n{}\r\n", MEBIBYTE / 2, "x".repeat(MEBIBYTE / 2));
    for chunk in [&chunk, &chunk, "1\r\nx\r\n0\r\n\r\n"] {
        let _ = chunked.send(chunk).await;
    }
    assert_eq!(chunked.response().await.status, 413);
}

#[tokio::test]
async fn an_echo_takes_a_delay_as_messages_do() {
    let server = TestServer::start().await;
    let start = std::time::Instant::now();
    answer(server.get("/echo/x?delay=300")).await.message_id();
    assert!(start.elapsed().as_millis() >= 300);
    for (delay, kind) in [
        ("x", "int_parsing"),
        ("30001", "less_than_equal"),
        ("-1", "greater_than_equal"),
        ("", "int_parsing"),
    ] {
        let refused = answer(server.post(&format!("/echo?delay={delay}"))).await;
        assert_eq!(refused.status, 422, "{delay}");
        let entry = &refused.body["detail"][0];
        assert_eq!((&entry["type"], &entry["loc"]), (&json!(kind), &json!(["query", "delay"])));
    }
}

#[tokio::test]
async fn an_echo_executes_once_a_key_and_a_replay_tells_the_request_at_hand() {
    let server = TestServer::start().await;
    let keyed = |query: &str, header: &str| {
        let request = server.post(&format!("/echo/x{query}")).body("order");
        answer(request.header("Idempotency-Key", "k").header("X-Other", header))
    };
    let first = keyed("?a=1", "one").await;
    let second = keyed("?b=2", "two").await;
    assert_eq!(second.message_id(), first.message_id());
    assert!(!first.is_replayed() && second.is_replayed());
    assert_eq!((&second.body["query"], &second.body["headers"]["x-other"]), (&json!("b=2"), &json!("two")));
    assert_eq!(second.body["body"], "order");
}

#[tokio::test]
async fn only_paths_under_echo_are_echoed() {
    let server = TestServer::start().await;
    for path in ["/echox", "/Echo", "/ech", "/echo%2Fx"] {
        assert_eq!(answer(server.get(path)).await.status, 404, "{path}");
    }
    for path in ["/echo", "/echo/x", "/echo/../msg", "/echo/%"] {
        let mut connection = server.connect().await;
        connection.request("GET", path, "").await;
        let echo = connection.response().await;
        assert_eq!((echo.status, &echo.json()["path"]), (200, &json!(path)), "{echo:?}");
    }
}
