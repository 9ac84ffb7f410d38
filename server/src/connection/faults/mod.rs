//! Faults: what is done to the bytes of an answer.
//!
//! An ordinary answer passes as it is, for one look at the [`Exchange`] a write. When a [`Delivery`] is due, the first
//! bytes of the answer begin a [`Work`], which takes everything that is written from then on: [`answer`] cuts it into
//! pieces, one of the small faults ([`rewrite`]) makes of them what the client gets, [`output`] sends that, slowly if
//! it must, and [`ending`] ends the connection if the fault says so. Until then no other request is passed on.
//!
//! [`Delivery`]: super::delivery::Delivery

mod answer;
mod drip;
mod early;
mod ending;
mod extra;
mod garbage;
mod head;
mod http10;
mod interim;
mod malformed_chunk;
mod output;
mod reset_after;
mod rewrite;
#[cfg(test)]
mod tests;
mod truncate;
mod whole;
mod work;

use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use super::delivery::{End, Spent};
use super::exchange::Exchange;
use super::phase::Phase;
use super::socket::{Incoming, Socket};
use work::Work;

/// How long a connection whose answer was broken stays open.
const BROKEN_OPEN: Duration = Duration::from_secs(1);

/// A socket on which faults happen to answers.
pub struct Faults<T> {
    inner: T,
    exchange: Rc<Exchange>,
    /// The fault at work.
    work: Option<Box<Work>>,
    /// When a broken connection ends.
    broken: Option<Pin<Box<Sleep>>>,
}

impl<T> Faults<T> {
    pub(super) fn new(inner: T, exchange: Rc<Exchange>) -> Self {
        Self { inner, exchange, work: None, broken: None }
    }

    /// The work on what is about to be written; `None` when it passes as it is.
    fn begin(&mut self) -> Option<&mut Box<Work>> {
        if self.work.is_none() {
            if self.exchange.spent().is_some() {
                self.work = Some(Work::end(End::Close));
            } else if let Some(order) = self.exchange.take_order() {
                self.work = Some(Work::on_answer(order));
            }
            if self.work.is_some() {
                self.exchange.delivering();
            }
        }
        self.work.as_mut()
    }

    /// The answer is delivered, and the connection goes on.
    fn go_on(&mut self, context: &Context<'_>) {
        self.work = None;
        self.exchange.delivered();
        context.waker().wake_by_ref();
    }
}

impl<T: Socket> Faults<T> {
    /// Works until everything that was written is sent, and what follows it is done. An error ends the connection.
    fn poll_work(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Some(work) = &mut self.work else { return Poll::Ready(Ok(())) };
        match ready!(work.poll(&mut self.inner, &self.exchange, context))? {
            None => {}
            Some(Spent::Stale) => self.exchange.spend(Spent::Stale),
            Some(Spent::Broken) => {
                self.exchange.spend(Spent::Broken);
                self.broken = Some(Box::pin(sleep(BROKEN_OPEN)));
            }
        }
        if self.work.as_ref().is_some_and(|work| work.is_done()) {
            self.go_on(context);
        }
        Poll::Ready(Ok(()))
    }

    /// Ends a broken connection that has been open for long enough, unless a request has come on it.
    fn poll_broken(&mut self, context: &mut Context<'_>) {
        let Some(open) = &mut self.broken else { return };
        let has_request = matches!(self.exchange.phase(), Phase::Submitted { .. } | Phase::Answering);
        if open.as_mut().poll(context).is_ready() && !has_request {
            self.broken = None;
            self.work = Some(Work::end(End::Close));
            context.waker().wake_by_ref();
        }
    }

    /// Keeps a broken connection open although actix-http has done with it, until something comes on it.
    fn poll_stay_open(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let Some(open) = &mut self.broken else { return Poll::Ready(()) };
        let is_over = open.as_mut().poll(context).is_ready();
        if !is_over && Pin::new(&mut self.inner).poll_incoming(context) == Incoming::Nothing {
            return Poll::Pending;
        }
        self.broken = None;
        self.work = Some(Work::end(End::Close));
        Poll::Ready(())
    }
}

impl<T: Socket> AsyncRead for Faults<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.work.as_ref().is_some_and(|work| !work.awaits_more()) {
            // The flush that follows every read goes on with the work, and wakes the connection when it is done.
            return Poll::Pending;
        }
        let read = Pin::new(&mut self.inner).poll_read(context, buffer);
        if read.is_pending() && self.broken.is_some() {
            self.poll_broken(context);
        }
        read
    }
}

impl<T: Socket> AsyncWrite for Faults<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        if this.work.is_none() && this.exchange.is_ordinary() {
            return Pin::new(&mut this.inner).poll_write(context, buffer);
        }
        if this.begin().is_none() {
            // What is written before the answer is made is `100 Continue`.
            if this.exchange.is_silent() {
                return Poll::Ready(Ok(buffer.len()));
            }
            return Pin::new(&mut this.inner).poll_write(context, buffer);
        }
        if this.work.as_ref().is_some_and(|work| work.is_full()) {
            ready!(this.poll_work(context))?;
        }
        if let Some(work) = &mut this.work {
            work.take(buffer);
        }
        match this.poll_work(context) {
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Ready(Ok(())) | Poll::Pending => Poll::Ready(Ok(buffer.len())),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.work.is_some() {
            ready!(self.poll_work(context))?;
        }
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if let Some(work) = &mut this.work {
            work.close();
        }
        ready!(this.poll_work(context))?;
        ready!(this.poll_stay_open(context));
        ready!(this.poll_work(context))?;
        Pin::new(&mut this.inner).poll_shutdown(context)
    }
}
