//! The end of idle connections when the server stops.
//!
//! A connection that has just been accepted is not idle: its first request is probably on the way, and its client
//! cannot know that the server stops. It is waited for within the timeout of a request's head.

use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::exchange::Exchange;
use super::phase::Phase;
use super::registry::Entry;
use super::socket::{Incoming, Socket};

/// A socket that ends between two requests, or after the last one, when the server stops.
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
        if self.exchange.is_stopping() && matches!(self.exchange.phase(), Phase::Idle { .. }) {
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

    fn unacknowledged(&self) -> Option<usize> {
        self.inner.unacknowledged()
    }

    fn reset_when_closed(&self) {
        self.inner.reset_when_closed();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::registry::Connections;
    use crate::connection::testing::{FakeSocket, read_now, text_now, write_now};
    use std::sync::Arc;
    use tokio::io::AsyncReadExt;
    use tokio::time::Instant;

    #[test]
    fn a_connection_ends_between_two_requests_and_not_within_one() {
        let now = Instant::now();
        let phases = [
            (Phase::New { since: now }, false),
            (Phase::Idle { since: now }, true),
            (Phase::Head { since: now }, false),
            (Phase::Submitted { since: now }, false),
            (Phase::Answering, false),
            (Phase::Leftover { since: now }, false),
        ];
        for (phase, ends) in phases {
            let connections = Arc::new(Connections::default());
            let exchange = Rc::new(Exchange::new(Arc::clone(&connections)));
            let (socket, mut client, _) = FakeSocket::pair();
            let mut stream = Stop::new(socket, connections.enter(), Rc::clone(&exchange));
            exchange.set_phase(phase);
            assert_eq!(read_now(&mut stream), None, "{phase:?}");
            connections.stop();
            assert_eq!(read_now(&mut stream).is_some(), ends, "{phase:?}");
            write_now(&mut client, "GET");
            assert_eq!(text_now(&mut stream), "GET", "what has come is read: {phase:?}");
        }
    }

    #[tokio::test]
    async fn a_stop_wakes_an_idle_connection_and_is_over_when_all_are_closed() {
        let connections = Arc::new(Connections::default());
        let exchange = Rc::new(Exchange::new(Arc::clone(&connections)));
        exchange.set_phase(Phase::Idle { since: Instant::now() });
        let (socket, _client, _) = FakeSocket::pair();
        let mut stream = Stop::new(socket, connections.enter(), exchange);
        let idle = async move { stream.read(&mut [0]).await.unwrap() };
        let stop = async {
            tokio::task::yield_now().await;
            connections.stop();
            connections.all_closed().await;
        };
        assert_eq!(tokio::join!(idle, stop).0, 0);
    }
}
