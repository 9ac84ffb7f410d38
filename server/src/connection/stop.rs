//! The end of idle connections when the server stops.

use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::exchange::Exchange;
use super::registry::Entry;
use super::socket::{Incoming, Socket};

/// A socket that ends between two requests when the server stops.
pub struct Stop<T> {
    inner: T,
    entry: Entry,
    exchange: Rc<Exchange>,
}

impl<T> Stop<T> {
    pub(super) fn new(inner: T, entry: Entry, exchange: Rc<Exchange>) -> Self {
        Self { inner, entry, exchange }
    }
}

impl<T: Socket> AsyncRead for Stop<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.inner).poll_read(context, buffer);
        if result.is_ready() {
            return result;
        }
        self.entry.register(context.waker());
        if self.exchange.is_stopping() && self.exchange.phase().is_between_requests() {
            return Poll::Ready(Ok(()));
        }
        Poll::Pending
    }
}

impl<T: Socket> AsyncWrite for Stop<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.inner).poll_write(context, buffer);
        if result.is_ready() && self.exchange.is_stopping() {
            // Nothing else would wake the connection to end it once it is idle.
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

impl<T: Socket> Socket for Stop<T> {
    fn poll_incoming(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Incoming {
        self.entry.register(context.waker());
        Pin::new(&mut self.inner).poll_incoming(context)
    }
}
