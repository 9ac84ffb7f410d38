//! `/metrics` and `/ready`: what is counted, under which names, and that no label comes from a client.

use std::collections::BTreeSet;

use fastrand::Rng;
use futures::future::join_all;
use serde_json::json;
use workspace_tests::seed::rng;
use workspace_tests::{Session, TestServer, answer};

/// How many random requests are sent, over how many connections, and how many at once over each.
const REQUESTS: usize = 100_000;
const CONNECTIONS: usize = 10;
const BATCH: usize = 50;

const METHODS: [&str; 6] = ["GET", "POST", "PUT", "DELETE", "BREW", "X"];

async fn metrics(server: &TestServer) -> String {
    let response = server.get("/metrics").send().await.expect("an answer");
    assert_eq!(response.status(), 200);
    assert_eq!(
        response.headers()["content-type"],
        "application/openmetrics-text; version=1.0.0; charset=utf-8"
    );
    let text = response.text().await.expect("a text");
    assert!(text.ends_with("# EOF\n"), "{text}");
    text
}

/// The value of a series.
fn value(text: &str, series: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.map(|value| value.parse().expect("a number"))
}

fn series(text: &str) -> BTreeSet<&str> {
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    samples.filter_map(|line| line.rsplit_once(' ')).map(|(series, _)| series).collect()
}

