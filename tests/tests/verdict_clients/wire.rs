//! A small HTTP client on one connection, which knows exactly how each answer ended.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// What the client knows of a request afterwards.
#[derive(Debug, Clone, Default)]
pub(crate) struct Got {
    /// The status of a whole answer.
    pub(crate) status: Option<u16>,
    pub(crate) retry_after: Option<u64>,
}

pub(crate) struct Connection {
    stream: TcpStream,
    unread: Vec<u8>,
}

/// Whether a connection can be used again: as a careful client sees it, and as a careless one does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Left {
    Clean,
    Dirty,
    Nothing,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.expect("the server listens");
        stream.set_nodelay(true).expect("a fresh socket takes options");
        Self { stream, unread: Vec::new() }
    }

    /// Sends a request and reads its answer within `limit`.
    pub(crate) async fn exchange(&mut self, request: &[u8], limit: Duration) -> (Got, Left) {
        let exchange = async {
            self.stream.write_all(request).await.ok()?;
            self.answer().await
        };
        match timeout(limit, exchange).await {
            Ok(Some(found)) => found,
            Ok(None) | Err(_) => (Got::default(), Left::Nothing),
        }
    }

    /// The next final answer; `None` if it is broken.
    async fn answer(&mut self) -> Option<(Got, Left)> {
        loop {
            let mut headers = [httparse::EMPTY_HEADER; 64];
            let mut head = httparse::Response::new(&mut headers);
            let httparse::Status::Complete(length) = head.parse(&self.unread).ok()? else {
                self.fill().await?;
                continue;
            };
            let (status, version) = (head.code?, head.version?);
            let value = |name: &str| {
                let found = head.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
                found.map(|header| String::from_utf8_lossy(header.value).into_owned())
            };
            let retry_after = value("retry-after").and_then(|text| text.parse().ok());
            let length_of_body = value("content-length").and_then(|text| text.parse::<usize>().ok());
            let is_chunked = value("transfer-encoding").is_some();
            let closes = version == 0 || value("connection").is_some_and(|value| value == "close");
            self.unread.drain(..length);
            if status < 200 {
                continue;
            }
            match (is_chunked, length_of_body) {
                (true, _) => self.chunks().await?,
                (false, Some(length)) => self.take(length).await?,
                (false, None) => while self.fill().await.is_some() {},
            }
            // Bytes that follow the answer may come a little later.
            let _ = timeout(Duration::from_millis(5), self.fill()).await;
            let left = match (closes, self.unread.is_empty()) {
                (true, true) => Left::Nothing,
                (false, true) => Left::Clean,
                (_, false) => Left::Dirty,
            };
            return Some((Got { status: Some(status), retry_after }, left));
        }
    }

    async fn chunks(&mut self) -> Option<()> {
        loop {
            let httparse::Status::Complete((line, size)) = httparse::parse_chunk_size(&self.unread).ok()?
            else {
                self.fill().await?;
                continue;
            };
            let size = usize::try_from(size).ok()?;
            self.take(line + size + 2).await?;
            if size == 0 {
                return Some(());
            }
        }
    }

    async fn take(&mut self, length: usize) -> Option<()> {
        while self.unread.len() < length {
            self.fill().await?;
        }
        self.unread.drain(..length);
        Some(())
    }

    async fn fill(&mut self) -> Option<()> {
        let count = self.stream.read_buf(&mut self.unread).await.ok()?;
        (count > 0).then_some(())
    }
}
