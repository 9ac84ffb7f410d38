//! Every route answers what its table says, and every other request gets a documented refusal.

use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::HashSet;
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

fn keys(object: &Value) -> Vec<&str> {
    let mut keys: Vec<_> = object.as_object().expect("an object").keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

#[tokio::test]
async fn a_message_is_one_fresh_uuid() {
    let server = TestServer::start().await;
    let mut ids = HashSet::new();
    for _ in 0..10 {
        let message = answer(server.get("/msg")).await;
        message.assert_is(200, &json!({ "message_id": message.message_id().to_string() }));
        assert!(!message.is_replayed());
        assert!(ids.insert(message.message_id()), "the same id twice");
    }
}

#[tokio::test]
async fn a_delay_is_waited_for() {
    let server = TestServer::start().await;
    let start = std::time::Instant::now();
    answer(server.get("/msg?delay=250")).await.message_id();
    assert!(start.elapsed().as_millis() >= 250);
}

#[tokio::test]
async fn setting_a_failure_mode_repeats_its_parameter() {
    let server = TestServer::start().await;
    for count in [0, 1, 1000] {
        let expected = json!({
            "message": format!("Server will fail the next {count} requests"),
            "fail_requests_count": count,
        });
        answer(server.post(&format!("/fail/count/{count}"))).await.assert_is(200, &expected);
    }
    for seconds in [0, 1, 3600] {
        let expected = json!({
            "message": format!("Server will fail requests for the next {seconds} seconds"),
            "duration_seconds": seconds,
        });
        answer(server.post(&format!("/fail/duration/{seconds}"))).await.assert_is(200, &expected);
    }
    let expected = json!({ "message": "All failure modes have been reset", "status": "normal_operation" });
    answer(server.post("/fail/reset")).await.assert_is(200, &expected);
}

#[tokio::test]
async fn the_status_of_a_healthy_server_is_all_zero() {
    let server = TestServer::start().await;
    let expected = json!({
        "failure_status": {
            "fail_requests_count": 0,
            "fail_until_timestamp": null,
            "duration_remaining_seconds": 0.0,
            "currently_failing": false,
        },
        "currently_failing": false,
    });
    answer(server.get("/fail/status")).await.assert_is(200, &expected);
    answer(server.post("/fail/count/3")).await;
    answer(server.post("/fail/duration/60")).await;
    answer(server.post("/fail/reset")).await;
    answer(server.get("/fail/status")).await.assert_is(200, &expected);
}

#[tokio::test]
async fn the_status_tells_the_count_and_the_time_left() {
    let server = TestServer::start().await;
    answer(server.post("/fail/count/7")).await;
    let before = unix_seconds();
    answer(server.post("/fail/duration/60")).await;
    let after = unix_seconds();
    let status = answer(server.get("/fail/status")).await.body;
    assert_eq!(keys(&status), ["currently_failing", "failure_status"]);
    assert_eq!(status["currently_failing"], true);
    let status = &status["failure_status"];
    assert_eq!(status["fail_requests_count"], 7);
    assert_eq!(status["currently_failing"], true);
    let until = status["fail_until_timestamp"].as_f64().expect("a timestamp");
    // A clock that is read in milliseconds may be one behind.
    assert!((before + 59.99..=after + 60.01).contains(&until), "{before} {until} {after}");
    let remaining = status["duration_remaining_seconds"].as_f64().expect("a number");
    assert!(remaining > 0.0 && remaining <= 60.0, "{remaining}");
}

#[tokio::test]
async fn either_failure_mode_alone_is_currently_failing() {
    let server = TestServer::start().await;
    for arm in ["/fail/count/1", "/fail/duration/60"] {
        answer(server.post(arm)).await;
        let status = answer(server.get("/fail/status")).await.body;
        assert_eq!(status["currently_failing"], true, "{arm}");
        assert_eq!(status["failure_status"]["currently_failing"], true, "{arm}");
        answer(server.post("/fail/reset")).await;
    }
}

#[tokio::test]
async fn health_tells_an_uptime_with_two_decimals_that_grows() {
    let server = TestServer::start().await;
    let mut last = 0.0;
    for _ in 0..5 {
        let health = answer(server.get("/health")).await;
        assert_eq!((health.status, keys(&health.body)), (200, vec!["status", "uptime_seconds"]));
        assert_eq!(health.body["status"], "ok");
        let uptime = health.body["uptime_seconds"].as_f64().expect("a number");
        assert!(uptime >= last, "{uptime} after {last}");
        let decimals = health.text.split_once("\"uptime_seconds\":").expect("the field").1;
        let decimals = decimals.trim_end_matches('}').split_once('.').map_or("", |(_, decimals)| decimals);
        assert!(decimals.len() <= 2, "{}", health.text);
        last = uptime;
        tokio::time::sleep(std::time::Duration::from_millis(15)).await;
    }
    assert!(last > 0.0);
}

#[tokio::test]
async fn an_induced_failure_is_the_documented_500() {
    let server = TestServer::start().await;
    answer(server.post("/fail/count/1")).await;
    answer(server.get("/msg")).await.assert_is(500, &json!({ "detail": "Induced server failure" }));
}

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
async fn a_head_request_where_only_post_or_get_is_known_is_a_405_without_body() {
    let server = TestServer::start().await;
    for (_, path) in ROUTES.iter().filter(|(_, path)| !path.starts_with("/docs")) {
        let mut connection = server.connect().await;
        connection.request("HEAD", path, "").await;
        let refused = connection.head().await;
        // Pages that only show something may answer HEAD as they answer GET.
        let page = ["/openapi.json", "/redoc"].contains(path);
        assert!(refused.status == 405 || (page && refused.status == 200), "HEAD {path}: {refused:?}");
        assert!(refused.header("X-Correlation-ID").is_some(), "HEAD {path}: {refused:?}");
        // Bytes after the head would be taken for the next answer.
        assert_eq!(connection.get("/health").await.status, 200, "after HEAD {path}");
    }
}

#[tokio::test]
async fn odd_spellings_of_a_path_are_never_an_error_of_ours() {
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
async fn bytes_that_are_no_request_get_a_400_with_a_correlation_id() {
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

#[tokio::test]
async fn requests_sent_at_once_on_one_connection_are_answered_in_order() {
    let server = TestServer::start().await;
    let mut connection = server.connect().await;
    let paths = ["/msg?delay=100", "/health", "/nope", "/msg"];
    let bytes: String = paths.iter().map(|path| format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n")).collect();
    connection.send(bytes).await.unwrap();
    let mut seen = Vec::new();
    for _ in paths {
        let response = connection.response().await;
        seen.push((response.status, keys(&response.json())[0].to_owned()));
    }
    let expected = [(200, "message_id"), (200, "status"), (404, "detail"), (200, "message_id")];
    assert_eq!(seen, expected.map(|(status, key)| (status, key.to_owned())));
}

#[tokio::test]
async fn an_http_1_0_client_is_answered_and_its_connection_closed() {
    let server = TestServer::start().await;
    let mut connection = server.connect().await;
    connection.send("GET /msg HTTP/1.0\r\n\r\n").await.unwrap();
    assert_eq!(connection.response().await.status, 200);
    connection.closed().await;
}

fn unix_seconds() -> f64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.expect("the clock is past 1970").as_secs_f64()
}
