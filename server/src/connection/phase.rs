//! Where a connection stands between its first byte and its end.

use actix_web::http::StatusCode;
use tokio::time::Instant;

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

impl Phase {
    /// Whether closing the connection now interrupts nothing.
    pub(super) fn is_between_requests(self) -> bool {
        matches!(self, Self::New { .. } | Self::Idle { .. })
    }
}

/// How the connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Closing {
    /// At once.
    Plain,
    /// After reading for a while what the client still sends, so that no reset destroys the answer.
    Lingering,
}
