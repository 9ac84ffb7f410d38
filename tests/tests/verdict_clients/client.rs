//! A client that works as it should, and what its mutants do differently.

use std::net::SocketAddr;
use std::time::Duration;

use fastrand::Rng;
use tokio::time::sleep;

use crate::wire::{Connection, Got, Left};

/// The client of one session.
pub(crate) struct Client {
    pub(crate) address: SocketAddr,
    /// The prefix of the paths of the session.
    pub(crate) prefix: String,
    pub(crate) method: &'static str,
    pub(crate) attempts: u32,
    pub(crate) min_wait: Duration,
    pub(crate) timeout: Duration,
    pub(crate) hedge: Option<Duration>,
    pub(crate) calls: usize,
    /// The id of the finding that this client deserves; empty for one that works as it should.
    pub(crate) mutant: &'static str,
    pub(crate) rng: Rng,
    pub(crate) idle: Vec<Connection>,
}

impl Client {
    fn is(&self, row: &str) -> bool {
        self.mutant == row
    }

    /// Makes all calls, one after the other.
    pub(crate) async fn run(&mut self) {
        for call in 0..self.calls {
            self.call(call).await;
        }
    }

    /// Makes one call.
    pub(crate) async fn call(&mut self, call: usize) {
        let mut refreshed = false;
        let mut made = 0;
        loop {
            made += 1;
            let is_retry = made > 1 || refreshed;
            let got = self.attempt(call, is_retry, refreshed).await;
            if got.status == Some(401) && !refreshed {
                refreshed = true;
                made -= 1;
                continue;
            }
            let again = match got.status {
                None | Some(408 | 425 | 429 | 500 | 502 | 503 | 504) => true,
                Some(200) => self.is("executed-twice") && made == 1,
                Some(_) => self.is("retried-permanent"),
            };
            if !again || made >= self.attempts {
                return;
            }
            let dictated =
                got.retry_after.filter(|_| !self.is("retry-after-ignored")).map(Duration::from_secs);
            sleep(self.wait(made).max(dictated.unwrap_or_default())).await;
        }
    }

    /// The wait before the next attempt: it grows, and is random by 20 % up or down.
    fn wait(&mut self, made: u32) -> Duration {
        match self.mutant {
            "no-backoff" => Duration::from_millis(1),
            "flat-backoff" | "no-jitter" => self.min_wait,
            _ => self.min_wait.mul_f64(1.8_f64.powi(made.cast_signed() - 1) * (0.8 + self.rng.f64() * 0.4)),
        }
    }

    fn request(&mut self, call: usize, is_retry: bool, refreshed: bool) -> Vec<u8> {
        let mut headers = vec![format!("Authorization: {}", if refreshed { "new" } else { "old" })];
        if !(self.is("header-lost") && is_retry) {
            headers.push("Accept: */*".to_owned());
        }
        let key = match self.mutant {
            "key-changed" => format!("k{call}-{}", self.rng.u64(..)),
            "key-reused" => "k".to_owned(),
            _ => format!("k{call}"),
        };
        if !self.is("key-reused") {
            headers.push(format!("X-Test-Call: c{call}"));
        }
        let keyless = self.is("executed-twice") || (self.is("key-missing") && is_retry);
        if self.method == "POST" && !keyless {
            headers.push(format!("Idempotency-Key: {key}"));
        }
        let body = if self.is("body-lost") && is_retry { "" } else { "body" };
        let path = if self.is("key-reused") { format!("/echo/{call}") } else { "/echo/a".to_owned() };
        format!(
            "{} {}{path} HTTP/1.1\r\nHost: x\r\n{}\r\nContent-Length: {}\r\n\r\n{body}",
            self.method,
            self.prefix,
            headers.join("\r\n"),
            body.len(),
        )
        .into_bytes()
    }

    /// An attempt, with its hedge.
    async fn attempt(&mut self, call: usize, is_retry: bool, refreshed: bool) -> Got {
        let request = self.request(call, is_retry, refreshed);
        let mut first = self.connection().await;
        let Some(after) = self.hedge else {
            let (got, left) = first.exchange(&request, self.timeout).await;
            self.keep(first, left);
            return got;
        };
        let (limit, address) = (self.timeout, self.address);
        let mut first = tokio::spawn(async move { (first.exchange(&request, limit).await, first, request) });
        if let Ok(ended) = tokio::time::timeout(after, &mut first).await {
            let ((got, left), connection, _) = ended.expect("the attempt does not panic");
            self.keep(connection, left);
            return got;
        }
        let request = self.request(call, is_retry, refreshed);
        let mut second = Connection::open(address).await;
        let (got, left) = second.exchange(&request, limit).await;
        if got.status.is_some_and(|status| status < 300) {
            if !self.is("overlapping-attempts") {
                first.abort();
            }
            self.keep(second, left);
            return got;
        }
        // The hedge has failed: what the first attempt gets is the answer.
        let ((own, left), connection, _) = first.await.expect("the attempt does not panic");
        self.keep(connection, left);
        let retry_after = own.retry_after.max(got.retry_after);
        Got { retry_after, ..own }
    }

    async fn connection(&mut self) -> Connection {
        match self.idle.pop() {
            Some(connection) => connection,
            None => Connection::open(self.address).await,
        }
    }

    fn keep(&mut self, connection: Connection, left: Left) {
        let is_kept = match left {
            Left::Clean => !self.is("connection-churn"),
            Left::Dirty => self.is("broken-connection-reused"),
            Left::Nothing => false,
        };
        if is_kept {
            self.idle.push(connection);
        }
    }
}
