//! One request from when it came to when its answer has been written.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use actix_web::HttpRequest;
use actix_web::http::header::HeaderValue;
use resilience_actors::journal::Open;

use super::entry::{Ended, Entry};
use super::session_journal::Journal;

/// A request that is being recorded. It leaves its entry when it ends, and when it is dropped: then it ended in the
/// way that was expected for that case, which is that the client left unless somebody said otherwise.
pub struct Recording {
    parts: Option<(Open<Entry>, Box<Entry>)>,
    came: Instant,
    expected: Expected,
    writes: Option<Writes>,
}

/// How a request ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expected {
    /// When all of its answer has been written.
    pub written: Ended,
    /// When its connection ends before.
    pub cut: Ended,
}

/// When bytes of the answer were written.
#[derive(Debug, Clone, Copy)]
struct Writes {
    first: Instant,
    last: Instant,
}

thread_local! {
    /// Where the text of an entry is put together.
    static SCRATCH: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

impl Recording {
    /// Begins to record a request that came at `came`, as the n-th on a connection.
    #[must_use]
    pub fn begin(
        journal: &Journal,
        request: &HttpRequest,
        came: Instant,
        (connection, request_on_connection): (u64, u32),
    ) -> Self {
        let at = came.saturating_duration_since(journal.began);
        let mut entry = SCRATCH.with_borrow_mut(|scratch| entry_of(request, at, scratch));
        entry.connection = connection;
        entry.request_on_connection = request_on_connection;
        let parts = journal.handle.begin(entry);
        let expected = Expected { written: Ended::Answered, cut: Ended::ClientLeft };
        Self { parts: Some(parts), came, expected, writes: None }
    }

    /// The entry, for what becomes known of the request.
    pub fn entry(&mut self) -> Option<&mut Entry> {
        self.parts.as_mut().map(|(_, entry)| &mut **entry)
    }

    /// Decides how the request ends.
    pub fn expect(&mut self, expected: Expected) {
        self.expected = expected;
    }

    /// Notes that bytes of the answer, given to the kernel at `now`, are with it.
    pub fn wrote(&mut self, now: Instant) {
        let first = self.writes.map_or(now, |writes| writes.first);
        self.writes = Some(Writes { first, last: now });
    }

    /// Ends the recording: all of the answer has been written.
    pub fn written(mut self) {
        let last = self.writes.map_or_else(Instant::now, |writes| writes.last);
        self.end(self.expected.written, last);
    }

    fn end(&mut self, how: Ended, now: Instant) {
        let Some((open, mut entry)) = self.parts.take() else { return };
        entry.ended = how;
        entry.duration = now.saturating_duration_since(self.came);
        entry.first_byte = self.writes.map(|writes| writes.first.saturating_duration_since(self.came));
        if self.writes.is_none() {
            entry.status = None;
        }
        open.end(entry, now);
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        if self.parts.is_some() {
            self.end(self.expected.cut, Instant::now());
        }
    }
}

fn entry_of(request: &HttpRequest, at: Duration, scratch: &mut Vec<u8>) -> Entry {
    let headers = request.headers().iter().map(|(name, value)| (name.as_str(), HeaderValue::as_bytes(value)));
    let parts = [request.method().as_str(), request.uri().path(), request.query_string()];
    Entry::begun(0, at, scratch, parts, headers)
}
