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

/// Returns the status codes of all answers in the bytes that a connection received.
///
/// # Panics
/// When a status line has no status code.
pub fn statuses(bytes: &[u8]) -> Vec<u16> {
    let text = String::from_utf8_lossy(bytes);
    text.split("HTTP/1.1 ")
        .skip(1)
        .map(|rest| rest[..3].parse().expect("a status has three digits"))
        .collect()
}
