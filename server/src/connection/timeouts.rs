//! How long the client may be silent, and how long it may leave an answer unread.

use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use actix_web::http::StatusCode;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use super::alarm::Alarm;
use super::exchange::{Exchange, Phase};
use super::socket::{Incoming, Socket};

/// The bounds on a connection's waits for its client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectionTimeouts {
    /// From a request's first byte to the end of its head, and from the connection's start to the first byte.
    pub head: Duration,
    /// Between two requests.
    pub idle: Duration,
    /// While the client takes nothing of its answer.
    pub write: Duration,
    /// While the rest of what a refused client sends is read.
    pub linger: Duration,
}

/// A socket whose waits for the client are bounded. A read that waits too long sees the end of the stream.
pub struct Timeouts<T> {
    inner: T,
    timeouts: ConnectionTimeouts,
    alarm: Alarm,
    exchange: Rc<Exchange>,
}

impl ConnectionTimeouts {
    /// How often to look at the clock: as often as the shortest of the bounds requires.
    fn tick(&self) -> Duration {
        self.head.min(self.idle).min(self.write).max(Duration::from_millis(100))
    }

    /// When the client has been silent for too long; `None` while it waits for us.
    fn deadline(&self, phase: Phase) -> Option<Instant> {
        match phase {
            Phase::New { since }
            | Phase::Head { since }
            | Phase::Submitted { since }
            | Phase::Leftover { since } => Some(since + self.head),
            Phase::Idle { since } => Some(since + self.idle),
            Phase::Closing { since } => Some(since + self.linger),
            Phase::Answering | Phase::Refused(_) => None,
        }
    }
}

impl<T> Timeouts<T> {
    pub(super) fn new(inner: T, timeouts: ConnectionTimeouts, exchange: Rc<Exchange>) -> Self {
        Self { inner, timeouts, alarm: Alarm::new(timeouts.tick()), exchange }
    }

    /// The client is silent at the moment. Ready when it has been so for too long.
    fn poll_silence(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let phase = self.exchange.phase();
        ready!(self.alarm.poll(self.timeouts.deadline(phase), context));
        if let Phase::Head { .. } = phase {
            self.exchange.set_phase(Phase::Refused(StatusCode::REQUEST_TIMEOUT));
        }
        Poll::Ready(())
    }
}

impl<T: Socket> AsyncRead for Timeouts<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match Pin::new(&mut self.inner).poll_read(context, buffer) {
            Poll::Ready(result) => Poll::Ready(result),
            Poll::Pending => self.poll_silence(context).map(Ok),
        }
    }
}

impl<T: Socket> AsyncWrite for Timeouts<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        if let Poll::Ready(result) = Pin::new(&mut self.inner).poll_write(context, buffer) {
            self.exchange.stalled.set(None);
            return Poll::Ready(result);
        }
        let since = self.exchange.stalled.get().unwrap_or_else(Instant::now);
        self.exchange.stalled.set(Some(since));
        let deadline = since + self.timeouts.write;
        self.alarm.poll(Some(deadline), context).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

impl<T: Socket> Socket for Timeouts<T> {
    fn poll_incoming(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Incoming {
        match Pin::new(&mut self.inner).poll_incoming(context) {
            waiting @ (Incoming::Nothing | Incoming::Bytes) => match self.poll_silence(context) {
                Poll::Ready(()) => Incoming::Reset,
                Poll::Pending => waiting,
            },
            left => left,
        }
    }
}
