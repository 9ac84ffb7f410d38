//! Idempotency keys: where they come from, and what they remember.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use workspace_tests::{Session, TestServer, answer};

fn reused() -> Value {
    json!({ "detail": "Idempotency key reused with a different request" })
}

#[tokio::test]
async fn both_headers_name_keys_of_one_space_and_quotes_do_not_count() {
    let server = TestServer::start().await;
    let first = answer(server.get("/msg").header("Idempotency-Key", "\"k1\"")).await;
    assert!(!first.is_replayed());
    for (name, value) in [("Idempotency-Key", "k1"), ("X-Request-ID", "k1"), ("idempotency-key", "\"k1\"")] {
        let again = answer(server.get("/msg").header(name, value)).await;
        assert_eq!((again.message_id(), again.is_replayed()), (first.message_id(), true), "{name}: {value}");
    }
    let quoted = answer(server.get("/msg").header("X-Request-ID", "\"k1\"")).await;
    let again = answer(server.get("/msg").header("X-Request-ID", "\"k1\"")).await;
    assert_eq!(quoted.message_id(), again.message_id());
}

#[tokio::test]
async fn the_standard_header_goes_first_and_an_empty_one_is_none() {
    let server = TestServer::start().await;
    let both = server.get("/msg").header("Idempotency-Key", "a").header("X-Request-ID", "b");
    let first = answer(both).await;
    let a = answer(server.get("/msg").header("X-Request-ID", "a")).await;
    assert_eq!(a.message_id(), first.message_id());
    let b = answer(server.get("/msg").header("X-Request-ID", "b")).await;
    assert!(!b.is_replayed(), "the fallback was not used");
    let empty = server.get("/msg").header("Idempotency-Key", "").header("X-Request-ID", "b");
    assert_eq!(answer(empty).await.message_id(), b.message_id());
    for header in ["Idempotency-Key", "X-Request-ID"] {
        for _ in 0..2 {
            assert!(!answer(server.get("/msg").header(header, "")).await.is_replayed());
        }
    }
}

#[tokio::test]
async fn either_header_twice_is_refused() {
    let server = TestServer::start().await;
    for (headers, loc) in [
        ("Idempotency-Key: a\r\nIdempotency-Key: a\r\n", "Idempotency-Key"),
        ("X-Request-ID: a\r\nX-Request-ID: b\r\n", "X-Request-ID"),
        ("Idempotency-Key: a\r\nX-Request-ID: b\r\nX-Request-ID: b\r\n", "X-Request-ID"),
        ("Idempotency-Key:\r\nIdempotency-Key: a\r\n", "Idempotency-Key"),
    ] {
        for path in ["/msg", "/echo"] {
            let mut connection = server.connect().await;
            connection.request("GET", path, headers).await;
            let refused = connection.response().await;
            assert_eq!(refused.status, 422, "{headers:?} {refused:?}");
            assert_eq!(refused.json()["detail"][0]["loc"], json!(["header", loc]), "{headers:?}");
        }
    }
}

#[tokio::test]
async fn a_key_has_1_to_255_characters_without_its_quotes() {
    let server = TestServer::start().await;
    let (most, more) = ("k".repeat(255), "k".repeat(256));
    let ask = |value: String| answer(server.get("/msg").header("Idempotency-Key", value));
    let first = ask(format!("\"{most}\"")).await;
    assert_eq!(ask(most).await.message_id(), first.message_id());
    for value in [more.clone(), format!("\"{more}\"")] {
        let refused = ask(value).await;
        assert_eq!(refused.status, 422);
        let entry = &refused.body["detail"][0];
        assert_eq!(entry["type"], "string_too_long", "{entry}");
        assert_eq!(entry["loc"], json!(["header", "Idempotency-Key"]));
    }
    for value in ["a b", "\"a b\""] {
        let refused = ask(value.to_owned()).await;
        assert_eq!(refused.status, 422, "{value}: {refused:#?}");
        assert_eq!(refused.body["detail"][0]["loc"], json!(["header", "Idempotency-Key"]));
    }
}

#[tokio::test]
async fn a_key_remembers_method_path_and_body_but_not_the_query() {
    let server = TestServer::start().await;
    let ask = |method: Method, path: &str, body: &'static str| {
        answer(server.request(method, path).header("Idempotency-Key", "k").body(body))
    };
    let first = ask(Method::POST, "/echo/a?delay=1", "one").await;
    for (method, path, body) in [
        (Method::PUT, "/echo/a", "one"),
        (Method::POST, "/echo/b", "one"),
        (Method::POST, "/echo/a", "two"),
        (Method::POST, "/echo/a", ""),
        (Method::POST, "/echo", "/aone"),
        (Method::GET, "/msg", ""),
    ] {
        ask(method, path, body).await.assert_is(422, &reused());
    }
    let again = ask(Method::POST, "/echo/a?delay=2&x", "one").await;
    assert_eq!((again.message_id(), again.is_replayed()), (first.message_id(), true));
}

#[tokio::test]
async fn a_key_in_flight_refuses_another_request_at_once() {
    let server = TestServer::verbose().flag("--max-concurrency", 2).start().await;
    let mut running = server.connect().await;
    running.request("GET", "/echo/a?delay=20000", "Idempotency-Key: k\r\n").await;
    server.delayed("delay=20000").await;
    let start = Instant::now();
    let other = answer(server.get("/echo/b").header("Idempotency-Key", "k")).await;
    other.assert_is(422, &reused());
    assert!(start.elapsed() < Duration::from_secs(15), "it did not wait for the other");
}

#[tokio::test]
async fn the_same_key_is_free_in_another_session_and_its_path_has_no_session_in_it() {
    let server = TestServer::start().await;
    let x = Session::open(&server, json!({ "id": "x" })).await;
    let y = Session::open(&server, json!({ "id": "y" })).await;
    let keyed = |session: &Session, path: &str| answer(session.get(path).header("Idempotency-Key", "k"));
    let first = keyed(&x, "/echo/a").await;
    let other = keyed(&y, "/echo/b").await;
    assert!(!other.is_replayed());
    let header = server.get("/echo/a").header("X-Test-Session", "x").header("Idempotency-Key", "k");
    assert_eq!(answer(header).await.message_id(), first.message_id());
}
