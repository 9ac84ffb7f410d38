//! What the client gets, on its way to the client.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::time::{Instant, Sleep, sleep_until};

use super::drip::{Drip, MAX_DRIP};
use crate::connection::exchange::{Exchange, OnClientExit};
use crate::connection::socket::{Incoming, Socket};

/// Bytes that are to be sent.
pub(super) struct Output {
    bytes: Vec<u8>,
    sent: usize,
    pace: Option<Pace>,
}

/// A slow pace.
struct Pace {
    drip: Drip,
    /// When the first byte was sent.
    begun: Option<Instant>,
    /// How many bytes have been sent since then.
    count: u64,
    timer: Pin<Box<Sleep>>,
}

/// What has become of the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sent {
    /// The system has them all.
    Everything,
    /// They have taken too long.
    TooSlowly,
}

impl Output {
    /// Sends as fast as the client takes it.
    pub(super) fn fast() -> Self {
        Self { bytes: Vec::new(), sent: 0, pace: None }
    }

    /// Sends so many bytes a second.
    pub(super) fn slow(bytes_per_second: u32) -> Self {
        let timer = Box::pin(sleep_until(Instant::now()));
        let pace = Pace { drip: Drip::new(bytes_per_second), begun: None, count: 0, timer };
        Self { pace: Some(pace), ..Self::fast() }
    }

    /// Where to append what is to be sent.
    pub(super) fn bytes(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// How many bytes wait to be sent.
    pub(super) fn waiting(&self) -> usize {
        self.bytes.len() - self.sent
    }

    /// Sends what waits. An error when the client has left.
    pub(super) fn poll_send(
        &mut self,
        inner: &mut impl Socket,
        exchange: &Exchange,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<Sent>> {
        while self.waiting() > 0 {
            let mut next = self.waiting();
            if let Some(pace) = &mut self.pace {
                check_client(inner, exchange, context)?;
                let Some(allowed) = ready!(pace.poll_allowed(context)) else {
                    return Poll::Ready(Ok(Sent::TooSlowly));
                };
                next = next.min(allowed);
            }
            let bytes = &self.bytes[self.sent..self.sent + next];
            let written = ready!(Pin::new(&mut *inner).poll_write(context, bytes))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.sent += written;
            if let Some(pace) = &mut self.pace {
                pace.count += written as u64;
            }
        }
        self.bytes.clear();
        self.sent = 0;
        Poll::Ready(Ok(Sent::Everything))
    }
}

impl Pace {
    /// Ready when at least one byte may be sent, with how many; with `None` when the time is over.
    fn poll_allowed(&mut self, context: &mut Context<'_>) -> Poll<Option<usize>> {
        loop {
            let now = Instant::now();
            let elapsed = now - *self.begun.get_or_insert(now);
            if elapsed > MAX_DRIP {
                return Poll::Ready(None);
            }
            let allowed = self.drip.allowed(elapsed).saturating_sub(self.count);
            if allowed > 0 {
                return Poll::Ready(Some(usize::try_from(allowed).unwrap_or(usize::MAX)));
            }
            ready!(self.timer.as_mut().poll(context));
            let next = now + self.drip.tick();
            self.timer.as_mut().reset(next);
        }
    }
}

/// A client that is answered slowly may leave meanwhile, and no write says so.
fn check_client(inner: &mut impl Socket, exchange: &Exchange, context: &mut Context<'_>) -> io::Result<()> {
    match (Pin::new(inner).poll_incoming(context), exchange.client_exit()) {
        (Incoming::Reset, _) | (Incoming::End, OnClientExit::Drop) => {
            Err(io::ErrorKind::ConnectionReset.into())
        }
        (Incoming::Nothing | Incoming::Bytes | Incoming::End, _) => Ok(()),
    }
}
