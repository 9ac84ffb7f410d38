//! The server that the patterns are shown against, and how it is told to fail.

use std::time::Duration;

use resilient_client::{
    ClientConfig, Error, LogLevel, LoggingConfig, ResilientClient, Response, RetryConfig, TimeoutConfig,
};
use serde_json::Value;

use super::story::Broken;
use crate::{
    cli::Demo,
    exit::{Exit, Failure},
};

/// A running test server.
pub(super) struct Stage {
    base_url: String,
    log: LogLevel,
    /// For the orders to the server; what the patterns do never touches it.
    control: ResilientClient,
}

impl Stage {
    pub(super) fn set(typed: &Demo) -> Result<Self, Failure> {
        let log = if typed.verbose { LogLevel::Debug } else { LogLevel::Off };
        if typed.verbose {
            crate::log::start(&LoggingConfig::default().target);
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
            ..ClientConfig::new(&typed.base_url)
        };
        let control = ResilientClient::start(config).map_err(|error| {
            let line = error.message().replacen("base_url:", "--base-url", 1);
            Failure::new(error.kind().into(), format!("{line}, got {:?}", typed.base_url))
        })?;
        Ok(Self { base_url: typed.base_url.clone(), log, control })
    }

    pub(super) fn base_url(&self) -> &str {
        &self.base_url
    }

    /// A configuration for this server, to be changed.
    pub(super) fn config(&self) -> ClientConfig {
        ClientConfig {
            logging: LoggingConfig { level: self.log, ..LoggingConfig::default() },
            ..ClientConfig::new(&self.base_url)
        }
    }

    /// A client that makes one attempt a call.
    pub(super) fn single_attempts(&self) -> ClientConfig {
        ClientConfig { retry: RetryConfig { max_attempts: 1, ..RetryConfig::default() }, ..self.config() }
    }

    pub(super) async fn someone_answers(&self) -> Result<(), Failure> {
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

    /// The next requests to `/msg` will fail.
    pub(super) async fn fail_next(&self, count: u32) -> Result<(), Broken> {
        self.order(&format!("/fail/count/{count}")).await
    }

    /// Nothing will fail.
    pub(super) async fn reset(&self) -> Result<(), Broken> {
        self.order("/fail/reset").await
    }

    /// How many requests are still to fail.
    pub(super) async fn failures_left(&self) -> Result<u64, Broken> {
        let status = self.control.get("/fail/status").send().await;
        let status: Value =
            status.and_then(|reply| reply.json()).map_err(|error| told("GET /fail/status", &error))?;
        status["failure_status"]["fail_requests_count"]
            .as_u64()
            .ok_or_else(|| Broken::new("GET /fail/status tells no fail_requests_count"))
    }

    async fn order(&self, path: &str) -> Result<(), Broken> {
        // The breaker is for calls that may be refused; an order to reset may not.
        let _ = self.control.force_closed().await;
        let done: Result<Response, Error> = self.control.post(path).send().await;
        done.map(drop).map_err(|error| told(&format!("POST {path}"), &error))
    }
}

fn told(what: &str, error: &Error) -> Broken {
    Broken::new(format!("the server does not do as it is told: {what}: {error}"))
}
