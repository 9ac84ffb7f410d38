//! A stream with timeouts for reading and for writing: each runs only while the server sends, or takes, nothing.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{fault::WireFault, silence::Silence};
use crate::transport::context;

/// A stream with one timer for each direction. They run only while nothing happens.
pub(super) struct Timed<S> {
    stream: S,
    reading: Silence,
    writing: Silence,
}

impl<S> Timed<S> {
    pub(super) fn new(stream: S) -> Self {
        Self { stream, reading: Silence::default(), writing: Silence::default() }
    }

    /// Stops both timers, because the server has sent or taken something.
    pub(super) fn restart(&mut self) {
        self.reading.end();
        self.writing.end();
    }
}

impl<S: AsyncRead + Unpin> Timed<S> {
    /// Reads without a timer. The end of the stream is an error.
    pub(super) fn poll_look(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        let closed = buf.filled().len() == before && buf.remaining() > 0;
        Poll::Ready(if closed { Err(WireFault::Closed.into_io()) } else { Ok(()) })
    }

    /// Reads bytes of a reply. A server that sends nothing for the read timeout is an error.
    pub(super) fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if let Poll::Ready(result) = self.poll_look(cx, buf) {
            self.reading.end();
            return Poll::Ready(result);
        }
        let longest = context::timeout().read;
        ready!(self.reading.poll(cx, longest));
        Poll::Ready(Err(WireFault::ReadSilence(longest).into_io()))
    }
}

impl<S: AsyncWrite + Unpin> Timed<S> {
    /// Writes two slices one after the other, without a timer.
    pub(super) fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        first: &[u8],
        second: &[u8],
    ) -> Poll<io::Result<usize>> {
        let stream = Pin::new(&mut self.stream);
        match (first, second) {
            (bytes, []) | ([], bytes) => stream.poll_write(cx, bytes),
            _ => stream.poll_write_vectored(cx, &[io::IoSlice::new(first), io::IoSlice::new(second)]),
        }
    }

    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    pub(super) fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    /// Ready when the server has taken nothing for the write timeout.
    pub(super) fn poll_write_silence(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        let longest = context::timeout().write;
        ready!(self.writing.poll(cx, longest));
        Poll::Ready(WireFault::WriteSilence(longest).into_io())
    }
}
