//! What the journal keeps of one request to the data plane.
//!
//! Method, path, query and headers are in one buffer, as they were sent. What is secret among them is masked when an
//! entry is shown, and not before: whether credentials changed from one attempt to the next is known by comparing them.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use resilience_actors::idempotency::Key;
use resilience_actors::journal::Record;

use crate::headers::{IDEMPOTENCY_KEY, REQUEST_ID, unquoted};

use super::secrets;
use super::text::Text;

/// One request to the data plane. While it is in flight, what is known of it by then.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Names the request within its session, also while it is in flight. The first is 1.
    pub id: u64,
    /// The number of the entry in the order in which the requests ended; 0 in flight. The first is 1.
    pub seq: u64,
    /// When the request came, since its session began.
    pub at: Duration,
    /// From when it came to when it ended.
    pub duration: Duration,
    /// From when it came to when the first byte of its answer was with the kernel; `None` if no byte was.
    pub first_byte: Option<Duration>,
    /// The number of the connection.
    pub connection: u64,
    /// The number of the request on its connection. The first is 1.
    pub request_on_connection: u32,
    /// The idempotency key.
    pub key: Option<Key>,
    /// The body; `None` unless the whole of it was read.
    pub body: Option<Body>,
    /// The fault that was injected.
    pub fault: Option<Arc<InjectedFault>>,
    /// Who made the answer.
    pub answered_by: AnsweredBy,
    /// The status of the answer; `None` when no answer was sent.
    pub status: Option<u16>,
    /// Whether the request was executed.
    pub execution: Execution,
    /// How it ended. In flight, `ClientLeft`.
    pub ended: Ended,
    /// Whether the answer left the connection open for another request.
    pub reuse: Reuse,
    /// What the answer said in `Retry-After`.
    pub retry_after: Option<Box<str>>,
    /// What the answer said in `Location`.
    pub location: Option<Box<str>>,
    text: Text,
}

/// The body of a request that was read to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Body {
    /// Its length.
    pub bytes: u64,
    /// Its SHA-256.
    pub sha256: [u8; 32],
}

/// The fault that a request got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InjectedFault {
    /// What said so.
    pub by: FaultSource,
    /// Its short form.
    pub short: Box<str>,
}

/// What gave a request its fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultSource {
    /// A failure mode: `/fail/count` or `/fail/duration`.
    Mode,
    /// The request itself, by `X-Fault`.
    Header,
    /// A rule of the plan, by its index, and the index of its step in a script.
    Rule {
        /// The rule.
        rule: usize,
        /// The step; `None` for a rule without a script.
        step: Option<usize>,
    },
}

/// Who made an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnsweredBy {
    /// This server.
    Server,
    /// The upstream.
    Upstream,
}

/// Whether a request was executed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Execution {
    /// It was.
    Executed,
    /// The answer was made before, or for another request with its key.
    Replayed,
    /// It was not.
    None,
}

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// The last byte of its answer was with the kernel.
    Answered,
    /// The client left before.
    ClientLeft,
    /// The request timeout passed, and the last byte of the answer that says so was with the kernel.
    TimedOut,
    /// This server broke the answer off, or sent none.
    Broken,
    /// It came on a connection that had gone stale, and got no answer.
    Stale,
}

/// Whether another request can come on the connection of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reuse {
    /// It can.
    Open,
    /// The connection ends.
    Closed,
}

/// What is known of a request in flight without asking the thread that serves it.
#[derive(Debug, Clone)]
pub struct InFlight {
    at: Duration,
    connection: u64,
    request_on_connection: u32,
    text: Text,
}

