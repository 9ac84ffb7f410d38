//! The stream that awc uses for one exchange after another: it hands out the bytes of exactly one reply for each, and
//! ends with the last reply of its connection.

use std::{
    fmt, io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use actix_rt::net::{ActixStream, Ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{
    fault::{WireFault, is_end},
    fields::Persistence,
    head::Expect,
    reply::ReplyReader,
    request::Omission,
    timed::Timed,
};
use crate::transport::context::{self, Reuse};

/// A stream that awc uses for one exchange after another.
pub(in crate::transport) struct Wire<S> {
    /// `None` once the connection has been retired.
    pub(super) stream: Option<Timed<S>>,
    pub(super) reply: ReplyReader,
    pub(super) request: Sending,
    exchanges: Exchanges,
    /// Why the server takes no more bytes; reported if no reply explains it.
    pub(super) broken: Option<io::Error>,
}

/// Where the bytes of a request go.
#[derive(Clone, Copy)]
pub(super) enum Sending {
    /// To the server.
    Out(Omission),
    /// Nowhere: the final reply has come, or the server takes no more bytes.
    Void,
}

/// How many exchanges a connection has had.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Exchanges {
    First,
    Later,
}

impl<S> Wire<S> {
    pub(in crate::transport) fn new(stream: S) -> Self {
        Self {
            stream: Some(Timed::new(stream)),
            reply: ReplyReader::default(),
            request: Sending::Out(Omission::Nothing),
            exchanges: Exchanges::First,
            broken: None,
        }
    }

    /// Begins an exchange with the first bytes written after a reply.
    fn begin(&mut self, bytes: &[u8]) {
        let expect = if bytes.starts_with(b"HEAD ") { Expect::HeadOnly } else { Expect::Body };
        self.reply.begin(expect);
        self.request = Sending::Out(context::omission(|length, date| Omission::find(bytes, length, date)));
    }

    /// Ends an exchange whose reply awc has got. A connection that is not used again is closed at once.
    fn end_of_reply(&mut self) {
        match (self.reply.over(), self.request) {
            (None, _) => {}
            (Some(Persistence::Last), _) | (_, Sending::Void) => self.stream = None,
            (Some(Persistence::KeepAlive), Sending::Out(_)) => self.exchanges = Exchanges::Later,
        }
    }

    /// Turns an error that came while waiting for a reply into its cause.
    fn explain(&mut self, error: io::Error) -> io::Error {
        let ended = is_end(&error);
        if ended && self.exchanges == Exchanges::Later && self.reply.is_untouched() {
            return WireFault::Stale.into_io();
        }
        match self.broken.take() {
            Some(broken) if ended => broken,
            _ => error,
        }
    }

    /// Hands the fields of a head that awc does not get to the transport.
    pub(super) fn publish_fields(&mut self) {
        if let Some(fields) = self.reply.take_fields() {
            context::set_fields(fields);
        }
    }
}

impl<S: AsyncRead + Unpin> Wire<S> {
    /// Reads between two exchanges, when a server should send nothing.
    fn poll_idle(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Some(stream) if context::reuse() == Reuse::Allowed => stream.poll_look(cx, buf),
            _ => Poll::Ready(Err(WireFault::Closed.into_io())),
        }
    }

    /// Reads bytes of a reply. Returns without any when they had to be held back.
    fn poll_reply(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let Some(stream) = &mut self.stream else { return Poll::Ready(Err(WireFault::Closed.into_io())) };
        if let Some(broken) = self.broken.take_if(|error| !is_end(error)) {
            return Poll::Ready(Err(broken));
        }
        let before = buf.filled().len();
        if let Err(error) = ready!(stream.poll_read(cx, buf)) {
            return Poll::Ready(Err(self.explain(error)));
        }
        let kept = self.reply.accept(&buf.filled()[before..]).map_err(WireFault::into_io)?;
        buf.set_filled(before + kept);
        self.publish_fields();
        Poll::Ready(Ok(()))
    }

    fn deliver_due(&mut self, buf: &mut ReadBuf<'_>) {
        let due = self.reply.due();
        let count = due.len().min(buf.remaining());
        buf.put_slice(&due[..count]);
        self.reply.delivered(count);
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Wire<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.reply.over().is_some() {
            return this.poll_idle(cx, buf);
        }
        if buf.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        let before = buf.filled().len();
        while buf.filled().len() == before {
            if this.reply.due().is_empty() {
                ready!(this.poll_reply(cx, buf))?;
            } else {
                this.deliver_due(buf);
            }
        }
        this.end_of_reply();
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Wire<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.reply.over().is_some() {
            this.begin(bytes);
        }
        let (Sending::Out(mut omission), Some(stream)) = (this.request, &mut this.stream) else {
            return Poll::Ready(Ok(bytes.len()));
        };
        let (first, second) = omission.split(bytes);
        let written = stream.poll_write(cx, first, second).map_ok(|count| omission.taken(count));
        this.request = Sending::Out(omission);
        this.poll_beside_reading(cx, written, bytes.len())
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let (Sending::Out(_), Some(stream)) = (this.request, &mut this.stream) else {
            return Poll::Ready(Ok(()));
        };
        let flushed = stream.poll_flush(cx);
        this.poll_beside_reading(cx, flushed, ())
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().stream {
            Some(stream) => stream.poll_shutdown(cx),
            None => Poll::Ready(Ok(())),
        }
    }
}

/// awc requires these and never calls them.
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
