//! How a fault ends the connection.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::ReadBuf;
use tokio::time::{Instant, Sleep, sleep};

use crate::connection::exchange::Exchange;
use crate::connection::phase::Phase;
use crate::connection::socket::{Incoming, Socket};

/// How much of what the client still sends is read and discarded behind the end of the stream. Closing a socket with
/// unread bytes would be a reset.
const MAX_DISCARDED: usize = 1 << 20;

/// How long a half-closed connection stays open.
const HALF_CLOSED: Duration = Duration::from_secs(2);

/// How long a reset waits for the client to acknowledge what it has been sent.
const MAX_UNACKNOWLEDGED: Duration = Duration::from_secs(30);

/// How long a reset waits where the system does not say what has been acknowledged.
const UNKNOWN_ACKNOWLEDGED: Duration = Duration::from_millis(200);

/// How often the system is asked.
const TICK: Duration = Duration::from_millis(2);

/// The end of a connection. When it is over, the socket has to be dropped.
#[derive(Debug)]
pub(super) enum Ending {
    /// The end of the stream is to be sent, and what the client sends to be discarded.
    Close,
    /// So much has been discarded behind the end of the stream.
    Discarding(usize),
    /// Everything that was sent is to be acknowledged before the reset.
    Reset {
        /// When it was begun.
        since: Instant,
        timer: Pin<Box<Sleep>>,
    },
    /// The end of the stream is to be sent, and nothing to be read.
    HalfClose(Pin<Box<Sleep>>),
    /// As `HalfClose`; the end of the stream has been sent.
    HalfClosed(Pin<Box<Sleep>>),
}

impl Ending {
    /// Ends with the end of the stream.
    pub(super) fn close(exchange: &Exchange) -> Self {
        exchange.set_phase(Phase::Closing { since: Instant::now() });
        Self::Close
    }

    /// Ends with a reset. What the client has not acknowledged would be lost with it.
    pub(super) fn reset() -> Self {
        Self::Reset { since: Instant::now(), timer: Box::pin(sleep(Duration::ZERO)) }
    }

    /// Ends with the end of the stream, and a while later.
    pub(super) fn half_close() -> Self {
        Self::HalfClose(Box::pin(sleep(HALF_CLOSED)))
    }

    /// Ready when the socket can be dropped. Errors are an end as well.
    pub(super) fn poll(&mut self, inner: &mut impl Socket, context: &mut Context<'_>) -> Poll<()> {
        loop {
            match self {
                Self::Close => {
                    if ready!(Pin::new(&mut *inner).poll_shutdown(context)).is_err() {
                        return Poll::Ready(());
                    }
                    *self = Self::Discarding(0);
                }
                Self::Discarding(discarded) => {
                    let mut space = [0; 4096];
                    let mut more = ReadBuf::new(&mut space);
                    let read = ready!(Pin::new(&mut *inner).poll_read(context, &mut more));
                    *discarded += more.filled().len();
                    if read.is_err() || more.filled().is_empty() || *discarded > MAX_DISCARDED {
                        return Poll::Ready(());
                    }
                }
                Self::Reset { since, timer } => {
                    if is_acknowledged(inner, since.elapsed()) {
                        inner.reset_when_closed();
                        return Poll::Ready(());
                    }
                    ready!(timer.as_mut().poll(context));
                    timer.as_mut().reset(Instant::now() + TICK);
                }
                Self::HalfClose(timer) => {
                    if ready!(Pin::new(&mut *inner).poll_shutdown(context)).is_err() {
                        return Poll::Ready(());
                    }
                    let timer = std::mem::replace(timer, Box::pin(sleep(Duration::ZERO)));
                    *self = Self::HalfClosed(timer);
                }
                Self::HalfClosed(timer) => {
                    if Pin::new(&mut *inner).poll_incoming(context) == Incoming::Reset {
                        return Poll::Ready(());
                    }
                    return timer.as_mut().poll(context);
                }
            }
        }
    }
}

fn is_acknowledged(inner: &impl Socket, waited: Duration) -> bool {
    match inner.unacknowledged() {
        Some(0) => true,
        Some(_) => waited >= MAX_UNACKNOWLEDGED,
        None => waited >= UNKNOWN_ACKNOWLEDGED,
    }
}
