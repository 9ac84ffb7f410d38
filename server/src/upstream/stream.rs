//! The stream between awc and the socket. It sends the request and reads the answer, and shows awc placeholders.
//!
//! What awc writes is a head without a body, which is dropped: the [`Exchange`] has the real one. What awc reads is a
//! head of its own that frames the body as awc can read it. The body of the request is sent while the answer is read,
//! so that neither waits for the other.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use actix_rt::net::{ActixStream, Ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::exchange::{Connection, Exchange};
use super::failure::Failure;
use super::request_body::RequestBody;
use reply::Reply;

mod reply;

/// How much is read from the socket at once.
const READ: usize = 16 * 1024;

/// A connection to the upstream, as awc sees it.
pub(super) struct UpstreamStream<T> {
    socket: T,
    connection: Connection,
    state: State,
}

enum State {
    /// It waits in awc's pool.
    Idle,
    Busy(Box<Busy>),
    /// It can carry no other exchange.
    Spent,
}

struct Busy {
    exchange: Rc<Exchange>,
    upload: Upload,
    /// What is to be written next, from `written` on.
    out: Vec<u8>,
    written: usize,
    reply: Reply,
    /// What awc reads next, from `shown` on.
    to_show: Vec<u8>,
    shown: usize,
}

/// The body of the request.
enum Upload {
    Sending(RequestBody),
    Complete,
    /// The upstream takes no more of it. It may have answered.
    Refused,
}

impl<T> UpstreamStream<T> {
    pub(super) fn new(socket: T) -> Self {
        Self { socket, connection: Connection::Fresh, state: State::Idle }
    }
}

impl Busy {
    fn begin(exchange: Rc<Exchange>) -> Self {
        let upload = exchange.body.take().map_or(Upload::Complete, Upload::Sending);
        let out = exchange.head.clone();
        let reply = Reply::default();
        Self { exchange, upload, out, written: 0, reply, to_show: Vec::new(), shown: 0 }
    }

    /// Writes what is to be written. Ready when all of it is with the system, or the upstream takes no more.
    fn poll_out<T: AsyncWrite + Unpin>(&mut self, socket: &mut T, context: &mut Context<'_>) -> Poll<()> {
        while self.written < self.out.len() {
            match ready!(Pin::new(&mut *socket).poll_write(context, &self.out[self.written..])) {
                Ok(written) if written > 0 => self.written += written,
                _ => {
                    self.upload = Upload::Refused;
                    self.written = self.out.len();
                }
            }
        }
        self.out.clear();
        self.written = 0;
        Poll::Ready(())
    }

    /// Sends the request as far as client and upstream let it.
    ///
    /// # Errors
    /// [`Failure::Client`].
    fn send<T: AsyncWrite + Unpin>(
        &mut self,
        socket: &mut T,
        context: &mut Context<'_>,
    ) -> Result<(), Failure> {
        while self.poll_out(socket, context).is_ready() {
            let Upload::Sending(body) = &mut self.upload else { break };
            match body.poll_next(context, &mut self.out) {
                Poll::Ready(Ok(true)) => {}
                Poll::Ready(Ok(false)) => self.upload = Upload::Complete,
                Poll::Ready(Err(failure)) => return Err(failure),
                Poll::Pending => break,
            }
        }
        Ok(())
    }

    /// Reads until there is something to show to awc, or its end.
    fn poll_reply<T: AsyncRead + Unpin>(
        &mut self,
        socket: &mut T,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), Failure>> {
        self.to_show.clear();
        self.shown = 0;
        while self.to_show.is_empty() && !self.reply.has_ended() {
            let mut space = [0; READ];
            let mut buffer = ReadBuf::new(&mut space);
            match ready!(Pin::new(&mut *socket).poll_read(context, &mut buffer)) {
                Err(_) => return Poll::Ready(Err(self.reply.cut())),
                Ok(()) if buffer.filled().is_empty() => self.reply.end()?,
                Ok(()) => self.reply.take(buffer.filled(), &self.exchange, &mut self.to_show)?,
            }
        }
        Poll::Ready(Ok(()))
    }

    fn show(&mut self, buffer: &mut ReadBuf<'_>) {
        let length = buffer.remaining().min(self.to_show.len() - self.shown);
        buffer.put_slice(&self.to_show[self.shown..self.shown + length]);
        self.shown += length;
    }

    fn is_over(&self) -> bool {
        self.reply.has_ended() && self.shown == self.to_show.len()
    }

    fn is_reusable(&self) -> bool {
        self.reply.is_reusable() && matches!(self.upload, Upload::Complete) && self.out.is_empty()
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> UpstreamStream<T> {
    fn poll_busy(
        busy: &mut Busy,
        socket: &mut T,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<Result<(), Failure>> {
        busy.send(socket, context)?;
        if busy.shown == busy.to_show.len() {
            ready!(busy.poll_reply(socket, context))?;
        }
        busy.show(buffer);
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncRead for UpstreamStream<T> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let busy = match &mut this.state {
            State::Idle => return Pin::new(&mut this.socket).poll_read(context, buffer),
            State::Spent => return Poll::Ready(Ok(())),
            State::Busy(busy) => busy,
        };
        match ready!(Self::poll_busy(busy, &mut this.socket, context, buffer)) {
            Ok(()) => {
                if busy.is_over() {
                    this.state = if busy.is_reusable() { State::Idle } else { State::Spent };
                }
                Poll::Ready(Ok(()))
            }
            Err(failure) => {
                let error = busy.exchange.fail(failure);
                this.state = State::Spent;
                Poll::Ready(Err(error))
            }
        }
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncWrite for UpstreamStream<T> {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        match (&this.state, Exchange::current()) {
            (State::Idle, Some(exchange)) => {
                exchange.connection.set(this.connection);
                this.connection = Connection::Reused;
                this.state = State::Busy(Box::new(Busy::begin(exchange)));
                Poll::Ready(Ok(data.len()))
            }
            (State::Busy(_), _) => Poll::Ready(Ok(data.len())),
            (State::Idle | State::Spent, _) => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if let State::Busy(busy) = &mut this.state {
            // The rest is sent while the answer is read.
            let _ = busy.poll_out(&mut this.socket, context);
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().socket).poll_shutdown(context)
    }
}

impl<T: ActixStream> ActixStream for UpstreamStream<T> {
    fn poll_read_ready(&self, context: &mut Context<'_>) -> Poll<io::Result<Ready>> {
        self.socket.poll_read_ready(context)
    }

    fn poll_write_ready(&self, context: &mut Context<'_>) -> Poll<io::Result<Ready>> {
        self.socket.poll_write_ready(context)
    }
}

impl<T> fmt::Debug for UpstreamStream<T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("UpstreamStream").finish_non_exhaustive()
    }
}
