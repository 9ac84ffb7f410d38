//! A raw connection: for requests that an ordinary client refuses to send, and for ways to close a connection that it
//! does not offer.

use std::io;
use std::net::SocketAddr;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::guard::within;

/// A TCP connection to a server.
#[derive(Debug)]
pub struct RawConnection {
    stream: TcpStream,
    unread: Vec<u8>,
}

/// How a server has ended a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// With the end of the stream (FIN).
    Closed,
    /// With a TCP reset (RST).
    Reset,
}

/// A response as it was received.
#[derive(Clone, Debug)]
pub struct RawResponse {
    /// The status code.
    pub status: u16,
    /// The headers in their order.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl RawConnection {
    /// Connects to `address`.
    ///
    /// # Panics
    /// When the connection is refused.
    pub async fn open(address: SocketAddr) -> Self {
        let stream = within("a connection", TcpStream::connect(address)).await.expect("the server listens");
        stream.set_nodelay(true).expect("a fresh socket takes options");
        RawConnection { stream, unread: Vec::new() }
    }

    /// Sends bytes.
    ///
    /// # Errors
    /// When the server has closed the connection.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        within("the server takes bytes", self.stream.write_all(bytes.as_ref())).await
    }

    /// Sends a request without a body, with `headers` (whole lines, each with its end).
    ///
    /// # Panics
    /// When the server has closed the connection.
    pub async fn request(&mut self, method: &str, path: &str, headers: &str) {
        let head = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n");
        self.send(head).await.expect("the connection is open");
    }

    /// Sends a GET and reads its answer.
    pub async fn get(&mut self, path: &str) -> RawResponse {
        self.request("GET", path, "").await;
        self.response().await
    }

    /// Reads one response with its body.
    ///
    /// # Panics
    /// When the connection is closed before that.
    pub async fn response(&mut self) -> RawResponse {
        self.try_response().await.expect("a whole response before the connection ends")
    }

    /// Reads one response with its body; returns `None` when the connection is closed or reset before that.
    pub async fn try_response(&mut self) -> Option<RawResponse> {
        let mut response = self.try_head().await?;
        if response.header("transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked")) {
            response.body = self.chunks().await?;
        } else {
            let length =
                response.header("content-length").unwrap_or("0").parse().expect("a length is a number");
            response.body = self.take(length).await?;
        }
        Some(response)
    }

    /// Reads the head of one response and no body, as in an answer to HEAD.
    ///
    /// # Panics
    /// When the connection is closed before that.
    pub async fn head(&mut self) -> RawResponse {
        self.try_head().await.expect("a whole head before the connection ends")
    }

    /// Closes the sending side; the connection can still be read.
    ///
    /// # Panics
    /// When the connection has ended already.
    pub async fn finish_sending(&mut self) {
        self.stream.shutdown().await.expect("the connection is open");
    }

    /// Closes the connection (FIN).
    pub fn close(self) {
        drop(self);
    }

    /// Resets the connection (RST).
    ///
    /// # Panics
    /// When the socket refuses the option.
    pub fn abort(self) {
        self.stream.set_zero_linger().expect("an open socket takes options");
    }

    /// Waits until the server has closed the connection, and returns what it sent before.
    pub async fn closed(mut self) -> Vec<u8> {
        while self.fill().await {}
        self.unread
    }

    /// Waits until the server has ended the connection, and returns what it sent before, as text, and how it ended.
    ///
    /// # Panics
    /// When reading fails in another way.
    pub async fn end(&mut self) -> (String, Ended) {
        let ended = loop {
            let read = self.stream.read_buf(&mut self.unread);
            match within("bytes from the server, or its end of the connection", read).await {
                Ok(0) => break Ended::Closed,
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => break Ended::Reset,
                Err(error) => panic!("the connection fails with {error}"),
            }
        };
        (String::from_utf8_lossy(&std::mem::take(&mut self.unread)).into_owned(), ended)
    }

    /// Reads until so many bytes have come, and returns them as text; fewer when the connection ends before that.
    pub async fn bytes(&mut self, count: usize) -> String {
        while self.unread.len() < count && self.fill().await {}
        let count = count.min(self.unread.len());
        String::from_utf8_lossy(&self.unread.drain(..count).collect::<Vec<_>>()).into_owned()
    }

    async fn try_head(&mut self) -> Option<RawResponse> {
        loop {
            let mut headers = [httparse::EMPTY_HEADER; 64];
            let mut head = httparse::Response::new(&mut headers);
            let parsed = head.parse(&self.unread).expect("the server sends valid HTTP");
            if let httparse::Status::Complete(length) = parsed {
                let status = head.code.expect("a whole head has a status");
                let headers = head.headers.iter().map(|header| {
                    (header.name.to_owned(), String::from_utf8_lossy(header.value).into_owned())
                });
                let response = RawResponse { status, headers: headers.collect(), body: Vec::new() };
                self.unread.drain(..length);
                return Some(response);
            }
            if !self.fill().await {
                return None;
            }
        }
    }

    async fn chunks(&mut self) -> Option<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let parsed = httparse::parse_chunk_size(&self.unread).expect("the server sends valid chunks");
            let httparse::Status::Complete((line, size)) = parsed else {
                if !self.fill().await {
                    return None;
                }
                continue;
            };
            let size = usize::try_from(size).expect("a chunk fits in memory");
            let chunk = self.take(line + size + 2).await?;
            if size == 0 {
                return Some(body);
            }
            body.extend_from_slice(&chunk[line..line + size]);
        }
    }

    async fn take(&mut self, length: usize) -> Option<Vec<u8>> {
        while self.unread.len() < length {
            if !self.fill().await {
                return None;
            }
        }
        Some(self.unread.drain(..length).collect())
    }

    /// Reads more bytes; returns false when the connection has been closed.
    async fn fill(&mut self) -> bool {
        let read = self.stream.read_buf(&mut self.unread);
        within("bytes from the server, or its end of the connection", read).await.is_ok_and(|count| count > 0)
    }
}

impl RawResponse {
    /// Returns the value of header `name`; case does not matter.
    ///
    /// # Panics
    /// When it is there twice.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter(|(header, _)| header.eq_ignore_ascii_case(name));
        let value = values.next().map(|(_, value)| value.as_str());
        assert!(values.next().is_none(), "{name} more than once: {self:#?}");
        value
    }

    /// Returns the body as JSON; `Null` when it is not JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }
}
