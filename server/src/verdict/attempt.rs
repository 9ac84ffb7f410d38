//! One attempt of a call, and how it ended.

use std::time::Duration;

use crate::journal::{Ended, Entry};

/// A request, and those that belong to it: where it was redirected to, and what the client's HTTP library repeated at
/// once because the connection turned out to be closed.
#[derive(Debug, Clone)]
pub struct Attempt<'a> {
    requests: Vec<&'a Entry>,
    end: Duration,
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// A whole answer with a status below 400.
    Succeeded,
    /// A whole answer with a status of 400 or more.
    Refused(u16),
    /// No answer, or a broken one.
    Broken,
    /// Part of an answer, and perhaps all that the client wanted: it left meanwhile, or the connection was reset after
    /// a number of bytes.
    Unclear,
}

/// When an entry ended.
#[must_use]
pub fn end(entry: &Entry) -> Duration {
    entry.at + entry.duration
}

/// The name of the fault that an entry got, without its parameter; empty if it got none.
#[must_use]
pub fn fault_name(entry: &Entry) -> &str {
    let short = entry.fault.as_ref().map_or("", |fault| &*fault.short);
    short.split(':').next().unwrap_or_default()
}

/// How a request ended.
#[must_use]
pub fn outcome(entry: &Entry) -> Outcome {
    let some_bytes = entry.first_byte.is_some();
    match (entry.ended, entry.status) {
        (Ended::ClientLeft, _) if some_bytes => Outcome::Unclear,
        (Ended::Broken, _) if some_bytes && fault_name(entry) == "reset" => Outcome::Unclear,
        (Ended::ClientLeft | Ended::Broken | Ended::Stale, _) | (_, None) => Outcome::Broken,
        _ if matches!(fault_name(entry), "malformed_chunk" | "garbage" | "truncate") => Outcome::Broken,
        (Ended::Answered | Ended::TimedOut, Some(status)) if status >= 400 => Outcome::Refused(status),
        (Ended::Answered | Ended::TimedOut, Some(_)) => Outcome::Succeeded,
    }
}

impl<'a> Attempt<'a> {
    pub(super) fn new(request: &'a Entry) -> Self {
        Self { requests: vec![request], end: end(request) }
    }

    pub(super) fn follow(&mut self, request: &'a Entry) {
        self.requests.push(request);
        self.end = self.end.max(end(request));
    }

    /// The request that began it.
    #[must_use]
    pub fn first(&self) -> &'a Entry {
        self.requests[0]
    }

    /// The request that ended it.
    #[must_use]
    pub fn last(&self) -> &'a Entry {
        self.requests[self.requests.len() - 1]
    }

    /// All its requests.
    #[must_use]
    pub fn requests(&self) -> &[&'a Entry] {
        &self.requests
    }

    /// When it began, since the session began.
    #[must_use]
    pub fn begin(&self) -> Duration {
        self.first().at
    }

    /// When it ended, since the session began.
    #[must_use]
    pub fn end(&self) -> Duration {
        self.end
    }

    /// How it ended.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        outcome(self.last())
    }
}

impl Outcome {
    /// Whether the same request may succeed a little later.
    #[must_use]
    pub fn is_passing(self) -> bool {
        match self {
            Self::Broken => true,
            Self::Refused(status) => matches!(status, 408 | 425 | 429 | 500 | 502 | 503 | 504),
            Self::Succeeded | Self::Unclear => false,
        }
    }
}
