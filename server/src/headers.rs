//! The headers that this server defines or interprets.

use actix_web::http::header::{HeaderName, HeaderValue};
use uuid::Uuid;

/// On every answer: the id that names the request in its log lines.
pub const CORRELATION_ID: HeaderName = HeaderName::from_static("x-correlation-id");

/// On an answer that is replayed: it was made for an earlier or overlapping request with the same key.
pub const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// On a request: its idempotency key.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// On a request: its idempotency key (draft-ietf-httpapi-idempotency-key-header).
pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// On a request: the short form of a fault for this request alone.
pub const FAULT: HeaderName = HeaderName::from_static("x-fault");

/// On a request: the id of its session.
pub const TEST_SESSION: HeaderName = HeaderName::from_static("x-test-session");

/// On a request: the id of its call, for the verdict.
pub const TEST_CALL: HeaderName = HeaderName::from_static("x-test-call");

/// Returns a value of `Idempotency-Key` without its quotes: it is a structured string (RFC 9651), or bare.
#[must_use]
pub fn unquoted(value: &[u8]) -> &[u8] {
    value.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")).unwrap_or(value)
}

/// A correlation id as the value of its header.
pub fn correlation_id(id: Uuid) -> HeaderValue {
    let mut buffer = Uuid::encode_buffer();
    let text = id.as_hyphenated().encode_lower(&mut buffer);
    HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static(""))
}
