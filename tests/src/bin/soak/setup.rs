//! The server, the clients, and what every part of the soak asks of them.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use resilient_client::{
    BulkheadConfig, Call, CircuitBreakerConfig, ClientConfig, ConnectionError, Error, ErrorKind,
    ResilientClient, Response, RetryConfig,
};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use workspace_tests::{Footprint, Program, TestServer};

use crate::keys::Keys;
use crate::tally::Tally;
use crate::{Broken, broken};

/// Slots of a server of our own.
pub(crate) const SLOTS: usize = 16;

/// More failures in a row than a breaker that must not open will ever see.
const NEVER: u32 = 1_000_000;

/// How long anything may take before it counts as hanging. Never a measure of speed.
pub(crate) const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// All that a soak works with.
pub(crate) struct Soak {
    /// Has a breaker, and gives up soon.
    pub(crate) client: ResilientClient,
    /// Has a breaker that never opens: for orders, and for what is counted.
    pub(crate) counter: ResilientClient,
    pub(crate) keys: RefCell<Keys>,
    pub(crate) tally: Tally,
    /// Where the server listens, as `host:port`.
    pub(crate) authority: String,
    /// The server, if it is ours.
    pub(crate) server: Option<TestServer>,
    /// What our server took before it was used.
    pub(crate) fresh: Option<Footprint>,
    /// What our server took after the warm-up.
    pub(crate) warm: Option<Footprint>,
}

impl Soak {
    pub(crate) async fn start(url: Option<&str>) -> Result<Self, Broken> {
        let (server, url) = match url {
            Some(url) => (None, url.trim_end_matches('/').to_owned()),
            None => {
                let server = own_server().await;
                let url = server.url("");
                (Some(server), url)
            }
        };
        let Some(authority) = url.strip_prefix("http://").map(str::to_owned) else {
            return broken!("{url:?} is no URL of the form http://HOST:PORT");
        };
        let start = |threshold| {
            ResilientClient::start(config(&url, threshold)).map_err(|error| Broken(error.to_string()))
        };
        let (client, counter) = (start(5)?, start(NEVER)?);
        let keys = RefCell::new(Keys::new(Instant::now()));
        let tally = Tally::default();
        let mut soak = Soak { client, counter, keys, tally, authority, server, fresh: None, warm: None };
        // Its workers may still be starting.
        soak.settle().await?;
        soak.fresh = soak.server.as_ref().map(TestServer::footprint);
        soak.order("/fail/reset").await?;
        Ok(soak)
    }

    /// Makes a call, which must end, and whose attempts are counted.
    pub(crate) async fn send(&self, call: Call<ResilientClient>) -> Result<Result<Response, Error>, Broken> {
        let Ok(ended) = timeout(LONGEST_WAIT, call.send()).await else {
            return broken!("a call has not ended after {LONGEST_WAIT:?}");
        };
        let attempts = ended.as_ref().map_or_else(Error::attempts, Response::attempts);
        self.tally.attempts.add(attempts.len() as u64);
        match &ended {
            Ok(_) => self.tally.answered.add(1),
            Err(error) if error.is_circuit_open() => self.tally.refused.add(1),
            Err(_) => self.tally.failed.add(1),
        }
        Ok(ended)
    }

    /// Tells the server to fail, or not to. That always works.
    pub(crate) async fn order(&self, path: &str) -> Result<(), Broken> {
        let counter = if path == "/fail/reset" { &self.tally.resets } else { &self.tally.arms };
        counter.add(1);
        match self.send(self.counter.post(path)).await? {
            Ok(_) => Ok(()),
            Err(error) => broken!("POST {path}: {error}"),
        }
    }

    /// Ends every failure mode, and waits until nothing of the storm is under way any more.
    pub(crate) async fn calm_down(&self) -> Result<(), Broken> {
        self.order("/fail/reset").await?;
        self.settle().await
    }

