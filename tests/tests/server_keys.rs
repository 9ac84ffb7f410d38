//! Which idempotency keys are taken, and how others are refused.

use serde_json::{Value, json};
use workspace_tests::raw::RawResponse;
use workspace_tests::{TestServer, answer};

/// The one entry of a 422 about the idempotency key.
fn key_fault(response: &RawResponse) -> Value {
    assert_eq!(response.status, 422, "{response:?}");
    let body = response.json();
    assert_eq!(body["detail"].as_array().map(Vec::len), Some(1), "{body}");
    assert_eq!(body["detail"][0]["loc"], json!(["header", "X-Request-ID"]));
    body["detail"][0].clone()
}

async fn with_key(server: &TestServer, header: &[u8]) -> RawResponse {
    let mut connection = server.connect().await;
    connection
        .send([b"GET /msg HTTP/1.1\r\nHost: x\r\n", header, b"\r\n\r\n"].concat())
        .await
        .expect("it listens");
    connection.response().await
}

#[tokio::test]
async fn a_key_of_1_to_255_visible_characters_is_taken() {
    let server = TestServer::start().await;
    let every: String = ('!'..='~').collect();
    for key in ["k", &"k".repeat(255), &every, "\"quoted\"", "a,b;c=d"] {
        let first = answer(server.get_keyed("/msg", key)).await;
        let second = answer(server.get_keyed("/msg", key)).await;
        assert_eq!(first.message_id(), second.message_id(), "{key}");
        assert!(!first.is_replayed() && second.is_replayed(), "{key}");
    }
}

#[tokio::test]
async fn a_key_of_256_characters_is_too_long() {
    let server = TestServer::start().await;
    let key = "k".repeat(256);
    let fault = key_fault(&with_key(&server, format!("X-Request-ID: {key}").as_bytes()).await);
    let expected = json!({
        "type": "string_too_long",
        "loc": ["header", "X-Request-ID"],
        "msg": "String should have at most 255 characters",
        "input": key,
        "ctx": { "max_length": 255 },
    });
    assert_eq!(fault, expected);
}

#[tokio::test]
async fn a_key_with_other_characters_does_not_match() {
    let server = TestServer::start().await;
    let keys: [&[u8]; 7] =
        [b"two words", b"a\tb", b"caf\xc3\xa9", b"\xff\xfe", b"\xe2\x80\xa8", b"\x80", b"a\xa0b"];
    for key in keys {
        let fault = key_fault(&with_key(&server, &[b"X-Request-ID: ", key].concat()).await);
        assert_eq!(fault["type"], "string_pattern_mismatch", "{key:?}: {fault}");
        let pattern = fault["ctx"]["pattern"].as_str().unwrap_or_default();
        assert!(!pattern.is_empty(), "{fault}");
        assert_eq!(fault["msg"], format!("String should match pattern '{pattern}'"), "{fault}");
    }
}

#[tokio::test]
async fn two_keys_in_one_request_are_refused() {
    let server = TestServer::start().await;
    for headers in ["X-Request-ID: a\r\nX-Request-ID: b", "X-Request-ID: a\r\nx-request-id: a"] {
        key_fault(&with_key(&server, headers.as_bytes()).await);
    }
    // And neither has been used.
    assert!(!answer(server.get_keyed("/msg", "a")).await.is_replayed());
}

#[tokio::test]
async fn an_empty_key_is_no_key() {
    let server = TestServer::start().await;
    for header in ["X-Request-ID:", "X-Request-ID: ", "X-Request-ID:  \t "] {
        let first = with_key(&server, header.as_bytes()).await;
        let second = with_key(&server, header.as_bytes()).await;
        assert_eq!((first.status, second.status), (200, 200), "{first:?}");
        assert_ne!(first.json(), second.json());
        assert!(second.header("Idempotent-Replayed").is_none());
    }
}

#[tokio::test]
async fn blanks_around_a_key_are_not_part_of_it() {
    let server = TestServer::start().await;
    let first = with_key(&server, b"X-Request-ID:key").await;
    let second = with_key(&server, b"x-request-id: \t key \t ").await;
    assert_eq!((first.status, first.json()), (200, second.json()));
    assert_eq!(second.header("Idempotent-Replayed"), Some("true"));
}