impl Entry {
    /// A request that came `at` this time after its session began, and is in flight: method, path and query, and its
    /// headers, names in lower case. They are written into `scratch`, which is emptied first, and copied from there.
    pub fn begun<'a>(
        id: u64,
        at: Duration,
        scratch: &mut Vec<u8>,
        request: [&str; 3],
        headers: impl Iterator<Item = (&'a str, &'a [u8])>,
    ) -> Self {
        Self::unfinished(id, at, Text::new(scratch, request, headers))
    }

    /// The request in flight with this id. Its key is the one that its headers name.
    #[must_use]
    pub fn in_flight(id: u64, known: InFlight) -> Self {
        let mut entry = Self::unfinished(id, known.at, known.text);
        entry.connection = known.connection;
        entry.request_on_connection = known.request_on_connection;
        let first = entry.header(IDEMPOTENCY_KEY.as_str()).map(unquoted).filter(|key| !key.is_empty());
        let key = first.or_else(|| entry.header(REQUEST_ID.as_str())).filter(|key| !key.is_empty());
        entry.key = key.and_then(|key| std::str::from_utf8(key).ok()).map(Key::from);
        entry
    }

    fn unfinished(id: u64, at: Duration, text: Text) -> Self {
        Self {
            id,
            seq: 0,
            at,
            duration: Duration::ZERO,
            first_byte: None,
            connection: 0,
            request_on_connection: 1,
            key: None,
            body: None,
            fault: None,
            answered_by: AnsweredBy::Server,
            status: None,
            execution: Execution::None,
            ended: Ended::ClientLeft,
            reuse: Reuse::Closed,
            retry_after: None,
            location: None,
            text,
        }
    }

    /// The method.
    #[must_use]
    pub fn method(&self) -> &str {
        self.text.method()
    }

    /// The path as it was sent, without the prefix of a session.
    #[must_use]
    pub fn path(&self) -> &str {
        self.text.path()
    }

    /// The query as it was sent. Not to be shown: see [`shown_query`](Self::shown_query).
    #[must_use]
    pub fn query(&self) -> &str {
        self.text.query()
    }

    /// The query with its secrets masked.
    #[must_use]
    pub fn shown_query(&self) -> Cow<'_, str> {
        secrets::mask_query(self.query())
    }

    /// The headers that are kept, names in lower case. Not to be shown: see [`shown_headers`](Self::shown_headers).
    pub fn headers(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.text.headers()
    }

    /// The value of the first kept header of this name. Not to be shown.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        self.headers().find(|(found, _)| *found == name).map(|(_, value)| value)
    }

    /// The headers that are kept, with secrets masked.
    pub fn shown_headers(&self) -> impl Iterator<Item = (&str, Cow<'_, str>)> {
        self.headers().map(|(name, value)| {
            let shown = match secrets::is_secret(name) {
                true => secrets::MASK.into(),
                false => String::from_utf8_lossy(value),
            };
            (name, shown)
        })
    }

    /// The names of all headers of the request, also of those whose values are not kept; one that was repeated comes
    /// more than once.
    pub fn header_names(&self) -> impl Iterator<Item = &str> {
        self.text.header_names()
    }
}

impl Record for Entry {
    type Begun = InFlight;

    fn set_id(&mut self, id: u64) {
        self.id = id;
    }

    fn begun(&self) -> InFlight {
        InFlight {
            at: self.at,
            connection: self.connection,
            request_on_connection: self.request_on_connection,
            text: self.text.clone(),
        }
    }

    fn set_seq(&mut self, seq: u64) {
        self.seq = seq;
    }

    fn seq(&self) -> u64 {
        self.seq
    }

    fn bytes(&self) -> usize {
        let fault = self.fault.as_ref().map_or(0, |fault| size_of::<InjectedFault>() + fault.short.len());
        let texts = [&self.retry_after, &self.location].into_iter().flatten().map(|text| text.len());
        size_of::<Self>()
            + self.text.bytes()
            + self.key.as_ref().map_or(0, |key| key.len())
            + fault
            + texts.sum::<usize>()
    }
}

#[cfg(test)]
#[path = "entry_tests.rs"]
pub(in crate::journal) mod tests;
