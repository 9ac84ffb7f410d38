//! Every route answers what its table says, over any kind of connection.

use serde_json::{Value, json};
use std::collections::HashSet;
use workspace_tests::{TestServer, answer};

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
async fn the_status_reports_the_count_and_the_time_left() {
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
async fn health_reports_an_uptime_with_two_decimals_that_grows() {
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
