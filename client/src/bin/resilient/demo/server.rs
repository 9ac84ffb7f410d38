//! The test server that the patterns run against, and the commands that make it fail.

use std::time::Duration;

use resilient_client::{
    ClientConfig, Error, LogLevel, LoggingConfig, ResilientClient, Response, RetryConfig, TimeoutConfig,
};
use serde_json::Value;

use super::transcript::NotHeld;
use crate::{
    address::with_scheme,
    cli::Demo,
    exit::{Exit, Failure},
};

/// A running test server.
pub(super) struct Server {
    base_url: String,
    log: LogLevel,
    /// Sends commands to the server. The patterns use clients of their own.
    control: ResilientClient,
}

impl Server {
    pub(super) fn new(typed: &Demo) -> Result<Self, Failure> {
        let log = if typed.verbose { LogLevel::Debug } else { LogLevel::Off };
        if typed.verbose {
            crate::log::start(&LoggingConfig::default().target);
        }
        let base_url = with_scheme(&typed.base_url).into_owned();
        if base_url.is_empty() {
            return Err(Failure::usage("--base-url must not be empty"));
        }
        let config = ClientConfig {
            timeout: TimeoutConfig {
                connect: Duration::from_secs(5),
                read: Duration::from_secs(5),
                ..TimeoutConfig::default()
            },
            deadline: Duration::from_secs(10),
            retry: RetryConfig { max_attempts: 1, ..RetryConfig::default() },
            logging: LoggingConfig { level: LogLevel::Off, ..LoggingConfig::default() },
            ..ClientConfig::new(&base_url)
        };
        let control = ResilientClient::start(config).map_err(|error| {
            let line = error.field().map(|field| format!("--base-url {}", field.rule(str::to_owned)));
            Failure::new(error.kind().into(), line.unwrap_or_else(|| error.to_string()))
        })?;
        Ok(Self { base_url, log, control })
    }

    pub(super) fn base_url(&self) -> &str {
        &self.base_url
    }

    /// The default configuration for this server.
    pub(super) fn config(&self) -> ClientConfig {
        ClientConfig {
            logging: LoggingConfig { level: self.log, ..LoggingConfig::default() },
            ..ClientConfig::new(&self.base_url)
        }
    }

    /// The configuration of a client that makes one attempt for each call.
    pub(super) fn single_attempts(&self) -> ClientConfig {
        ClientConfig { retry: RetryConfig { max_attempts: 1, ..RetryConfig::default() }, ..self.config() }
    }

    /// Checks that a healthy test server answers.
    pub(super) async fn check_health(&self) -> Result<(), Failure> {
        match self.control.get("/health").send().await {
            Ok(_) => Ok(()),
            Err(error) if error.response().is_some() => {
                let line = format!("{} is no healthy test server: GET /health: {error}", self.base_url);
                Err(Failure::new(Exit::Failure, line))
            }
            Err(error) => Err(Failure::new(
                Exit::Connection,
                format!("no server answers at {}: {error}", self.base_url),
            )),
        }
    }

    /// Makes the next `count` requests to `/msg` fail.
    pub(super) async fn fail_next(&self, count: u32) -> Result<(), NotHeld> {
        self.post(&format!("/fail/count/{count}")).await
    }

    /// Resets all failure modes.
    pub(super) async fn reset(&self) -> Result<(), NotHeld> {
        self.post("/fail/reset").await
    }

    /// Returns how many of the next requests will fail.
    pub(super) async fn failures_left(&self) -> Result<u64, NotHeld> {
        let status = self.control.get("/fail/status").send().await;
        let status: Value =
            status.and_then(|reply| reply.json()).map_err(|error| failed("GET /fail/status", &error))?;
        status["failure_status"]["fail_requests_count"]
            .as_u64()
            .ok_or_else(|| NotHeld::new("the answer to GET /fail/status has no fail_requests_count"))
    }

    async fn post(&self, path: &str) -> Result<(), NotHeld> {
        // An open breaker must never refuse a reset.
        let _ = self.control.force_closed().await;
        let done: Result<Response, Error> = self.control.post(path).send().await;
        done.map(drop).map_err(|error| failed(&format!("POST {path}"), &error))
    }
}

fn failed(what: &str, error: &Error) -> NotHeld {
    NotHeld::new(format!("a command to the test server failed: {what}: {error}"))
}
