//! The result of one call as one line of JSON.

mod headers;
mod one_line;

use std::{ops::Not, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD};
use resilient_client::{Attempt, AttemptRole, Error, Response};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::secrets::without_userinfo;

use self::{
    headers::ByName,
    one_line::{compact, escape_line_ends},
};

/// A report. Every key is always present, and `null` where it does not apply, except `body_base64`, and what only hedged
/// calls have.
#[derive(Debug, Serialize)]
pub(crate) struct Report<'a> {
    outcome: &'static str,
    kind: Option<&'static str>,
    message: Option<String>,
    status: Option<u16>,
    request_id: Option<&'a str>,
    attempts: Vec<Try>,
    duration_ms: f64,
    retry_after_ms: Option<f64>,
    headers: Option<ByName<'a>>,
    body: Option<Body<'a>>,
    /// A body that is not UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    body_base64: Option<String>,
}

/// One attempt.
#[derive(Debug, Serialize)]
struct Try {
    n: usize,
    status: Option<u16>,
    error: Option<&'static str>,
    duration_ms: f64,
    wait_ms: Option<f64>,
    /// Written only for a hedge.
    #[serde(skip_serializing_if = "Not::not")]
    hedge: bool,
    /// Written only for an attempt that was cancelled, because another one was faster.
    #[serde(skip_serializing_if = "Not::not")]
    cancelled: bool,
}

/// A body that is UTF-8.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Body<'a> {
    /// JSON, with its numbers and strings as they were written.
    Json(Box<RawValue>),
    Text(&'a str),
}

impl<'a> Report<'a> {
    pub(crate) fn new(result: &'a Result<Response, Error>, took: Duration) -> Self {
        let error = result.as_ref().err();
        let response = result.as_ref().map_or_else(Error::response, Some);
        let (request_id, attempts) = match result {
            Ok(response) => (Some(response.request_id()), response.attempts()),
            Err(error) => (error.request_id(), error.attempts()),
        };
        let (body, body_base64) = response.map(|response| body(response.body())).unwrap_or_default();
        Self {
            outcome: if error.is_some() { "error" } else { "ok" },
            kind: error.map(|error| error.kind().name()),
            message: error.map(|error| without_userinfo(&error.to_string()).into_owned()),
            status: response.map(Response::status),
            request_id,
            attempts: attempts.iter().enumerate().map(|(i, attempt)| Try::new(i + 1, attempt)).collect(),
            duration_ms: millis(took),
            retry_after_ms: error.and_then(Error::retry_after).map(millis),
            headers: response.map(|response| headers::by_name(response.headers())),
            body,
            body_base64,
        }
    }

    /// One line, whatever the body holds.
    pub(crate) fn to_json(&self) -> String {
        let json = serde_json::to_string(self).expect("strings, numbers and JSON can be written as JSON");
        escape_line_ends(json)
    }
}

impl Try {
    fn new(n: usize, attempt: &Attempt) -> Self {
        Self {
            n,
            status: attempt.status,
            error: attempt.error.map(resilient_client::ErrorKind::name),
            duration_ms: millis(attempt.duration),
            wait_ms: attempt.wait.map(millis),
            hedge: attempt.role == AttemptRole::Hedge,
            cancelled: attempt.is_cancelled(),
        }
    }
}

fn body(bytes: &[u8]) -> (Option<Body<'_>>, Option<String>) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return (None, Some(BASE64_STANDARD.encode(bytes)));
    };
    (Some(json(text).map_or(Body::Text(text), Body::Json)), None)
}

fn json(text: &str) -> Option<Box<RawValue>> {
    let value: &RawValue = serde_json::from_str(text).ok()?;
    RawValue::from_string(compact(value.get())).ok()
}

/// Converts to milliseconds, rounded to the microsecond.
fn millis(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_json_if_it_is_and_else_text_and_else_base64() {
        for (bytes, expected) in [
            (&b"{\"a\": 12345678901234567890123}"[..], "{\"a\":12345678901234567890123}"),
            (b"{\n  \"a\": 1.50\r\n}\n", "{\"a\":1.50}"),
            (b" [1] ", "[1]"),
            (b"plain", "\"plain\""),
            (b"", "\"\""),
            (b"{\"a\":", "\"{\\\"a\\\":\""),
        ] {
            let (body, base64) = body(bytes);
            assert_eq!(serde_json::to_string(&body.unwrap()).unwrap(), expected);
            assert_eq!(base64, None);
        }
        let (none, base64) = body(&[0xff, 0x00]);
        assert!(none.is_none());
        assert_eq!(base64.as_deref(), Some("/wA="));
    }

    #[test]
    fn times_are_milliseconds_to_the_microsecond() {
        assert!((millis(Duration::from_nanos(1_234_567)) - 1.235).abs() < f64::EPSILON);
    }
}
