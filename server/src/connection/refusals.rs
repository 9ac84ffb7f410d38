//! What the client reads when its bytes are not a request.
//!
//! actix-http answers those by itself, without a body and without a correlation id, and drops the socket, so that the
//! client may read a reset instead. Here the answer is replaced by one like every other of this server, and the
//! connection closes only when the client has had time to read it. Whether an answer is actix-http's own is known by
//! the phase of the exchange: it is when no request has been accepted since a head began.

use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::SystemTime;

use actix_web::http::StatusCode;
use log::debug;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;
use uuid::Uuid;

use super::exchange::Exchange;
use super::phase::{Closing, Phase};
use crate::error::detail;
use crate::headers::CORRELATION_ID;
use crate::logging::REQUEST;

/// How much of what a refused client still sends is read and discarded.
const MAX_DISCARDED: usize = 1 << 20;

/// A socket on which every refusal is one of ours.
pub struct Refusals<T> {
    inner: T,
    exchange: Rc<Exchange>,
    ending: Ending,
}

/// How far the end of a refused connection has come.
#[derive(Debug, PartialEq, Eq)]
enum Ending {
    /// The connection does not end.
    NotYet,
    /// These bytes are still to be written.
    Writing(Vec<u8>),
    /// The client reads the end of the stream; so much of what it sent has been discarded.
    Discarding(usize),
    Complete,
}

impl<T> Refusals<T> {
    pub(super) fn new(inner: T, exchange: Rc<Exchange>) -> Self {
        Self { inner, exchange, ending: Ending::NotYet }
    }

    /// What the layers that handle this connection's requests report to.
    #[must_use]
    pub fn exchange(&self) -> Rc<Exchange> {
        Rc::clone(&self.exchange)
    }

