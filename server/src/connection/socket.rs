//! The socket, and whether the client has left although its bytes are unread.

use std::io::{self, Read};
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::FutureExt;
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::TcpStream;

use super::unacknowledged;

/// What a wrapper needs of the one below it.
pub trait Socket: AsyncRead + AsyncWrite + Unpin {
    /// Looks at what has come from the client without reading it. Unless the answer is `Reset`, the task is woken
    /// when it changes.
    fn poll_incoming(self: Pin<&mut Self>, context: &mut Context<'_>) -> Incoming;

    /// How many bytes the client has not acknowledged yet; `None` where the system does not say.
    fn unacknowledged(&self) -> Option<usize>;

    /// Makes closing the socket a TCP reset, which discards what the client has not acknowledged.
    fn reset_when_closed(&self);
}

/// What has come from the client and is not read yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Incoming {
    /// Nothing.
    Nothing,
    /// Bytes; more may come.
    Bytes,
    /// The end of what the client sends, perhaps behind bytes. The client may still read.
    End,
    /// The connection is gone in both directions.
    Reset,
}

/// A TCP socket of tokio's.
#[derive(Debug)]
pub struct TcpSocket {
    stream: TcpStream,
    readiness: Readiness,
}

/// Whether tokio knows what can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Readiness {
    /// It does.
    Known,
    /// It was made to forget bytes that are still unread, so that it wakes us for the next event.
    Forgotten,
}

impl TcpSocket {
    pub(super) fn new(stream: TcpStream) -> Self {
        Self { stream, readiness: Readiness::Known }
    }

    /// Reads past tokio, until the system has no more bytes. `None` when it has none now.
    fn read_forgotten(&mut self, buffer: &mut ReadBuf<'_>) -> Option<io::Result<()>> {
        let space = buffer.initialize_unfilled();
        let wanted = space.len();
        match (&*SockRef::from(&self.stream)).read(space) {
            Ok(read) => {
                buffer.advance(read);
                if read < wanted {
                    self.readiness = Readiness::Known;
                }
                Some(Ok(()))
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.readiness = Readiness::Known;
                None
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => self.read_forgotten(buffer),
            Err(error) => Some(Err(error)),
        }
    }
}

impl Socket for TcpSocket {
    fn poll_incoming(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Incoming {
        let mut incoming = match self.readiness {
            Readiness::Known => Incoming::Nothing,
            Readiness::Forgotten => Incoming::Bytes,
        };
        loop {
            match self.stream.poll_read_ready(context) {
                Poll::Pending => return incoming,
                Poll::Ready(Err(_)) => return Incoming::Reset,
                Poll::Ready(Ok(())) => {}
            }
            let ready = self.stream.ready(Interest::READABLE | Interest::WRITABLE).now_or_never();
            match ready {
                Some(Ok(ready)) if ready.is_write_closed() => return Incoming::Reset,
                Some(Ok(ready)) if ready.is_read_closed() => return Incoming::End,
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Incoming::Reset,
            }
            // Bytes. As long as tokio knows of them, it reports nothing that comes behind them.
            let unread = || -> io::Result<()> { Err(io::ErrorKind::WouldBlock.into()) };
            let _ = self.stream.try_io(Interest::READABLE, unread);
            self.readiness = Readiness::Forgotten;
            incoming = Incoming::Bytes;
        }
    }

    fn unacknowledged(&self) -> Option<usize> {
        unacknowledged::of(&self.stream)
    }

    fn reset_when_closed(&self) {
        // A socket that takes no option is gone already.
        let _ = self.stream.set_zero_linger();
    }
}

impl AsyncRead for TcpSocket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.readiness == Readiness::Forgotten
            && let Some(result) = self.read_forgotten(buffer)
        {
            return Poll::Ready(result);
        }
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for TcpSocket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, buffer)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::testing::read_now;
    use std::future::poll_fn;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    async fn pair() -> (TcpSocket, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        (TcpSocket::new(listener.accept().await.unwrap().0), client)
    }

    /// Returns once `expected` is incoming.
    async fn sees(socket: &mut TcpSocket, expected: Incoming) {
        let seen = poll_fn(|context| match Pin::new(&mut *socket).poll_incoming(context) {
            incoming if incoming == expected => Poll::Ready(()),
            _ => Poll::Pending,
        });
        tokio::time::timeout(std::time::Duration::from_secs(60), seen).await.expect("it is seen");
    }

    #[tokio::test]
    async fn the_end_is_seen_behind_bytes_that_are_unread_and_the_bytes_are_read_afterwards() {
        let (mut socket, mut client) = pair().await;
        client.write_all(&[b'a'; 3000]).await.unwrap();
        sees(&mut socket, Incoming::Bytes).await;
        client.write_all(&[b'b'; 3000]).await.unwrap();
        sees(&mut socket, Incoming::Bytes).await;
        client.shutdown().await.unwrap();
        sees(&mut socket, Incoming::End).await;
        let mut read = Vec::new();
        socket.read_to_end(&mut read).await.unwrap();
        assert_eq!(read, [[b'a'; 3000], [b'b'; 3000]].concat());
    }

    #[tokio::test]
    async fn bytes_that_were_looked_at_are_read_and_those_that_come_later_too() {
        let (mut socket, mut client) = pair().await;
        for round in 0..100_u8 {
            client.write_all(&[round; 10]).await.unwrap();
            sees(&mut socket, Incoming::Bytes).await;
            let mut read = [0; 10];
            socket.read_exact(&mut read[..4]).await.unwrap();
            socket.read_exact(&mut read[4..]).await.unwrap();
            assert_eq!(read, [round; 10]);
        }
        assert_eq!(read_now(&mut socket), None);
        sees(&mut socket, Incoming::Nothing).await;
    }

    #[tokio::test]
    async fn a_reset_is_seen_behind_bytes_that_are_unread() {
        let (mut socket, mut client) = pair().await;
        client.write_all(b"unread").await.unwrap();
        sees(&mut socket, Incoming::Bytes).await;
        client.set_zero_linger().unwrap();
        drop(client);
        sees(&mut socket, Incoming::Reset).await;
    }
}
