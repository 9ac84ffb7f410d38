//! A server that is attacked, and whether it came to harm.

use std::time::Duration;

use crate::guard::within;
use crate::http::answer;
use crate::process::Footprint;
use crate::server::TestServer;

/// What memory may grow by while the server is attacked.
const GROWTH: u64 = 32 << 20;

/// A server with short patience, and how it was before.
#[derive(Debug)]
pub struct Target {
    /// The server.
    pub server: TestServer,
    /// What it took before.
    pub before: Footprint,
    uptime: f64,
}

impl Target {
    /// Starts the server and uses it once.
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

    /// It is the same server, serves as before, takes what it took before and has nothing to report.
    ///
    /// # Panics
    /// When it is not so.
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

/// The status codes of all answers in what a connection brought.
///
/// # Panics
/// When one has none.
pub fn statuses(bytes: &[u8]) -> Vec<u16> {
    let text = String::from_utf8_lossy(bytes);
    text.split("HTTP/1.1 ")
        .skip(1)
        .map(|rest| rest[..3].parse().expect("a status has three digits"))
        .collect()
}
