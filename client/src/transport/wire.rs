//! The stream under awc: it never lets an end of the stream pass for the end of a message, ends silences, and hides
//! interim replies.
//!
//! It sees plain bytes, above TLS. It must never change a byte of a body, and of a head only the minor version of
//! one without a length, which makes awc read its body to the end of the connection.

use std::{
    fmt, io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use actix_rt::net::{ActixStream, Ready};
use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{
    framing::{Expect, Head, inspect},
    limits,
    silence::Silence,
};

/// The longest head that is held back; awc refuses a longer one.
const MAX_HEAD: usize = 128 * 1024;
/// The most interim replies before the final one.
const MAX_INTERIM: u8 = 16;

/// What the wire itself found wrong. It travels inside an `io::Error`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, derive_more::Display, derive_more::Error)]
pub(super) enum WireFault {
    /// The peer closed its side.
    #[display("the server closed the connection")]
    Closed,
    /// No byte came for this long.
    #[display("the server was silent for {} s", _0.as_secs_f64())]
    ReadSilence(#[error(not(source))] Duration),
    /// No byte was taken for this long.
    #[display("the server took nothing for {} s", _0.as_secs_f64())]
    WriteSilence(#[error(not(source))] Duration),
    /// No connection was made in this time.
    #[display("no connection within {} s", _0.as_secs_f64())]
    Connect(#[error(not(source))] Duration),
    /// More interim replies than anybody has a use for.
    #[display("the server sent interim replies without an end")]
    Interim,
}

impl WireFault {
    pub(super) fn into_io(self) -> io::Error {
        let kind = match self {
            Self::Closed => io::ErrorKind::UnexpectedEof,
            Self::ReadSilence(_) | Self::WriteSilence(_) | Self::Connect(_) => io::ErrorKind::TimedOut,
            Self::Interim => io::ErrorKind::InvalidData,
        };
        io::Error::new(kind, self)
    }

    /// The fault inside an error of a stream, if it is ours.
    pub(super) fn inside(error: &io::Error) -> Option<Self> {
        error.get_ref().and_then(|inner| inner.downcast_ref::<Self>()).copied()
    }
}

/// A stream that awc reads replies from, one exchange after another.
pub(super) struct Wire<S> {
    stream: S,
    phase: Phase,
    read_silence: Silence,
    write_silence: Silence,
}

/// Where an exchange stands, as far as reading goes.
enum Phase {
    /// Between two exchanges: silence is all there should be.
    Idle,
    /// Before the end of the head.
    Head { expect: Expect, held: BytesMut, interim: u8 },
    /// Bytes that were held back and are due now.
    Due(BytesMut),
    /// After the head, whose bytes go through untouched.
    Body,
}

impl<S> Wire<S> {
    pub(super) fn new(stream: S) -> Self {
        Self {
            stream,
            phase: Phase::Idle,
            read_silence: Silence::default(),
            write_silence: Silence::default(),
        }
    }

    /// The first bytes written after a reply begin a new exchange.
    fn begin(&mut self, bytes: &[u8]) {
        if !matches!(self.phase, Phase::Head { .. }) {
            let expect = if bytes.starts_with(b"HEAD ") { Expect::HeadOnly } else { Expect::Body };
            self.phase = Phase::Head { expect, held: BytesMut::new(), interim: 0 };
        }
        self.read_silence.end();
    }
}

impl<S: AsyncRead + Unpin> Wire<S> {
    /// Reads something, or finds out why there is nothing to read.
    fn poll_some(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        match Pin::new(&mut self.stream).poll_read(cx, buf) {
            Poll::Ready(Ok(())) => {
                self.read_silence.end();
                let closed = buf.filled().len() == before && buf.remaining() > 0;
                Poll::Ready(if closed { Err(WireFault::Closed.into_io()) } else { Ok(()) })
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending if matches!(self.phase, Phase::Idle) => Poll::Pending,
            Poll::Pending => {
                let longest = limits().read;
                ready!(self.read_silence.poll(cx, longest));
                Poll::Ready(Err(WireFault::ReadSilence(longest).into_io()))
            }
        }
    }

    /// Reads within a head, and lets it through when it is whole.
    fn poll_head(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        loop {
            ready!(self.poll_some(cx, buf))?;
            let Phase::Head { expect, held, interim } = &mut self.phase else { return Poll::Ready(Ok(())) };
            if held.is_empty() && passes(&mut buf.filled_mut()[before..], *expect) {
                // The whole head in one read, which is the rule: nothing is copied.
                self.phase = Phase::Body;
                return Poll::Ready(Ok(()));
            }
            held.extend_from_slice(&buf.filled()[before..]);
            buf.set_filled(before);
            match release(held, *expect, interim)? {
                Release::Held => {}
                Release::Due => {
                    self.phase = Phase::Due(std::mem::take(held));
                    return self.poll_due(buf);
                }
            }
        }
    }

    fn poll_due(&mut self, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if let Phase::Due(bytes) = &mut self.phase {
            let n = bytes.len().min(buf.remaining());
            buf.put_slice(&bytes[..n]);
            bytes.advance(n);
            if bytes.is_empty() {
                self.phase = Phase::Body;
            }
        }
        Poll::Ready(Ok(()))
    }
}

/// Whether bytes that begin with a head can go through as they are, but for its version.
fn passes(bytes: &mut [u8], expect: Expect) -> bool {
    match inspect(bytes, expect) {
        Head::Framed | Head::Malformed => true,
        Head::UntilClose { minor_at } => {
            bytes[minor_at] = b'0';
            true
        }
        Head::Partial | Head::Interim(_) => false,
    }
}

enum Release {
    Held,
    Due,
}

/// Drops interim replies from what is held, and says whether the rest may go.
fn release(held: &mut BytesMut, expect: Expect, interim: &mut u8) -> io::Result<Release> {
    loop {
        match inspect(held, expect) {
            Head::Partial if held.len() < MAX_HEAD => return Ok(Release::Held),
            Head::Partial | Head::Framed | Head::Malformed => return Ok(Release::Due),
            Head::UntilClose { minor_at } => {
                held[minor_at] = b'0';
                return Ok(Release::Due);
            }
            Head::Interim(_) if *interim == MAX_INTERIM => return Err(WireFault::Interim.into_io()),
            Head::Interim(length) => {
                *interim += 1;
                held.advance(length);
            }
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Wire<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        match this.phase {
            Phase::Head { .. } => this.poll_head(cx, buf),
            Phase::Due(_) => this.poll_due(buf),
            Phase::Idle | Phase::Body => this.poll_some(cx, buf),
        }
    }
}

impl<S: AsyncWrite + Unpin> Wire<S> {
    /// Ends a silence in writing, or times it.
    fn timed<T>(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.write_silence.end();
            return written;
        }
        let longest = limits().write;
        ready!(self.write_silence.poll(cx, longest));
        Poll::Ready(Err(WireFault::WriteSilence(longest).into_io()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Wire<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.begin(bytes);
        let written = Pin::new(&mut this.stream).poll_write(cx, bytes);
        this.timed(cx, written)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let flushed = Pin::new(&mut this.stream).poll_flush(cx);
        this.timed(cx, flushed)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

/// awc asks for these and never uses them.
impl<S: AsyncRead + AsyncWrite + Unpin> ActixStream for Wire<S> {
    fn poll_read_ready(&self, _: &mut Context<'_>) -> Poll<io::Result<Ready>> {
        Poll::Ready(Ok(Ready::READABLE))
    }

    fn poll_write_ready(&self, _: &mut Context<'_>) -> Poll<io::Result<Ready>> {
        Poll::Ready(Ok(Ready::WRITABLE))
    }
}

impl<S> fmt::Debug for Wire<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wire")
    }
}
