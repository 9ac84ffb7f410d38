//! What a client promises, as JSON, and what of a journal it is held against.

use std::time::Duration;

use crate::headers::unquoted;
use crate::journal::Entry;
use crate::json::reader::MAX_INTEGER;
use crate::json::{Node, Object, Place, Problem, Problems};

use super::findings::Row;

/// The longest wait of a client that promises nothing.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// The longest wait that a client has to sit out before it may give up.
const PATIENCE: Duration = Duration::from_secs(60);

/// The promises of a client. Those that are not made are judged by the defaults of each finding.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    /// The most attempts of a call.
    pub max_attempts: Option<u64>,
    /// The statuses after which the client tries again.
    pub retries_on: Option<Vec<u16>>,
    /// The shortest wait between two attempts.
    pub min_wait: Option<Duration>,
    /// The longest wait between two attempts.
    pub max_wait: Option<Duration>,
    /// Whether waits are random.
    pub jitter: Option<bool>,
    /// How long the client waits for an answer.
    pub timeout: Option<Duration>,
    /// The header that holds the key, in lower case.
    pub key_header: Option<String>,
    /// The findings that are accepted.
    pub allow: Vec<Row>,
}

impl Policy {
    /// Reads a policy.
    ///
    /// # Errors
    /// Everything that is wrong with it, at places that begin with `body`.
    pub fn read(text: &[u8]) -> Result<Self, Vec<Problem>> {
        Problems::read(text, read)
    }

    /// Reads the policy that stands at `root`.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn read_at(text: &[u8], root: Vec<Place>) -> Result<Self, Vec<Problem>> {
        Problems::read_text(text, root, read)
    }

    /// The wait beyond which a like request is not taken for another attempt.
    #[must_use]
    pub(super) fn longest_wait(&self) -> Duration {
        self.max_wait.unwrap_or(LONGEST_WAIT)
    }

    /// The wait beyond which the client need not follow a `Retry-After`.
    #[must_use]
    pub(super) fn patience(&self) -> Duration {
        self.max_wait.map_or(PATIENCE, |longest| longest.min(PATIENCE))
    }

    /// The idempotency key of a request.
    #[must_use]
    pub(super) fn key<'a>(&self, entry: &'a Entry) -> Option<&'a str> {
        let own = || entry.key.as_deref();
        let Some(name) = &self.key_header else { return own() };
        let Some(value) = entry.header(name) else {
            return entry.header_names().any(|found| found == name).then(own).flatten();
        };
        let key = std::str::from_utf8(unquoted(value.trim_ascii())).ok()?;
        Some(key).filter(|key| !key.is_empty())
    }

    /// Whether a header of this name, in lower case, holds a key.
    #[must_use]
    pub(super) fn is_key_header(&self, name: &str) -> bool {
        matches!(name, "idempotency-key" | "x-request-id") || self.key_header.as_deref() == Some(name)
    }

    /// Whether a request may be repeated without harm (RFC 9110, 9.2.2, and the draft on `Idempotency-Key`).
    #[must_use]
    pub(super) fn is_safe_to_repeat(&self, entry: &Entry) -> bool {
        let key_header = self.key_header.as_deref().unwrap_or("idempotency-key");
        let keyed = || entry.header_names().any(|name| name == key_header) && self.key(entry).is_some();
        is_idempotent(entry.method()) || (matches!(entry.method(), "POST" | "PATCH") && keyed())
    }
}

/// Whether a method is idempotent (RFC 9110, 9.2.2).
#[must_use]
pub(super) fn is_idempotent(method: &str) -> bool {
    matches!(method, "GET" | "HEAD" | "OPTIONS" | "PUT" | "DELETE" | "TRACE")
}

fn read(node: Node<'_>) -> Option<Policy> {
    let mut object = node.object()?;
    let max_attempts = field(&mut object, "max_attempts", |node| node.integer(1..=MAX_INTEGER));
    let retries_on = field(&mut object, "retries_on", |node| all(node, 500, status));
    let min_wait = field(&mut object, "min_wait_ms", millis);
    let max_wait = field(&mut object, "max_wait_ms", millis);
    let jitter = field(&mut object, "jitter", Node::boolean);
    let timeout = field(&mut object, "timeout_ms", millis);
    let key_header = field(&mut object, "key_header", |node| header_name(&node));
    let allow = field(&mut object, "allow", |node| all(node, Row::ALL.len(), row));
    object.finish();
    Some(Policy {
        max_attempts: max_attempts?,
        retries_on: retries_on?,
        min_wait: min_wait?,
        max_wait: max_wait?,
        jitter: jitter?,
        timeout: timeout?,
        key_header: key_header?,
        allow: allow?.unwrap_or_default(),
    })
}

/// A field that may be missing: `None` when it is wrong.
fn field<'a, T>(
    object: &mut Object<'a>,
    name: &'static str,
    read: impl FnOnce(Node<'a>) -> Option<T>,
) -> Option<Option<T>> {
    match object.optional(name) {
        Some(node) => read(node).map(Some),
        None => Some(None),
    }
}

/// Every element of a list, so that every wrong one is reported.
fn all<'a, T>(node: Node<'a>, limit: usize, read: impl Fn(Node<'a>) -> Option<T>) -> Option<Vec<T>> {
    let read: Vec<Option<T>> = node.list(limit)?.into_iter().map(read).collect();
    read.into_iter().collect()
}

fn status(node: Node<'_>) -> Option<u16> {
    u16::try_from(node.integer(100..=599)?).ok()
}

fn millis(node: Node<'_>) -> Option<Duration> {
    node.integer(0..=86_400_000).map(Duration::from_millis)
}

fn header_name(node: &Node<'_>) -> Option<String> {
    let name = node.clone().string(256)?;
    match actix_web::http::header::HeaderName::from_bytes(name.as_bytes()) {
        Ok(name) => Some(name.as_str().to_owned()),
        Err(_) => node.invalid("should be the name of a header"),
    }
}

fn row(node: Node<'_>) -> Option<Row> {
    node.one_of(&Row::ALL.map(|row| (row.id(), row)))
}
