//! The idempotency key of a request: `Idempotency-Key`, else `X-Request-ID`.

use actix_web::HttpRequest;
use actix_web::http::Method;
use actix_web::http::header::{HeaderName, HeaderValue};
use resilience_actors::idempotency::{Fingerprint, Key};
use sha2::{Digest, Sha256};

use crate::headers::{IDEMPOTENCY_KEY, REQUEST_ID, unquoted};
use crate::validation::{self, Fault, Rule};

/// Reads the key. A header that is empty counts as not sent.
///
/// # Errors
/// What is wrong with either header: it was sent twice, or its value is not 1 to 255 visible ASCII characters.
pub(super) fn of(request: &HttpRequest) -> Result<Option<Key>, Vec<Fault>> {
    let mut faults = Vec::new();
    let mut read = |name, location, unquote: fn(&[u8]) -> &[u8]| {
        value_of(request, &name, location, unquote).unwrap_or_else(|fault| {
            faults.push(fault);
            None
        })
    };
    // Both are checked, whichever is used.
    let first = read(IDEMPOTENCY_KEY, ["header", "Idempotency-Key"], unquoted);
    let second = read(REQUEST_ID, ["header", "X-Request-ID"], |bare| bare);
    if faults.is_empty() { Ok(first.or(second)) } else { Err(faults) }
}

/// What a request with a key asks for: its method, its path and its body. The query may change from one attempt to
/// the next.
#[must_use]
pub(super) fn fingerprint(method: &Method, path: &str, body: &[u8]) -> Fingerprint {
    let mut hash = Sha256::new();
    hash.update(method.as_str());
    hash.update([b' ']);
    hash.update(path);
    // Neither a method nor a path holds a line break, so the parts cannot run into each other.
    hash.update([b'\n']);
    hash.update(body);
    Fingerprint(hash.finalize().into())
}

fn value_of(
    request: &HttpRequest,
    name: &HeaderName,
    location: [&'static str; 2],
    unquote: fn(&[u8]) -> &[u8],
) -> Result<Option<Key>, Fault> {
    let mut values = request.headers().get_all(name).map(HeaderValue::as_bytes);
    let Some(first) = values.next() else { return Ok(None) };
    if let Some(second) = values.next() {
        let both = [first, second].map(String::from_utf8_lossy).join(", ");
        return Err(Fault { rule: Rule::StringPatternMismatch, location, input: both });
    }
    let key = unquote(first);
    if key.is_empty() {
        return Ok(None);
    }
    validation::idempotency_key(location, key).map(|key| Some(Key::from(key)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn key(headers: &[(&str, &str)]) -> Result<Option<String>, Vec<&'static str>> {
        let request =
            headers.iter().fold(TestRequest::get(), |request, header| request.append_header(*header));
        of(&request.to_http_request())
            .map(|key| key.map(|key| key.to_string()))
            .map_err(|faults| faults.iter().map(|fault| fault.location[1]).collect())
    }

    #[test]
    fn the_key_is_idempotency_key_else_x_request_id() {
        let long = "k".repeat(255);
        let quoted = format!("\"{long}\"");
        let some = |key: &str| Ok(Some(key.to_owned()));
        let table: [(&[(&str, &str)], _); 9] = [
            (&[], Ok(None)),
            (&[("X-Request-ID", "a")], some("a")),
            (&[("Idempotency-Key", "b")], some("b")),
            (&[("Idempotency-Key", "\"b\""), ("X-Request-ID", "a")], some("b")),
            (&[("Idempotency-Key", ""), ("X-Request-ID", "a")], some("a")),
            (&[("Idempotency-Key", "\"\""), ("X-Request-ID", "a")], some("a")),
            (&[("X-Request-ID", "\"a\"")], some("\"a\"")),
            (&[("Idempotency-Key", &quoted)], some(&long)),
            (&[("X-Request-ID", "")], Ok(None)),
        ];
        for (headers, expected) in table {
            assert_eq!(key(headers), expected, "{headers:?}");
        }
    }

    #[test]
    fn both_headers_are_checked() {
        let too_long = "k".repeat(256);
        type Row<'a> = (&'a [(&'a str, &'a str)], &'a [&'a str]);
        let table: [Row<'_>; 5] = [
            (&[("X-Request-ID", "a"), ("X-Request-ID", "a")], &["X-Request-ID"]),
            (&[("Idempotency-Key", "a"), ("Idempotency-Key", "b")], &["Idempotency-Key"]),
            (&[("Idempotency-Key", "a"), ("X-Request-ID", "a b")], &["X-Request-ID"]),
            (&[("Idempotency-Key", "a b"), ("X-Request-ID", "é")], &["Idempotency-Key", "X-Request-ID"]),
            (&[("Idempotency-Key", &too_long)], &["Idempotency-Key"]),
        ];
        for (headers, expected) in table {
            assert_eq!(key(headers), Err(expected.to_vec()), "{headers:?}");
        }
    }

    #[test]
    fn a_fingerprint_depends_on_method_path_and_body() {
        let all = [
            fingerprint(&Method::GET, "/echo", b""),
            fingerprint(&Method::POST, "/echo", b""),
            fingerprint(&Method::GET, "/echo/a", b""),
            fingerprint(&Method::GET, "/echo", b"a"),
        ];
        for (i, one) in all.iter().enumerate() {
            assert!(!all[i + 1..].contains(one));
        }
        assert_eq!(all[0], fingerprint(&Method::GET, "/echo", b""));
    }
}