    async fn settle(&self) -> Result<(), Broken> {
        // Connections are accepted in order: once these are served, so are all that were aborted before.
        for _ in 0..16 {
            let served = timeout(LONGEST_WAIT, self.fresh_connection()).await;
            if !matches!(&served, Ok(Ok(answer)) if answer.starts_with("HTTP/1.1 200")) {
                return broken!("a new connection to a calm server brings {served:?}");
            }
        }
        let Some(server) = &self.server else {
            sleep(Duration::from_secs(1)).await;
            return Ok(());
        };
        let (mut same, mut last, end) = (0, 0, Instant::now() + LONGEST_WAIT);
        while same < 5 && Instant::now() < end {
            sleep(Duration::from_millis(30)).await;
            let now = server.footprint().descriptors;
            same = if now == last { same + 1 } else { 0 };
            last = now;
        }
        Ok(())
    }

    async fn fresh_connection(&self) -> std::io::Result<String> {
        let mut stream = TcpStream::connect(&self.authority).await?;
        stream.write_all(b"GET /health HTTP/1.1\r\nHost: soak\r\nConnection: close\r\n\r\n").await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        Ok(answer)
    }

    /// Ends the clients and the server; the summary.
    pub(crate) async fn finish(mut self) -> Result<String, Broken> {
        self.client.close().await;
        self.counter.close().await;
        let mut summary = format!("{}; {} keys", self.tally, self.keys.borrow().made());
        let (Some(server), Some(fresh)) = (self.server.take(), self.fresh) else { return Ok(summary) };
        drop((self.client, self.counter));
        let end = Instant::now() + LONGEST_WAIT;
        while server.footprint().descriptors > fresh.descriptors {
            if Instant::now() > end {
                let now = server.footprint().descriptors;
                return broken!("the server had {} descriptors when fresh, and has {now}", fresh.descriptors);
            }
            sleep(Duration::from_millis(20)).await;
        }
        let (warm, now) = (self.warm.unwrap_or(fresh), server.footprint());
        summary += &format!(
            "; memory {} MiB fresh, {} warm, {} at the end; {} descriptors",
            fresh.mebibytes(),
            warm.mebibytes(),
            now.mebibytes(),
            now.descriptors
        );
        let outcome = server.stop().await;
        if outcome.code != Some(0) || !outcome.stderr.is_empty() {
            return broken!("the server ended with {:?} and {:?}", outcome.code, outcome.stderr);
        }
        Ok(summary)
    }
}

/// The message of an answer; `None` when the answer is a failure that was asked for, or the breaker's refusal.
pub(crate) fn message(ended: Result<Response, Error>) -> Result<Option<String>, Broken> {
    match ended {
        Ok(reply) => match reply.json::<Value>().ok().as_ref().and_then(|body| body["message_id"].as_str()) {
            Some(id) => Ok(Some(id.to_owned())),
            None => broken!("an answer without a message: {} {:?}", reply.status(), reply.text()),
        },
        Err(error) if error.is_circuit_open() => Ok(None),
        Err(error)
            if error.kind() == ErrorKind::Connection(ConnectionError::Server)
                && error.status() == Some(500) =>
        {
            Ok(None)
        }
        Err(error) => Err(unasked(error)),
    }
}

#[allow(clippy::needless_pass_by_value, reason = "so that it fits map_err")]
fn unasked(error: Error) -> Broken {
    Broken(format!("an unexpected error: {error}, after {:?}", error.attempts()))
}

fn config(url: &str, failure_threshold: u32) -> ClientConfig {
    ClientConfig {
        retry: RetryConfig {
            min_wait: Duration::from_millis(1),
            max_wait: Duration::from_millis(20),
            ..RetryConfig::default()
        },
        circuit_breaker: CircuitBreakerConfig {
            failure_threshold,
            recovery_timeout: Duration::from_millis(30),
            ..CircuitBreakerConfig::default()
        },
        bulkhead: BulkheadConfig { max_concurrency: 12, ..BulkheadConfig::default() },
        ..workspace_tests::direct(url)
    }
}

/// Starts a server that logs its start, and after that only what must not happen.
async fn own_server() -> TestServer {
    let program = Program::test_server().argument("serve").flag("--host", "127.0.0.1").flag("--port", 0);
    let program =
        program.flag("--max-concurrency", SLOTS).flag("--workers", 2).flag("--log-level", "WARNING");
    program.flag("--cache-max-size", 10_000).flag("--cache-ttl-seconds", 3600).start().await
}
