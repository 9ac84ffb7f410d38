//! A simulated server: takes requests at points in time, and keeps the journal.

use std::time::Duration;

use test_server::journal::{Body, Ended, Entry, Execution, FaultSource, InjectedFault, Reuse};

use crate::journal::began;
use crate::plan::Reply;

/// One millisecond from here to there.
pub(crate) const LATENCY: Duration = Duration::from_millis(1);

/// A request as a client sends it.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) method: &'static str,
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: u8,
    pub(crate) timeout: Option<Duration>,
}

/// What a client knows of its request afterwards.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Got {
    /// When.
    pub(crate) at: Duration,
    /// The status of a whole answer.
    pub(crate) status: Option<u16>,
    /// When the answer says that it may come back.
    pub(crate) not_before: Option<Duration>,
    /// The number of the entry.
    pub(crate) entry: usize,
    pub(crate) connection: Connection,
    /// Whether the connection may be used again, by a careful client and by a careless one.
    pub(crate) reuse: [bool; 2],
    /// Nothing came on a connection that had been used before.
    pub(crate) unanswered: bool,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Connection {
    number: u64,
    requests: u32,
    stale: bool,
}

#[derive(Default)]
pub(crate) struct World {
    pub(crate) entries: Vec<Entry>,
    connections: u64,
}

impl World {
    pub(crate) fn connect(&mut self) -> Connection {
        self.connections += 1;
        Connection { number: self.connections, requests: 0, stale: false }
    }

    /// A request sent at this time on this connection.
    pub(crate) fn send(&mut self, sent: &Sent, at: Duration, mut on: Connection, reply: Reply) -> Got {
        on.requests += 1;
        let headers = sent.headers.iter().map(|(name, value)| (&**name, value.as_bytes()));
        let id = self.entries.len() as u64 + 1;
        let arrived = at + LATENCY;
        let mut entry = Entry::begun(id, arrived, &mut Vec::new(), [sent.method, &sent.path, ""], headers);
        let header = |name| sent.headers.iter().find(|(found, _)| found == name).map(|(_, value)| &**value);
        entry.key = header("idempotency-key").or(header("x-request-id")).map(Into::into);
        entry.connection = on.number;
        entry.request_on_connection = on.requests;
        entry.body = Some(Body { bytes: 1, sha256: [sent.body; 32] });
        let stale = on.stale;
        let mut careless = false;
        if stale {
            entry.ended = Ended::Stale;
            entry.duration = LATENCY;
        } else {
            careless = answer(&mut entry, reply);
            on.stale = reply == Reply::Stale;
        }
        if sent.timeout.is_some_and(|timeout| arrived + entry.duration + LATENCY > at + timeout) {
            entry.ended = Ended::ClientLeft;
            entry.duration = sent.timeout.unwrap_or_default();
            (entry.status, entry.first_byte, entry.retry_after) = (None, None, None);
            careless = false;
        }
        let whole = matches!(entry.ended, Ended::Answered | Ended::TimedOut)
            && !matches!(reply, Reply::Mangled(_) | Reply::Truncate);
        let careful = careless && whole && reply != Reply::Extra;
        let ended = arrived + entry.duration;
        let wait = match reply {
            Reply::After(_, seconds) | Reply::Date(seconds) => Some(ended + Duration::from_secs(seconds)),
            _ => None,
        };
        let got = Got {
            at: ended + LATENCY,
            status: entry.status.filter(|_| whole),
            not_before: wait.filter(|_| whole),
            entry: self.entries.len(),
            connection: on,
            reuse: [careful, careless],
            unanswered: stale
                || (on.requests > 1 && entry.ended == Ended::Broken && entry.first_byte.is_none()),
        };
        self.entries.push(entry);
        got
    }

    /// The client gives up a request.
    pub(crate) fn cancel(&mut self, entry: usize, at: Duration) {
        let entry = &mut self.entries[entry];
        if entry.at + entry.duration > at {
            entry.duration = (at + LATENCY).saturating_sub(entry.at);
            entry.ended = Ended::ClientLeft;
            (entry.status, entry.first_byte, entry.retry_after) = (None, None, None);
        }
    }
}

/// Fills in how a request ends, and says whether its connection stays open.
fn answer(entry: &mut Entry, reply: Reply) -> bool {
    let fault = |short: &str| Some(InjectedFault { by: FaultSource::Header, short: short.into() }.into());
    let work = Duration::from_millis(5);
    entry.duration = work;
    entry.first_byte = Some(work);
    entry.ended = Ended::Answered;
    entry.reuse = Reuse::Open;
    let (status, short, ended, open) = match reply {
        Reply::Ok => (Some(200), "", Ended::Answered, true),
        Reply::Status(status) | Reply::After(status, _) | Reply::Redirect(status) => {
            (Some(status), "503", Ended::Answered, true)
        }
        Reply::Date(_) => (Some(503), "503", Ended::Answered, true),
        Reply::Silent(short) => (None, short, Ended::Broken, false),
        Reply::Truncate => (Some(200), "truncate", Ended::Broken, false),
        Reply::Mangled(short) => (Some(200), short, Ended::Answered, true),
        Reply::Extra => (Some(200), "extra", Ended::Answered, true),
        Reply::Early => (Some(503), "early:503", Ended::Answered, false),
        Reply::Http10 => (Some(200), "http10", Ended::Answered, false),
        Reply::Hang(_) => (None, "hang", Ended::Broken, false),
        Reply::Stale => (Some(200), "stale", Ended::Answered, true),
        Reply::Lost => (None, "lose", Ended::Broken, false),
        Reply::Full => (Some(408), "", Ended::TimedOut, true),
    };
    if status.is_none() {
        entry.first_byte = None;
    }
    entry.status = status;
    entry.ended = ended;
    entry.fault = if short.is_empty() { None } else { fault(short) };
    let executes = matches!(
        reply,
        Reply::Ok | Reply::Truncate | Reply::Extra | Reply::Http10 | Reply::Stale | Reply::Lost
    );
    entry.execution = if executes { Execution::Executed } else { Execution::None };
    entry.reuse = if open { Reuse::Open } else { Reuse::Closed };
    match reply {
        Reply::Hang(millis) => entry.duration = Duration::from_millis(millis),
        Reply::Full => {
            entry.duration = Duration::from_secs(30);
            entry.first_byte = Some(entry.duration);
        }
        Reply::After(_, seconds) => entry.retry_after = Some(seconds.to_string().into()),
        Reply::Date(seconds) => {
            let at = began() + entry.at + entry.duration + Duration::from_secs(seconds);
            entry.retry_after = Some(httpdate::fmt_http_date(at).into());
        }
        Reply::Early => entry.body = None,
        Reply::Redirect(_) => entry.location = Some("/echo/elsewhere".into()),
        _ => {}
    }
    open
}
