//! One request at a time.
//!
//! actix-http decodes all the requests that it is given, whatever becomes of the answers. So it gets the next one when
//! the answer before it is complete and on its way; until then the client's bytes stay with the system, which holds
//! the client up, and the socket is watched for the client's leaving. A client that pipelines and reads nothing so
//! takes no memory, and one that leaves is noticed whatever it has sent.
//!
//! An ordinary request, one head in one read, stays where it was read and is only looked at. What is kept here are the
//! unfinished line of a head in pieces and what a read brought of the next request.

mod body;
mod head;
mod progress;
#[cfg(test)]
mod tests;

use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::exchange::{Exchange, OnClientExit};
use super::phase::Phase;
use super::socket::{Incoming, Socket};
use progress::{Part, Progress};

/// How many bytes are passed on before actix-http must look at them.
const TURN: usize = 16 * 1024;

/// A socket that hands over one request at a time.
pub struct Requests<T> {
    inner: T,
    exchange: Rc<Exchange>,
    progress: Progress,
    /// Bytes that are not passed on yet. Their first `ready` have been looked at and come next.
    held: Vec<u8>,
    ready: usize,
    /// Bytes passed on in this turn.
    passed_on: usize,
    wakeup: Wakeup,
}

/// What wakes the connection when an answer has been written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wakeup {
    /// The socket, when something comes.
    Socket,
    /// The write itself: the next request is here already.
    Write,
}

impl<T> Requests<T> {
    pub(super) fn new(inner: T, exchange: Rc<Exchange>) -> Self {
        Self {
            inner,
            progress: Progress::new(Rc::clone(&exchange)),
            exchange,
            held: Vec::new(),
            ready: 0,
            passed_on: 0,
            wakeup: Wakeup::Socket,
        }
    }

    fn hold_back(&mut self) -> Poll<io::Result<()>> {
        self.passed_on = 0;
        self.wakeup = Wakeup::Write;
        Poll::Pending
    }

    fn pass_on_ready(&mut self, buffer: &mut ReadBuf<'_>) {
        let length = self.ready.min(buffer.remaining());
        buffer.put_slice(&self.held[..length]);
        self.held.drain(..length);
        self.ready -= length;
        self.passed_on += length;
        if self.held.is_empty() {
            // Few connections ever need it again.
            self.held = Vec::new();
        }
    }
}

impl<T: Socket> Requests<T> {
    /// Reads into the caller's buffer and leaves there what comes next. Ready with false at the end of the stream.
    fn poll_in_place(
        &mut self,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<bool>> {
        let start = buffer.filled().len();
        ready!(Pin::new(&mut self.inner).poll_read(context, buffer))?;
        let data = &mut buffer.filled_mut()[start..];
        if data.is_empty() {
            return Poll::Ready(Ok(false));
        }
        let (ready, total) = self.progress.see(data);
        self.held.extend_from_slice(&data[ready..total]);
        buffer.set_filled(start + ready);
        self.passed_on += ready;
        Poll::Ready(Ok(true))
    }

    /// Reads behind what is held. Ready with false at the end of the stream.
    fn poll_into_held(&mut self, context: &mut Context<'_>) -> Poll<io::Result<bool>> {
        let mut space = [0; 1024];
        let mut more = ReadBuf::new(&mut space);
        ready!(Pin::new(&mut self.inner).poll_read(context, &mut more))?;
        self.held.extend_from_slice(more.filled());
        Poll::Ready(Ok(!more.filled().is_empty()))
    }

    /// Passes on the next bytes of a head or a body. Ready with false at the end of the stream.
    fn poll_part(&mut self, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<bool>> {
        if self.held.is_empty() {
            return self.poll_in_place(context, buffer);
        }
        let mut held = std::mem::take(&mut self.held);
        let (ready, total) = self.progress.see(&mut held);
        held.truncate(total);
        (self.held, self.ready) = (held, ready);
        if ready > 0 || self.progress.part() == Part::Broken || self.held.is_empty() {
            return Poll::Ready(Ok(true));
        }
        self.poll_into_held(context)
    }

    /// The request is with actix-http, and nothing more of it is to come.
    fn poll_answer(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.passed_on = 0;
        if !self.held.is_empty() {
            self.wakeup = Wakeup::Write;
        }
        match (Pin::new(&mut self.inner).poll_incoming(context), self.exchange.phase()) {
            (Incoming::Nothing, _) => Poll::Pending,
            (Incoming::Bytes, _) => self.hold_back(),
            (Incoming::Reset, _) => Poll::Ready(Ok(())),
            (Incoming::End, Phase::Submitted { .. }) => {
                // What was asked, and so what is to become of it, is known when actix-http has looked at it.
                context.waker().wake_by_ref();
                Poll::Pending
            }
            (Incoming::End, _) => match self.exchange.client_exit() {
                OnClientExit::Answer => self.hold_back(),
                OnClientExit::Drop => Poll::Ready(Ok(())),
            },
        }
    }
}

impl<T: Socket> AsyncRead for Requests<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let filled = buffer.filled().len();
        loop {
            if buffer.filled().len() > filled {
                return Poll::Ready(Ok(()));
            }
            if self.passed_on >= TURN {
                self.passed_on = 0;
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            if self.ready > 0 {
                self.pass_on_ready(buffer);
                continue;
            }
            match (self.progress.part(), self.exchange.phase()) {
                (_, Phase::Closing { .. }) => return Pin::new(&mut self.inner).poll_read(context, buffer),
                (Part::Broken, _) => return Poll::Ready(Ok(())),
                (Part::Answer, Phase::Idle { .. }) => self.progress.next_request(),
                (Part::Answer, _) => return self.poll_answer(context),
                // A client that takes none of its answer gets no other.
                (Part::Head, _) if self.exchange.stalled.get().is_some() => return self.hold_back(),
                (Part::Head | Part::Body(_), _) => {
                    let Poll::Ready(read) = self.poll_part(context, buffer) else {
                        self.passed_on = 0;
                        return Poll::Pending;
                    };
                    if !read? {
                        return Poll::Ready(Ok(()));
                    }
                }
            }
        }
    }
}

impl<T: Socket> AsyncWrite for Requests<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        let now = self.exchange.before_write();
        let result = Pin::new(&mut self.inner).poll_write(context, buffer);
        if matches!(result, Poll::Ready(Ok(written)) if written > 0) {
            self.exchange.wrote(now);
        }
        if result.is_ready() && self.wakeup == Wakeup::Write {
            self.wakeup = Wakeup::Socket;
            context.waker().wake_by_ref();
        }
        result
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

impl<T: Socket> Socket for Requests<T> {
    fn poll_incoming(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Incoming {
        Pin::new(&mut self.inner).poll_incoming(context)
    }

    fn unacknowledged(&self) -> Option<usize> {
        self.inner.unacknowledged()
    }

    fn reset_when_closed(&self) {
        self.inner.reset_when_closed();
    }
}
