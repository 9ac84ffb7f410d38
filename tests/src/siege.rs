//! A server for hostile requests, and the check that they did no harm.

use std::time::Duration;

use crate::guard::within;
use crate::http::answer;
use crate::process::Footprint;
use crate::server::TestServer;

/// How much the server's memory may grow.
const GROWTH: u64 = 32 << 20;

/// A server with short timeouts, and its state before the test.
#[derive(Debug)]
pub struct Target {
    /// The server.
    pub server: TestServer,
    /// Its memory and descriptors before the test.
    pub before: Footprint,
    uptime: f64,
}

impl Target {
    /// Starts the server and sends it one request.
    ///
    /// # Panics
    /// When it does not serve.
    pub async fn start() -> Self {
        let short = ["--header-timeout", "--keep-alive"];
        let builder = short.iter().fold(TestServer::builder(), |builder, flag| builder.flag(flag, 1));
        let server = builder.flag("--request-timeout", 3).flag("--workers", 2).start().await;
        let uptime = uptime(&server).await;
        answer(server.get("/msg")).await.message_id();
        let before = server.footprint();
        Target { server, before, uptime }
    }

    /// Asserts that the server has not been restarted, serves as before, uses no more memory and descriptors than before,
    /// and has logged no error.
    ///
    /// # Panics
    /// When one of these does not hold.
    pub async fn unharmed(mut self) {
        assert!(uptime(&self.server).await >= self.uptime, "it was started anew");
        answer(self.server.get("/msg")).await.message_id();
        // Connections kept alive by our own client may be there or not.
        let back = async {
            while self.server.footprint().descriptors > self.before.descriptors + 2 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        within("every descriptor is back", back).await;
        let now = self.server.footprint();
        assert!(now.resident < self.before.resident + GROWTH, "{:?}, now {now:?}", self.before);
        self.server.terminate();
        let outcome = self.server.wait_exit().await;
        assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
        assert!(!self.server.logs().iter().any(|line| line.level() == "error"), "{}", outcome.stdout);
    }
}

async fn uptime(server: &TestServer) -> f64 {
    let health = answer(server.get("/health")).await;
    assert_eq!(health.status, 200);
    health.body["uptime_seconds"].as_f64().expect("a number")
}

/// Returns the status codes of all answers in the bytes that a connection received. Bodies are skipped: they may hold
/// what looks like an answer.
///
/// # Panics
/// When a status line has no status code.
pub fn statuses(bytes: &[u8]) -> Vec<u16> {
    let (mut rest, mut statuses) = (bytes, Vec::new());
    while let Some(line) = rest.strip_prefix(b"HTTP/1.1 ") {
        let status = line.get(..3).and_then(|code| std::str::from_utf8(code).ok()?.parse().ok());
        statuses.push(status.expect("a status has three digits"));
        let end = rest.windows(4).position(|four| four == b"\r\n\r\n").map_or(rest.len(), |at| at + 4);
        let (head, behind) = rest.split_at(end);
        // An answer to HEAD has a length and no body.
        let body = if behind.starts_with(b"HTTP/1.1 ") { 0 } else { content_length(head) };
        rest = behind.get(body..).unwrap_or_default();
    }
    statuses
}

fn content_length(head: &[u8]) -> usize {
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    let value = head.lines().find_map(|line| line.strip_prefix("content-length:"));
    value.and_then(|length| length.trim().parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_statuses_of_answers_are_found_and_what_bodies_hold_is_not() {
        let table: [(&str, &[u16]); 6] = [
            ("", &[]),
            ("HTTP/1.1 200 OK\r\n\r\n", &[200]),
            ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", &[100, 200]),
            (
                "HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\nHTTP/1.0 x\nHTTP/1.1 404 Not Found\r\n\r\n",
                &[200, 404],
            ),
            ("HTTP/1.1 200 OK\r\ncontent-length: 14\r\n\r\nsee HTTP/1.1 x", &[200]),
            ("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nHTTP/1.1 405 No\r\n\r\n", &[200, 405]),
        ];
        for (bytes, expected) in table {
            assert_eq!(statuses(bytes.as_bytes()), expected, "{bytes}");
        }
    }
}
