//! A socket that does not wait for ever.
//!
//! A connection has one timer, which ticks now and then and looks how long the other side has been silent; a
//! request neither makes a timer nor moves it.

use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use actix_rt::time::{Sleep, sleep_until};
use actix_web::http::StatusCode;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::exchange::{Exchange, Expecting, Phase};
use super::registry::{Connections, Entry};
use super::rejection;

/// How long a connection may be silent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// From a request's first byte to the end of its head, and from the connection's start to the first byte.
    pub head: Duration,
    /// Between two requests.
    pub idle: Duration,
    /// While the other side takes none of the answer.
    pub write: Duration,
}

impl Patience {
    /// How often to look: as often as the shortest of the bounds asks for.
    fn tick(&self) -> Duration {
        self.head.min(self.idle).min(self.write).max(Duration::from_millis(100))
    }
}

/// Bytes that are handed on at once: more than most heads, and few enough requests.
const CHUNK: usize = 1024;

/// A socket below actix-http.
pub struct Connection<T> {
    io: T,
    exchange: Rc<Exchange>,
    patience: Patience,
    entry: Entry,
    is_registered: bool,
    timer: Option<Pin<Box<Sleep>>>,
    /// Bytes handed on since whoever reads them has last had a chance to look at them.
    handed_on: usize,
    /// Bytes handed on while a request that expects none is being answered.
    read_ahead: usize,
    /// Whether bytes are left unread until the answer is out.
    is_holding_back: bool,
    /// Since when the other side has taken nothing of what we want to write.
    stalled: Option<Instant>,
    /// What is left to write of an answer of our own.
    rejection: Vec<u8>,
}

impl<T> Connection<T> {
    /// Takes a socket that has just been accepted.
    pub fn new(io: T, patience: Patience, connections: &Arc<Connections>) -> Self {
        Self {
            io,
            exchange: Rc::new(Exchange::new(Instant::now())),
            patience,
            entry: connections.enter(),
            is_registered: false,
            timer: None,
            handed_on: 0,
            read_ahead: 0,
            is_holding_back: false,
            stalled: None,
            rejection: Vec::new(),
        }
    }

    /// What the layers that handle this connection's requests report to.
    #[must_use]
    pub fn exchange(&self) -> Rc<Exchange> {
        Rc::clone(&self.exchange)
    }

    /// How many bytes may be handed on now. actix-http decodes all the requests that it is given at once, whatever
    /// becomes of the answers; so a client that sends thousands and reads nothing must not be read from.
    fn allowance(&mut self) -> usize {
        match self.exchange.phase() {
            Phase::Answering(Expecting::Body) => CHUNK,
            Phase::Answering(Expecting::Nothing) => CHUNK.saturating_sub(self.read_ahead),
            _ if self.stalled.is_some() => 0,
            _ => {
                self.read_ahead = 0;
                CHUNK
            }
        }
    }

    /// Ready when `deadline` has passed. Until then the timer wakes the task at the next tick or at the deadline.
    fn poll_deadline(&mut self, deadline: Option<Instant>, context: &mut Context<'_>) -> Poll<()> {
        loop {
            let now = Instant::now();
            let next_look = now + self.patience.tick();
            let timer = match &mut self.timer {
                Some(timer) => timer,
                None => {
                    let first = deadline.map_or(next_look, |deadline| deadline.min(next_look));
                    self.timer.insert(Box::pin(sleep_until(first.into())))
                }
            };
            ready!(timer.as_mut().poll(context));
            let now = Instant::now();
            if deadline.is_some_and(|deadline| deadline <= now) {
                return Poll::Ready(());
            }
            timer.as_mut().reset(deadline.map_or(next_look, |deadline| deadline.min(next_look)).into());
        }
    }
}

impl<T: AsyncWrite + Unpin> Connection<T> {
    /// Writes what is left of an answer of our own.
    fn poll_rejection(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.rejection.is_empty() {
            let Poll::Ready(written) = Pin::new(&mut self.io).poll_write(context, &self.rejection) else {
                return self.poll_stall(context).map(Err);
            };
            self.stalled = None;
            match written? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                written => drop(self.rejection.drain(..written)),
            }
        }
        Poll::Ready(Ok(()))
    }

    /// The other side takes nothing at the moment. Ready when it has done so for too long.
    fn poll_stall(&mut self, context: &mut Context<'_>) -> Poll<io::Error> {
        let since = *self.stalled.get_or_insert_with(Instant::now);
        self.poll_deadline(Some(since + self.patience.write), context)
            .map(|()| io::ErrorKind::TimedOut.into())
    }

    /// Ready when the connection must end, because it was silent for too long or because the server stops.
    fn poll_end(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if !self.is_registered {
            self.entry.register(context.waker());
            self.is_registered = true;
        }
        let phase = self.exchange.phase();
        if self.entry.is_stopping() && phase.is_between_requests() {
            return Poll::Ready(());
        }
        ready!(self.poll_deadline(phase.deadline(&self.patience), context));
        if let Phase::Head { .. } = phase {
            self.rejection = rejection::render(StatusCode::REQUEST_TIMEOUT);
            // Whether it arrives is up to the other side; we are done with it.
            let _ = self.poll_rejection(context);
        }
        Poll::Ready(())
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncRead for Connection<T> {
    /// The end of the stream, for whoever reads, is also how this side ends a connection.
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let allowance = self.allowance();
        if allowance == 0 {
            self.is_holding_back = true;
            return Poll::Pending;
        }
        if self.handed_on >= CHUNK {
            self.handed_on = 0;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let allowance = allowance.min(buffer.remaining());
        let mut chunk = ReadBuf::new(buffer.initialize_unfilled_to(allowance));
        let result = Pin::new(&mut self.io).poll_read(context, &mut chunk);
        let read = chunk.filled().len();
        match result {
            Poll::Ready(result) => {
                buffer.advance(read);
                self.handed_on += read;
                self.read_ahead += read;
                if read > 0 {
                    self.exchange.received_bytes();
                }
                Poll::Ready(result)
            }
            Poll::Pending => {
                self.handed_on = 0;
                self.poll_end(context).map(Ok)
            }
        }
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Connection<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_rejection(context))?;
        let to_write = match rejection::find(buffer) {
            Some((0, status)) => {
                self.rejection = rejection::render(status);
                let _ = self.poll_rejection(context)?;
                return Poll::Ready(Ok(buffer.len()));
            }
            Some((start, _)) => &buffer[..start],
            None => buffer,
        };
        match Pin::new(&mut self.io).poll_write(context, to_write) {
            Poll::Ready(result) => {
                self.stalled = None;
                if self.entry.is_stopping() || self.is_holding_back {
                    // Nobody else would wake the connection to end it or to read on.
                    self.is_holding_back = false;
                    context.waker().wake_by_ref();
                }
                Poll::Ready(result)
            }
            Poll::Pending => self.poll_stall(context).map(Err),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_rejection(context))?;
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        // What cannot be written now is not worth a wait without a bound.
        let _ = self.poll_rejection(context);
        Pin::new(&mut self.io).poll_shutdown(context)
    }
}
