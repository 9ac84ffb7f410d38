//! What a connection is doing, shared between its wrappers and the layers that handle its requests.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use tokio::time::Instant;

use super::delivery::Delivery;
use super::registry::Connections;

/// One connection's state. HTTP/1.1 answers one request of a connection at a time, so this is also the state of the
/// request at hand.
///
/// The layer around every request calls [`begin`](Self::begin) before its handler and [`end`](Self::end) after it;
/// what is written between the two, and until the next request, is our own answer. What a handler decides about its
/// answer's bytes is kept here as well, like [`OnClientExit`]: set after `begin`, forgotten with the next request.
#[derive(Debug)]
pub struct Exchange {
    phase: Cell<Phase>,
    on_client_exit: Cell<OnClientExit>,
    closing: Cell<Closing>,
    delivery: RefCell<Option<Delivery>>,
    /// Whether the answer at hand is ended by a [`Streaming`].
    streams: Cell<bool>,
    number: u64,
    /// Since when the client has taken nothing of what is to be written.
    pub(super) stalled: Cell<Option<Instant>>,
    connections: Arc<Connections>,
}

/// What happens to a request whose client closes its side of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnClientExit {
    /// It is answered: the client may still read. A client that resets the connection cannot.
    Answer,
    /// Its handler is dropped, which gives back what it holds.
    Drop,
}

/// What a connection is doing or waiting for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// It waits for the first byte of its first request.
    New { since: Instant },
    /// It waits for the first byte of another request.
    Idle { since: Instant },
    /// It waits for the rest of a request's head.
    Head { since: Instant },
    /// actix-http has the whole head, and has not accepted the request yet.
    Submitted { since: Instant },
    /// The request is being answered.
    Answering,
    /// The request has been answered; the rest of its body is still to come.
    Leftover { since: Instant },
    /// The client's bytes are not a request and get this status; nothing is written yet.
    Refused(StatusCode),
    /// All is written or about to be, and what the client still sends is discarded.
    Closing { since: Instant },
}

/// How the connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Closing {
    /// At once.
    Plain,
    /// After reading for a while what the client still sends, so that no reset destroys the answer.
    Lingering,
}

impl Exchange {
    pub(super) fn new(connections: Arc<Connections>) -> Self {
        Self {
            phase: Cell::new(Phase::New { since: Instant::now() }),
            on_client_exit: Cell::new(OnClientExit::Answer),
            closing: Cell::new(Closing::Plain),
            stalled: Cell::new(None),
            delivery: RefCell::new(None),
            streams: Cell::new(false),
            number: connections.next_number(),
            connections,
        }
    }

    /// The state of the connection that a request came on; `None` in a test without connections.
    #[must_use]
    pub fn of(request: &HttpRequest) -> Option<Rc<Self>> {
        request.conn_data::<Rc<Self>>().cloned()
    }

    /// Reports that a request has been accepted. What is written from now on is our answer to it.
    pub fn begin(&self) {
        if let Phase::Submitted { .. } = self.phase.get() {
            self.phase.set(Phase::Answering);
        }
    }

    /// Decides what happens when the client closes its side before it has its answer.
    pub fn on_client_exit(&self, what: OnClientExit) {
        self.on_client_exit.set(what);
    }

    /// Decides what happens to the bytes of the answer.
    pub fn deliver(&self, delivery: Delivery) {
        self.delivery.replace(Some(delivery));
    }

    /// The number of the connection, which no other connection of this server has.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Reports that the answer has a streamed body. It ends, and so does the answer, when what is returned is dropped.
    #[must_use = "dropping it ends the answer"]
    pub fn stream(self: Rc<Self>) -> Streaming {
        self.streams.set(true);
        Streaming(self)
    }

    /// Reports that the whole answer has been made: for a streamed body, its last byte.
    pub fn end(&self) {
        if !self.streams.get() && self.phase.get() == Phase::Answering {
            self.phase.set(Phase::Idle { since: Instant::now() });
        }
    }

    /// Whether the server stops, so that an answer is the connection's last.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.connections.is_stopping()
    }

    /// The first byte of a request's head is here.
    pub(super) fn head_begun(&self) {
        if self.phase.get().is_between_requests() {
            self.phase.set(Phase::Head { since: Instant::now() });
        }
    }

    /// The last byte of a request's head is here, and actix-http is given it.
    pub(super) fn head_complete(&self) {
        self.on_client_exit.set(OnClientExit::Answer);
        let since = match self.phase.get() {
            Phase::Head { since } => since,
            _ => Instant::now(),
        };
        self.phase.set(Phase::Submitted { since });
    }

    pub(super) fn set_phase(&self, phase: Phase) {
        self.phase.set(phase);
    }

    pub(super) fn phase(&self) -> Phase {
        self.phase.get()
    }

    pub(super) fn client_exit(&self) -> OnClientExit {
        self.on_client_exit.get()
    }

    pub(super) fn linger(&self) {
        self.closing.set(Closing::Lingering);
    }

    pub(super) fn closing(&self) -> Closing {
        self.closing.get()
    }
}

/// An answer whose body is streamed. Dropping it ends the answer.
pub struct Streaming(Rc<Exchange>);

impl Drop for Streaming {
    fn drop(&mut self) {
        self.0.streams.set(false);
        self.0.end();
    }
}

impl Phase {
    /// Whether closing the connection now interrupts nothing.
    pub(super) fn is_between_requests(self) -> bool {
        matches!(self, Self::New { .. } | Self::Idle { .. })
    }
}
