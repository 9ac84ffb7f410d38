//! What a connection is doing, shared between its socket and the layers that handle its requests.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use actix_web::HttpRequest;

use super::stream::Patience;

/// One connection's state. HTTP/1.1 answers one request of a connection at a time.
#[derive(Debug)]
pub struct Exchange {
    phase: Cell<Phase>,
}

/// What a connection is waiting for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// For the first byte of its first request.
    New { since: Instant },
    /// For the rest of a request's head.
    Head { since: Instant },
    /// For us.
    Answering(Expecting),
    /// For the first byte of another request.
    Idle { since: Instant },
}

/// What may still come while a request is being answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expecting {
    /// The request's body.
    Body,
    /// Nothing of this request; the next one perhaps.
    Nothing,
}

impl Exchange {
    pub(super) fn new(now: Instant) -> Self {
        Self { phase: Cell::new(Phase::New { since: now }) }
    }

    /// The state of the connection that a request came on; `None` in a test without connections.
    #[must_use]
    pub fn of(request: &HttpRequest) -> Option<Rc<Self>> {
        request.conn_data::<Rc<Self>>().cloned()
    }

    /// A request has come this far, and we are working on it.
    pub fn begin(&self, expecting: Expecting) {
        self.phase.set(Phase::Answering(expecting));
    }

    /// The answer is made.
    pub fn end(&self) {
        self.phase.set(Phase::Idle { since: Instant::now() });
    }

    pub(super) fn received_bytes(&self) {
        if let Phase::New { .. } | Phase::Idle { .. } = self.phase.get() {
            self.phase.set(Phase::Head { since: Instant::now() });
        }
    }

    pub(super) fn phase(&self) -> Phase {
        self.phase.get()
    }
}

impl Phase {
    /// When the connection has been silent for too long; `None` while it waits for us.
    pub(super) fn deadline(self, patience: &Patience) -> Option<Instant> {
        let (since, bound): (Instant, Duration) = match self {
            Self::New { since } | Self::Head { since } => (since, patience.head),
            Self::Idle { since } => (since, patience.idle),
            Self::Answering(_) => return None,
        };
        Some(since + bound)
    }

    /// Whether closing the connection now interrupts nobody.
    pub(super) fn is_between_requests(self) -> bool {
        matches!(self, Self::New { .. } | Self::Idle { .. })
    }
}