    fn refuse(&mut self, status: StatusCode) {
        self.exchange.set_phase(Phase::Closing { since: Instant::now() });
        self.ending = Ending::Writing(render(status));
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> Refusals<T> {
    /// Brings a refused connection to its end: the refusal is written, then the end of the stream, and what the
    /// client still sends is discarded for a bounded time and size.
    fn poll_end(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            match &mut self.ending {
                Ending::NotYet | Ending::Complete => return Poll::Ready(Ok(())),
                Ending::Writing(bytes) if bytes.is_empty() => {
                    ready!(Pin::new(&mut self.inner).poll_shutdown(context))?;
                    self.ending = Ending::Discarding(0);
                }
                Ending::Writing(bytes) => {
                    match ready!(Pin::new(&mut self.inner).poll_write(context, bytes))? {
                        0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                        written => drop(bytes.drain(..written)),
                    }
                }
                Ending::Discarding(discarded) => {
                    let mut space = [0; 4096];
                    let mut more = ReadBuf::new(&mut space);
                    let read = ready!(Pin::new(&mut self.inner).poll_read(context, &mut more));
                    *discarded += more.filled().len();
                    if read.is_err() || more.filled().is_empty() || *discarded > MAX_DISCARDED {
                        self.ending = Ending::Complete;
                    }
                }
            }
        }
    }
}

impl<T> Drop for Refusals<T> {
    fn drop(&mut self) {
        self.exchange.connection_ended();
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncRead for Refusals<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.ending != Ending::NotYet {
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        let result = Pin::new(&mut self.inner).poll_read(context, buffer);
        if result.is_ready()
            && buffer.filled().len() == before
            && let Phase::Refused(status) = self.exchange.phase()
        {
            self.refuse(status);
        }
        result
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Refusals<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        if let Phase::Head { .. } | Phase::Submitted { .. } = self.exchange.phase() {
            self.refuse(status_of(buffer));
        }
        if self.ending == Ending::NotYet {
            return Pin::new(&mut self.inner).poll_write(context, buffer);
        }
        ready!(self.poll_end(context))?;
        Poll::Ready(Ok(buffer.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_end(context))?;
        ready!(Pin::new(&mut self.inner).poll_flush(context))?;
        self.exchange.flushed();
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.ending == Ending::NotYet && self.exchange.closing() == Closing::Lingering {
            self.exchange.set_phase(Phase::Closing { since: Instant::now() });
            self.ending = Ending::Writing(Vec::new());
        }
        if self.ending == Ending::NotYet {
            return Pin::new(&mut self.inner).poll_shutdown(context);
        }
        self.poll_end(context)
    }
}

/// The status of an answer of actix-http's own, which starts with its status line.
fn status_of(answer: &[u8]) -> StatusCode {
    let code = answer.strip_prefix(b"HTTP/1.1 ").and_then(|rest| rest.get(..3));
    code.and_then(|code| StatusCode::from_bytes(code).ok()).unwrap_or(StatusCode::BAD_REQUEST)
}

/// The whole answer, after which the connection ends.
fn render(status: StatusCode) -> Vec<u8> {
    let correlation_id = Uuid::new_v4();
    let reason = status.canonical_reason().unwrap_or("Error");
    debug!(target: REQUEST, correlation_id:%, status = status.as_u16(); "Malformed request refused");
    let body = detail(reason);
    let date = httpdate::fmt_http_date(SystemTime::now());
    let mut answer = format!(
        "HTTP/1.1 {} {reason}\r\ncontent-length: {}\r\nconnection: close\r\ncontent-type: application/json\r\n\
         {CORRELATION_ID}: {correlation_id}\r\ndate: {date}\r\n\r\n",
        status.as_u16(),
        body.len(),
    )
    .into_bytes();
    answer.extend_from_slice(&body);
    answer
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::testing::{FakeSocket, exchange, read_now, write_now};
    use crate::headers::Interpreted;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

    fn connection() -> (Refusals<FakeSocket>, DuplexStream, Rc<Exchange>) {
        let (socket, client, _) = FakeSocket::pair();
        let exchange = exchange();
        (Refusals::new(socket, Rc::clone(&exchange)), client, exchange)
    }

    /// What the client reads until the end of the stream.
    async fn read_by(client: &mut DuplexStream) -> String {
        let mut text = String::new();
        client.read_to_string(&mut text).await.unwrap();
        text
    }

    const MALFORMED: &str = "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n";

    #[tokio::test]
    async fn an_answer_to_what_is_no_request_is_replaced_by_a_whole_one() {
        for is_complete in [false, true] {
            let (mut server, mut client, exchange) = connection();
            exchange.head_begun();
            if is_complete {
                exchange.head_complete(Interpreted::None);
            }
            let refuse = async {
                server.write_all(MALFORMED.as_bytes()).await.unwrap();
                server.shutdown().await.unwrap();
            };
            let read = async {
                let text = read_by(&mut client).await;
                drop(client);
                text
            };
            let (_, text) = tokio::join!(refuse, read);
            let (head, body) = text.split_once("\r\n\r\n").unwrap();
            assert!(head.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{head}");
            assert!(head.contains("\r\nx-correlation-id: ") && head.contains("\r\ndate: "), "{head}");
            assert!(head.contains("\r\nconnection: close"), "{head}");
            assert_eq!(body, r#"{"detail":"Bad Request"}"#);
            assert!(head.contains(&format!("content-length: {}\r\n", body.len())), "{head}");
        }
    }

    #[test]
    fn an_answer_to_a_request_is_written_as_it_is_whatever_it_holds() {
        let (mut server, mut client, exchange) = connection();
        exchange.head_begun();
        exchange.head_complete(Interpreted::None);
        exchange.begin();
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", MALFORMED.len());
        for bytes in [answer.as_str(), MALFORMED] {
            write_now(&mut server, bytes);
            assert_eq!(read_now(&mut client), Some(bytes.as_bytes().to_vec()));
        }
        exchange.end();
        write_now(&mut server, MALFORMED);
        assert_eq!(read_now(&mut client), Some(MALFORMED.as_bytes().to_vec()), "the rest of a body");
    }

    #[tokio::test]
    async fn what_a_refused_client_still_sends_is_read_up_to_a_bound() {
        let (mut server, client, exchange) = connection();
        exchange.set_phase(Phase::Refused(StatusCode::URI_TOO_LONG));
        let (mut reader, mut writer) = tokio::io::split(client);
        let refuse = async {
            // The reads below this wrapper end the stream, with the refusal as their reason.
            server.refuse(StatusCode::URI_TOO_LONG);
            server.shutdown().await.unwrap();
            drop(server);
        };
        let send = async {
            let mut sent = 0;
            while writer.write_all(&[b'x'; 4096]).await.is_ok() {
                sent += 4096;
            }
            sent
        };
        let read = async {
            let mut text = String::new();
            reader.read_to_string(&mut text).await.unwrap();
            text
        };
        let (_, sent, text) = tokio::join!(refuse, send, read);
        assert!(text.starts_with("HTTP/1.1 414 URI Too Long\r\n"), "{text}");
        assert!((MAX_DISCARDED..4 * MAX_DISCARDED).contains(&sent), "{sent}");
    }

    #[test]
    fn a_status_that_is_not_readable_is_a_bad_request() {
        let cases = [(MALFORMED, 400), ("HTTP/1.1 431 \r\n\r\n", 431), ("HTTP/1.1 4", 400), ("", 400)];
        for (answer, status) in cases {
            assert_eq!(status_of(answer.as_bytes()).as_u16(), status, "{answer:?}");
        }
    }
}