#[tokio::test]
async fn requests_faults_cache_sessions_journal_and_findings_are_counted() {
    let server = TestServer::start().await;
    let session =
        Session::open(&server, json!({ "faults": { "rules": [{ "script": ["503", "reset", "delay:1"] }] } }))
            .await;
    assert_eq!(answer(session.get("/msg")).await.status, 503);
    session.get("/msg").send().await.expect_err("a reset");
    for _ in 0..3 {
        answer(session.get("/msg").header("Idempotency-Key", "k")).await;
    }
    answer(server.post("/fail/count/0")).await;
    answer(server.get("/nowhere")).await;
    answer(server.get("/s/unknown/msg")).await;
    for _ in 0..2 {
        answer(session.get("/verdict")).await;
    }
    let text = metrics(&server).await;
    let expected = [
        (r#"requests_total{route="/msg",status="200"}"#, 3),
        (r#"requests_total{route="/msg",status="503"}"#, 1),
        (r#"requests_total{route="/msg",status="none"}"#, 1),
        (r#"requests_total{route="/fail/count/{count}",status="200"}"#, 1),
        (r#"requests_total{route="other",status="404"}"#, 2),
        (r#"faults_injected_total{kind="status"}"#, 1),
        (r#"faults_injected_total{kind="reset"}"#, 1),
        (r#"faults_injected_total{kind="delay"}"#, 1),
        (r#"faults_injected_total{kind="hang"}"#, 0),
        ("cache_hits_total", 2),
        ("cache_misses_total", 1),
        ("slots_in_use", 0),
        ("slots_waiting", 0),
        ("sessions", 2),
        (r#"findings_total{id="key-missing"}"#, 0),
    ];
    for (name, expected) in expected {
        assert_eq!(value(&text, &format!("test_server_{name}")), Some(expected), "{name} in {text}");
    }
    assert!(value(&text, "test_server_connections").is_some_and(|open| open > 0), "{text}");
    assert!(value(&text, "test_server_journal_entries_total").is_some_and(|count| count >= 5), "{text}");
}

#[tokio::test]
async fn a_finding_is_counted_once_a_session_however_often_the_verdict_is_asked_for() {
    let server = TestServer::start().await;
    for expected in 1..=2 {
        let session =
            Session::open(&server, json!({ "faults": { "rules": [{ "fault": "503" }] }, "calls": 1 })).await;
        session.statuses("/msg", 5).await;
        for _ in 0..2 {
            let verdict = answer(session.get("/verdict")).await.body;
            assert!(verdict["findings"].to_string().contains("no-backoff"), "{verdict}");
        }
        let text = metrics(&server).await;
        assert_eq!(value(&text, r#"test_server_findings_total{id="no-backoff"}"#), Some(expected), "{text}");
    }
}

#[tokio::test]
async fn requests_that_hold_and_await_slots_are_shown() {
    let server = TestServer::verbose().flag("--max-concurrency", 1).start().await;
    let send = |key: &str| tokio::spawn(server.get_keyed("/msg?delay=300", key).send());
    let _holds = send("holds");
    server.delayed("holds").await;
    let _waits = send("waits");
    server.queued("waits").await;
    let text = metrics(&server).await;
    assert_eq!(value(&text, "test_server_slots_in_use"), Some(1), "{text}");
    assert_eq!(value(&text, "test_server_slots_waiting"), Some(1), "{text}");
}

/// Sends requests over one connection, several at once, and returns how many were answered.
async fn answered(server: &TestServer, requests: &[String]) -> usize {
    let mut connection = server.connect().await;
    let mut answered = 0;
    for batch in requests.chunks(BATCH) {
        connection.send(batch.concat()).await.expect("the connection is open");
        for _ in batch {
            assert!(connection.try_response().await.is_some(), "an answer in {batch:?}");
            answered += 1;
        }
    }
    answered
}

/// A random request to a route with a random part, to an unknown one, or with a random method.
fn random_request(random: &mut Rng) -> String {
    let word: String = (0..8).map(|_| random.alphanumeric()).collect();
    let begin = ["/", "/echo/", "/s/", "/fail/count/", "/msg?", "/sessions/", "/s/default/", "/ui/"];
    let path = begin[random.usize(..begin.len())];
    let method = METHODS[random.usize(..METHODS.len())];
    let method = if random.bool() { method.to_owned() } else { word.to_uppercase() };
    let names = format!("X-Test-Call: {word}\r\nIdempotency-Key: {word}\r\nX-Test-{word}: {word}");
    format!("{method} {path}{word} HTTP/1.1\r\nHost: {word}\r\n{names}\r\n\r\n")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_number_of_series_does_not_grow_with_what_clients_send() {
    let server = TestServer::builder().flag("--workers", 2).start().await;
    let mut random = rng();
    let warm = ["/msg", "/echo", "/echo/x", "/s/x/msg", "/x", "/fail/count/x", "/s/default/msg"];
    for (path, method) in warm.iter().flat_map(|path| METHODS.map(|method| (*path, method))) {
        let method = reqwest::Method::from_bytes(method.as_bytes()).expect("a token");
        server.request(method, path).send().await.expect("an answer");
    }
    // What a route can answer at all is there after some random requests; nothing is added by many.
    let some: Vec<String> = (0..REQUESTS / 50).map(|_| random_request(&mut random)).collect();
    answered(&server, &some).await;
    metrics(&server).await;
    let before = metrics(&server).await;
    let requests: Vec<String> = (0..REQUESTS).map(|_| random_request(&mut random)).collect();
    let all = requests.chunks(REQUESTS / CONNECTIONS).map(|each| answered(&server, each));
    let answered: usize = join_all(all).await.into_iter().sum();
    assert_eq!(answered, REQUESTS);
    let after = metrics(&server).await;
    let new: Vec<_> = series(&after).difference(&series(&before)).map(|name| (*name).to_owned()).collect();
    assert_eq!(new, Vec::<String>::new(), "{REQUESTS} random requests add no series");
    let sum = |text: &str| -> u64 {
        let lines = text.lines().filter(|line| line.starts_with("test_server_requests_total{"));
        lines.filter_map(|line| line.rsplit_once(' ')?.1.parse::<u64>().ok()).sum()
    };
    assert!(sum(&after) >= sum(&before) + REQUESTS as u64, "every request is counted");
}

#[tokio::test]
async fn metrics_and_readiness_are_there_without_the_documentation_and_the_live_page_is_not() {
    let server = TestServer::builder().flag("--enable-docs", "false").start().await;
    metrics(&server).await;
    let ready = answer(server.get("/ready")).await;
    assert_eq!((ready.status, ready.body), (200, json!({ "status": "ready" })));
    for path in ["/s/default/metrics", "/ui", "/ui/main.js"] {
        assert_eq!(answer(server.get(path)).await.status, 404, "{path}");
    }
}
