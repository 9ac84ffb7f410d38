//! Entries as JSON.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::time::Duration;

use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use super::entry::{AnsweredBy, Ended, Entry, Execution, FaultSource, InjectedFault};

/// One request to the data plane.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = JournalEntry)]
pub struct ShownEntry<'a> {
    /// Names the request within its session.
    id: u64,
    /// Its number in the order in which the requests ended; null in flight.
    #[schema(required = true)]
    seq: Option<u64>,
    /// When it came, in milliseconds since the session began.
    at_ms: f64,
    /// The number of its connection.
    connection: u64,
    /// Its number on the connection, from 1.
    request_on_connection: u32,
    /// The method.
    method: &'a str,
    /// The path as it was sent, without the prefix of a session.
    path: &'a str,
    /// The query as it was sent; values of parameters named like secrets are `***`.
    #[schema(value_type = String)]
    query: Cow<'a, str>,
    /// The idempotency key.
    #[schema(required = true)]
    key: Option<&'a str>,
    /// The headers, names in lower case, up to 4 KiB; credentials, cookies and API keys are `***`; repeated ones are
    /// joined by `, `.
    #[schema(value_type = std::collections::HashMap<String, String>)]
    headers: Headers<'a>,
    /// The length of the body; null unless the whole of it was read.
    #[schema(required = true)]
    body_bytes: Option<u64>,
    /// The SHA-256 of the body in hexadecimal digits; null unless the whole of it was read.
    #[schema(required = true)]
    body_sha256: Option<String>,
    /// The fault that was injected.
    #[schema(required = true)]
    fault: Option<ShownFault<'a>>,
    /// Who made the answer: `server` or `upstream`.
    #[schema(value_type = String)]
    answered_by: &'static str,
    /// The status of the answer; null when no answer was sent.
    #[schema(required = true)]
    status: Option<u16>,
    /// `executed`, `replayed` or `none`.
    #[schema(value_type = String)]
    execution: &'static str,
    /// From when it came to when it ended, in milliseconds; null in flight.
    #[schema(required = true)]
    duration_ms: Option<f64>,
    /// How it ended: `answered`, `client_left`, `timed_out`, `broken` or `stale`; null in flight.
    #[schema(value_type = String, required = true)]
    ended: Option<&'static str>,
}

/// The fault that a request got.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = JournalFault)]
struct ShownFault<'a> {
    /// What said so: `mode`, `header` or `rule`.
    by: &'static str,
    /// The index of the rule, from 0.
    #[schema(required = true)]
    rule: Option<usize>,
    /// The index of the step in the script of the rule, from 0.
    #[schema(required = true)]
    step: Option<usize>,
    /// The short form of the fault.
    short: &'a str,
}

impl<'a> From<&'a Entry> for ShownEntry<'a> {
    fn from(entry: &'a Entry) -> Self {
        let has_ended = entry.seq > 0;
        Self {
            id: entry.id,
            seq: has_ended.then_some(entry.seq),
            at_ms: milliseconds(entry.at),
            connection: entry.connection,
            request_on_connection: entry.request_on_connection,
            method: entry.method(),
            path: entry.path(),
            query: entry.shown_query(),
            key: entry.key.as_deref(),
            headers: Headers(entry),
            body_bytes: entry.body.map(|body| body.bytes),
            body_sha256: entry.body.map(|body| hexadecimal(&body.sha256)),
            fault: entry.fault.as_deref().map(ShownFault::from),
            answered_by: match entry.answered_by {
                AnsweredBy::Server => "server",
                AnsweredBy::Upstream => "upstream",
            },
            status: entry.status,
            execution: match entry.execution {
                Execution::Executed => "executed",
                Execution::Replayed => "replayed",
                Execution::None => "none",
            },
            duration_ms: has_ended.then(|| milliseconds(entry.duration)),
            ended: has_ended.then(|| name(entry.ended)),
        }
    }
}

impl<'a> From<&'a InjectedFault> for ShownFault<'a> {
    fn from(fault: &'a InjectedFault) -> Self {
        let (by, rule, step) = match fault.by {
            FaultSource::Mode => ("mode", None, None),
            FaultSource::Header => ("header", None, None),
            FaultSource::Rule { rule, step } => ("rule", Some(rule), step),
        };
        Self { by, rule, step, short: &fault.short }
    }
}

/// How a request ended, as it is shown.
fn name(ended: Ended) -> &'static str {
    match ended {
        Ended::Answered => "answered",
        Ended::ClientLeft => "client_left",
        Ended::TimedOut => "timed_out",
        Ended::Broken => "broken",
        Ended::Stale => "stale",
    }
}

/// To the microsecond.
pub(super) fn milliseconds(duration: Duration) -> f64 {
    duration.as_micros() as f64 / 1000.0
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The headers of an entry as an object, in which a name comes once.
#[derive(Debug)]
struct Headers<'a>(&'a Entry);

impl Serialize for Headers<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut joined: Vec<(&str, Cow<'_, str>)> = Vec::new();
        for (name, value) in self.0.shown_headers() {
            match joined.iter_mut().find(|(found, _)| *found == name) {
                Some((_, values)) => *values = format!("{values}, {value}").into(),
                None => joined.push((name, value)),
            }
        }
        serializer.collect_map(joined)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::entry::Body;
    use crate::journal::entry::tests::entry;
    use serde_json::{Value, json};
    use std::sync::Arc;

    fn shown(entry: &Entry) -> Value {
        serde_json::to_value(ShownEntry::from(entry)).unwrap()
    }

    #[test]
    fn an_entry_is_shown_with_every_field() {
        let headers = [("x-a", "1"), ("cookie", "a=b"), ("x-a", "2")];
        let mut entry = entry(["POST", "/echo/a%20b", "token=abc&x=1"], &headers);
        entry.seq = 9;
        entry.connection = 3;
        entry.request_on_connection = 2;
        entry.key = Some("k".into());
        entry.body = Some(Body { bytes: 3, sha256: [0xab; 32] });
        let by = FaultSource::Rule { rule: 1, step: Some(4) };
        entry.fault = Some(Arc::new(InjectedFault { by, short: "503".into() }));
        entry.status = Some(503);
        entry.execution = Execution::Replayed;
        entry.duration = Duration::from_micros(1234);
        entry.ended = Ended::Answered;
        let expected = json!({
            "id": 7, "seq": 9, "at_ms": 1500.0, "connection": 3, "request_on_connection": 2,
            "method": "POST", "path": "/echo/a%20b", "query": "token=***&x=1", "key": "k",
            "headers": {"x-a": "1, 2", "cookie": "***"},
            "body_bytes": 3, "body_sha256": "ab".repeat(32),
            "fault": {"by": "rule", "rule": 1, "step": 4, "short": "503"},
            "answered_by": "server", "status": 503, "execution": "replayed", "duration_ms": 1.234,
            "ended": "answered",
        });
        assert_eq!(shown(&entry), expected);
    }

    #[test]
    fn what_is_not_known_is_null() {
        let shown = shown(&entry(["GET", "/msg", ""], &[]));
        for name in ["seq", "key", "body_bytes", "body_sha256", "fault", "status", "duration_ms", "ended"] {
            assert_eq!(shown[name], Value::Null, "{name}");
        }
        assert_eq!((&shown["headers"], &shown["execution"]), (&json!({}), &json!("none")));
    }
}
