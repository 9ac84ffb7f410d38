//! Connections without a network, for this module's tests.

use std::cell::Cell;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf, duplex};

use super::exchange::Exchange;
use super::registry::Connections;
use super::socket::{Incoming, Socket};
use super::timeouts::ConnectionTimeouts;

/// One end of an in-memory stream, of which a test says what can be seen without reading.
pub(super) struct FakeSocket {
    pub(super) stream: DuplexStream,
    pub(super) incoming: Rc<Cell<Incoming>>,
    /// How it closes, and what its client has not acknowledged.
    pub(super) wire: Rc<Wire>,
}

/// What only a real socket knows.
#[derive(Debug, Default)]
pub(super) struct Wire {
    pub(super) unacknowledged: Cell<usize>,
    pub(super) is_reset: Cell<bool>,
    /// How long the kernel takes for a write.
    pub(super) write_takes: Cell<Duration>,
    /// When the last write began.
    pub(super) write_begun: Cell<Option<Instant>>,
}

impl FakeSocket {
    /// Makes a socket, the client's end of it, and the switch for what is incoming.
    pub(super) fn pair() -> (Self, DuplexStream, Rc<Cell<Incoming>>) {
        let (stream, client) = duplex(1 << 20);
        let incoming = Rc::new(Cell::new(Incoming::Nothing));
        (Self { stream, incoming: Rc::clone(&incoming), wire: Rc::default() }, client, incoming)
    }
}

pub(super) fn exchange() -> Rc<Exchange> {
    Rc::new(Exchange::new(Arc::new(Connections::default())))
}

pub(super) const TIMEOUTS: ConnectionTimeouts = ConnectionTimeouts {
    head: Duration::from_secs(5),
    idle: Duration::from_secs(75),
    write: Duration::from_secs(30),
    linger: Duration::from_secs(2),
};

/// What one poll reads: `None` while there is nothing, no bytes at the end of the stream.
pub(super) fn read_now(stream: &mut (impl AsyncRead + Unpin)) -> Option<Vec<u8>> {
    let mut space = [0; 8192];
    let mut buffer = ReadBuf::new(&mut space);
    let mut context = Context::from_waker(Waker::noop());
    match Pin::new(stream).poll_read(&mut context, &mut buffer) {
        Poll::Ready(result) => result.ok().map(|()| buffer.filled().to_vec()),
        Poll::Pending => None,
    }
}

/// What can be read now, as text. A turn that is over is followed by another.
pub(super) fn text_now(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut all = Vec::new();
    while let Some(bytes) = read_now(stream).or_else(|| read_now(stream)).filter(|bytes| !bytes.is_empty()) {
        all.extend(bytes);
    }
    String::from_utf8_lossy(&all).into_owned()
}

/// Writes all of `bytes` in one poll.
pub(super) fn write_now(stream: &mut (impl AsyncWrite + Unpin), bytes: impl AsRef<[u8]>) {
    let mut context = Context::from_waker(Waker::noop());
    let written = Pin::new(stream).poll_write(&mut context, bytes.as_ref());
    assert!(matches!(written, Poll::Ready(Ok(length)) if length == bytes.as_ref().len()), "{written:?}");
}

impl Socket for FakeSocket {
    fn poll_incoming(self: Pin<&mut Self>, _: &mut Context<'_>) -> Incoming {
        self.incoming.get()
    }

    fn unacknowledged(&self) -> Option<usize> {
        Some(self.wire.unacknowledged.get())
    }

    fn reset_when_closed(&self) {
        self.wire.is_reset.set(true);
    }
}

impl AsyncRead for FakeSocket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for FakeSocket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.wire.write_begun.set(Some(Instant::now()));
        std::thread::sleep(self.wire.write_takes.get());
        Pin::new(&mut self.stream).poll_write(context, buffer)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
