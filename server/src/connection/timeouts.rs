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
use super::exchange::Exchange;
use super::phase::Phase;
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

    fn unacknowledged(&self) -> Option<usize> {
        self.inner.unacknowledged()
    }

    fn reset_when_closed(&self) {
        self.inner.reset_when_closed();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::testing::{FakeSocket, TIMEOUTS, exchange};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    /// How long a read waits in `phase`, and the phase after it.
    async fn silence_in(phase: fn(Instant) -> Phase) -> (Duration, Phase) {
        let (socket, _client, _) = FakeSocket::pair();
        let exchange = exchange();
        exchange.set_phase(phase(Instant::now()));
        let mut stream = Timeouts::new(socket, TIMEOUTS, Rc::clone(&exchange));
        let start = Instant::now();
        assert_eq!(stream.read(&mut [0]).await.unwrap(), 0);
        (start.elapsed(), exchange.phase())
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_client_is_waited_for_as_long_as_its_phase_allows() {
        type Begin = fn(Instant) -> Phase;
        let bounds: [(Begin, Duration); 6] = [
            (|since| Phase::New { since }, TIMEOUTS.head),
            (|since| Phase::Head { since }, TIMEOUTS.head),
            (|since| Phase::Submitted { since }, TIMEOUTS.head),
            (|since| Phase::Leftover { since }, TIMEOUTS.head),
            (|since| Phase::Idle { since }, TIMEOUTS.idle),
            (|since| Phase::Closing { since }, TIMEOUTS.linger),
        ];
        for (phase, bound) in bounds {
            let (waited, _) = silence_in(phase).await;
            assert!(
                waited >= bound && waited < bound + Duration::from_millis(50),
                "{waited:?}, not {bound:?}"
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn only_half_a_head_is_a_request_timeout() {
        let (_, after) = silence_in(|since| Phase::Head { since }).await;
        assert_eq!(after, Phase::Refused(StatusCode::REQUEST_TIMEOUT));
        let (_, after) = silence_in(|since| Phase::New { since }).await;
        assert!(matches!(after, Phase::New { .. }));
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_waits_for_its_answer_is_never_silent_for_too_long() {
        let (socket, mut client, _) = FakeSocket::pair();
        let exchange = exchange();
        exchange.set_phase(Phase::Answering);
        let mut stream = Timeouts::new(socket, TIMEOUTS, exchange);
        let mut byte = [0];
        let wait = tokio::time::timeout(Duration::from_secs(3600), stream.read(&mut byte));
        assert!(wait.await.is_err());
        client.write_all(b"x").await.unwrap();
        assert_eq!(stream.read(&mut byte).await.unwrap(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_takes_nothing_is_given_up() {
        let (socket, mut client, _) = FakeSocket::pair();
        let exchange = exchange();
        let mut stream = Timeouts::new(socket, TIMEOUTS, Rc::clone(&exchange));
        stream.write_all(&vec![0; 1 << 20]).await.unwrap();
        assert_eq!(exchange.stalled.get(), None);
        let start = Instant::now();
        let mut taken = vec![0; 1 << 20];
        let slow = async {
            tokio::time::sleep(TIMEOUTS.write / 2).await;
            client.read_exact(&mut taken).await.unwrap();
        };
        tokio::join!(async { stream.write_all(&vec![0; 1 << 20]).await.unwrap() }, slow);
        assert_eq!(exchange.stalled.get(), None, "it has taken some in time");
        let error = stream.write_all(b"more").await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(start.elapsed() >= TIMEOUTS.write * 3 / 2);
    }
}
