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

/// The headers of a request that decide what is done with it. Most requests have none of them, and looking each of
/// them up costs more than the rest of what is read of such a request.
pub const INTERPRETED: [HeaderName; 4] = [REQUEST_ID, IDEMPOTENCY_KEY, FAULT, TEST_SESSION];

/// Whether a request has any of the headers that are [`INTERPRETED`].
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Interpreted {
    /// It has none of them.
    #[default]
    None,
    /// It may have them: they are to be looked up.
    Perhaps,
}

impl Interpreted {
    /// Whether the name of one of them begins with this byte.
    #[must_use]
    pub fn may_begin_with(byte: u8) -> bool {
        matches!(byte, b'I' | b'i' | b'X' | b'x')
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_interpreted_header_is_known_by_its_first_byte_in_either_case() {
        for name in INTERPRETED {
            let first = name.as_str().as_bytes()[0];
            for byte in [first, first.to_ascii_uppercase()] {
                assert!(Interpreted::may_begin_with(byte), "{name}");
            }
        }
    }
}
