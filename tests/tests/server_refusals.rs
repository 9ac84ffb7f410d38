//! A request that no route takes gets a documented refusal, and every answer carries a correlation id of its own,
//! refusals of malformed bytes included.

use std::collections::HashSet;

use futures::future::join_all;
use reqwest::Method;
use serde_json::json;
use workspace_tests::{TestServer, answer};

/// Every route and the one method that it takes.
const ROUTES: [(&str, &str); 9] = [
    ("GET", "/msg"),
    ("POST", "/fail/count/0"),
    ("POST", "/fail/duration/0"),
    ("POST", "/fail/reset"),
    ("GET", "/fail/status"),
    ("GET", "/health"),
    ("GET", "/openapi.json"),
    ("GET", "/docs"),
    ("GET", "/redoc"),
];

#[tokio::test]
async fn an_unknown_path_is_a_404_whatever_the_method() {
    let server = TestServer::start().await;
    let paths = ["/", "/nope", "/msg/x", "/fail", "/fail/", "/fail/count", "/fail/count/1/2", "/MSG", "/%00"];
    for path in paths {
        for method in [Method::GET, Method::POST, Method::DELETE, Method::OPTIONS, Method::PATCH] {
            let request =
                reqwest::Client::builder().no_proxy().build().unwrap().request(method, server.url(path));
            answer(request).await.assert_is(404, &json!({ "detail": "Not Found" }));
        }
    }
}

#[tokio::test]
async fn a_wrong_method_is_a_405_that_names_the_right_one() {
    let server = TestServer::start().await;
    let client = workspace_tests::http::client();
    for (right, path) in ROUTES {
        for wrong in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW"] {
            if wrong == right {
                continue;
            }
            let method = Method::from_bytes(wrong.as_bytes()).unwrap();
            let refused = answer(client.request(method, server.url(path))).await;
            assert_eq!(refused.status, 405, "{wrong} {path}");
            refused.assert_is(405, &json!({ "detail": "Method Not Allowed" }));
            let allowed = refused.header("Allow").unwrap_or_default();
            assert!(
                allowed.split(',').any(|method| method.trim() == right),
                "{wrong} {path}: Allow: {allowed}"
            );
            assert!(
                !allowed.split(',').any(|method| method.trim() == wrong),
                "{wrong} {path}: Allow: {allowed}"
            );
        }
    }
}

#[tokio::test]
async fn odd_spellings_of_a_path_never_cause_a_500() {
    let server = TestServer::start().await;
    let paths = [
        "/msg/",
        "//msg",
        "/%6dsg",
        "/./msg",
        "/../msg",
        "/msg;x=1",
        "/msg%00",
        "/msg%2f",
        "/fail/count//",
        "/%",
        "/%zz",
        "/msg?%",
        "/msg?&&==",
        "/msg?delay",
        "*",
        "/fail/count/%2e%2e",
        "/docs/../../etc/passwd",
        "/docs/%2e%2e/%2e%2e/etc/passwd",
        "/docs/..%2f..%2fetc%2fpasswd",
    ];
    for path in paths {
        let mut connection = server.connect().await;
        connection.request("GET", path, "").await;
        let response = connection.response().await;
        assert!(response.status < 500, "{path}: {response:?}");
        assert!(response.header("X-Correlation-ID").is_some(), "{path}: {response:?}");
        assert!(!String::from_utf8_lossy(&response.body).contains("root:"), "{path}");
    }
    answer(server.get("/msg")).await.message_id();
}

#[tokio::test]
async fn every_answer_carries_a_correlation_id_of_its_own() {
    let server = TestServer::start().await;
    let requests = (0..50).map(|n| match n % 5 {
        0 => server.get("/msg"),
        1 => server.get("/msg?delay=x"),
        2 => server.get("/nope"),
        3 => server.post("/msg"),
        _ => server.post("/fail/reset"),
    });
    let ids: HashSet<_> =
        join_all(requests.map(answer)).await.iter().map(workspace_tests::Answer::correlation_id).collect();
    assert_eq!(ids.len(), 50);
}

#[tokio::test]
async fn a_correlation_id_from_outside_is_not_trusted() {
    let server = TestServer::start().await;
    // `answer` refuses whatever is not one UUID of version 4.
    let sent = server.get("/msg").header("X-Correlation-ID", "not-a-uuid");
    answer(sent).await.message_id();
}

#[tokio::test]
async fn malformed_requests_get_a_400_with_a_correlation_id() {
    let server = TestServer::start().await;
    let malformed: [&[u8]; 8] = [
        b"nonsense\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET /msg HTTP/9.9\r\nHost: x\r\n\r\n",
        b"GET /msg HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n",
        b"GET /msg HTTP/1.1\r\nHost: x\r\nX-Request-ID: a\0b\r\n\r\n",
        b"GET /msg HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n",
        b"GET /msg HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 a TLS hello\r\n\r\n",
    ];
    for bytes in malformed {
        let mut connection = server.connect().await;
        connection.send(bytes).await.unwrap();
        let refused = connection.response().await;
        let what = String::from_utf8_lossy(bytes);
        assert_eq!(refused.status, 400, "{what:?}: {refused:?}");
        workspace_tests::http::uuid_v4(refused.header("X-Correlation-ID").unwrap_or_default());
        connection.closed().await;
    }
    answer(server.get("/msg")).await.message_id();
}
