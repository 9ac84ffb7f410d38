//! The configuration of a client, with its defaults. `check` says what is out of range, `env` reads the environment.

mod breaker_scope;
mod breaker_window;
mod check;
mod env;
mod hedge;
mod level;
mod proxy;
mod seconds;

use std::{path::PathBuf, str::FromStr, sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};

pub(crate) use self::check::{check_deadline, check_hedge, check_retry, check_timeout};
pub use self::{
    breaker_scope::BreakerScope,
    breaker_window::BreakerWindow,
    hedge::{HedgeAfter, HedgeConfig},
    level::LogLevel,
    proxy::ProxyConfig,
};
use crate::{
    observe::{Observer, ObserverList},
    redact,
};

/// The configuration of a client.
///
/// It is written in code, deserialised by serde (durations are seconds with fractions; unknown fields are rejected)
/// or read from the environment by [`ClientConfig::from_env`]. It is checked when a client starts, or earlier by
/// [`ClientConfig::validate`]. The debug output hides credentials in `base_url`.
#[derive(Clone, derive_more::Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClientConfig {
    /// The URL to which relative paths are appended: `http://host:port/prefix`. When it is empty, only absolute URLs
    /// can be called.
    #[debug("{:?}", redact::url(base_url))]
    pub base_url: String,
    /// The limits of one attempt.
    pub timeout: TimeoutConfig,
    /// The limit of a whole call: queueing, attempts, waits and the body. Default 60 s; at most 7 days.
    #[serde(with = "seconds")]
    pub deadline: Duration,
    /// When a failed attempt is repeated.
    pub retry: RetryConfig,
    /// When a second request is sent beside a slow one.
    pub hedge: HedgeConfig,
    /// When calls are rejected because the server keeps failing.
    pub circuit_breaker: CircuitBreakerConfig,
    /// How many attempts may be in progress at once.
    pub bulkhead: BulkheadConfig,
    /// Whether compressed replies (gzip, deflate, br, zstd) are asked for and decoded. Default true.
    pub compression: bool,
    /// Whether cookies that servers set are kept in memory, and sent back to them. Default false.
    pub cookies: bool,
    /// The proxy through which requests go.
    pub proxy: ProxyConfig,
    /// Whether redirects are followed: at most 10, never from https to http. Default true.
    pub follow_redirects: bool,
    /// Whether the server's certificate is verified. Default true; false is for tests only.
    pub verify_ssl: bool,
    /// A file of certificates in PEM form that are trusted beside Mozilla's roots. Default none.
    pub ca_file: Option<PathBuf>,
    /// The `User-Agent` header. Default `resilient-client/VERSION`.
    pub user_agent: String,
    /// What is logged, and to which target.
    pub logging: LoggingConfig,
    /// The longest body of a reply, in bytes, after it has been decompressed. Default 8 MiB; 1 to 2^40.
    pub max_body_bytes: u64,
    /// What sees the events of the client: at most 8 observers. Not part of a file. Default none.
    #[serde(skip)]
    pub observers: ObserverList,
}

impl ClientConfig {
    /// Makes a configuration with the default settings for a base URL.
    pub fn new(base_url: impl Into<String>) -> Self {
        Self { base_url: base_url.into(), ..Self::default() }
    }

    /// Adds an observer, which sees everything that happens in the client from its start.
    #[must_use]
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observers.push(observer);
        self
    }
}

impl Default for ClientConfig {
    fn default() -> Self {
        Self {
            base_url: String::new(),
            timeout: TimeoutConfig::default(),
            deadline: Duration::from_secs(60),
            retry: RetryConfig::default(),
            hedge: HedgeConfig::default(),
            circuit_breaker: CircuitBreakerConfig::default(),
            bulkhead: BulkheadConfig::default(),
            compression: true,
            cookies: false,
            proxy: ProxyConfig::default(),
            follow_redirects: true,
            verify_ssl: true,
            ca_file: None,
            user_agent: concat!("resilient-client/", env!("CARGO_PKG_VERSION")).to_owned(),
            logging: LoggingConfig::default(),
            max_body_bytes: 8 << 20,
            observers: ObserverList::default(),
        }
    }
}

/// The limits of one attempt. Each is above zero and at most a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TimeoutConfig {
    /// The time to resolve the name, to connect and for the TLS handshake. Default 5 s.
    #[serde(with = "seconds")]
    pub connect: Duration,
    /// The longest silence while waiting for the head or the body. Default 15 s.
    #[serde(with = "seconds")]
    pub read: Duration,
    /// The longest time in which the server takes no byte of the request. Default 15 s.
    #[serde(with = "seconds")]
    pub write: Duration,
    /// The time to hand a call over to the client's own thread, when it is made on another. Default 5 s.
    #[serde(with = "seconds")]
    pub pool: Duration,
}

impl Default for TimeoutConfig {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            read: Duration::from_secs(15),
            write: Duration::from_secs(15),
            pool: Duration::from_secs(5),
        }
    }
}

/// When a failed attempt is repeated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RetryConfig {
    /// All attempts of a call, the first included. Default 3; 1 to 10000.
    pub max_attempts: u32,
    /// The shortest wait. Default 1 s; at most a day.
    #[serde(with = "seconds")]
    pub min_wait: Duration,
    /// The longest wait. Default 60 s; at least `min_wait`, at most a day.
    #[serde(with = "seconds")]
    pub max_wait: Duration,
    /// The factor by which the bound of the wait grows from retry to retry. Default 2; 1 to 1000.
    pub multiplier: f64,
    /// Whether the wait before retry n is uniform in `[min, min(max, min * multiplier^n)]` (the default), or
    /// exactly `min(max, min * multiplier^(n-1))`.
    pub jitter: bool,
    /// The methods that are retried. Default all.
    pub methods: RetryMethods,
    /// The longest `Retry-After` that is waited for; a longer one ends the call. Default 60 s; at most a day.
    #[serde(with = "seconds")]
    pub retry_after_max: Duration,
    /// How many retries all calls of the client may make together.
    pub budget: RetryBudget,
}

impl Default for RetryConfig {
    fn default() -> Self {
        Self {
            max_attempts: 3,
            min_wait: Duration::from_secs(1),
            max_wait: Duration::from_secs(60),
            multiplier: 2.0,
            jitter: true,
            methods: RetryMethods::All,
            retry_after_max: Duration::from_secs(60),
            budget: RetryBudget::default(),
        }
    }
}

/// What happens to a redirect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Redirects {
    /// It is followed, at most 10 times and never from https to http.
    #[default]
    Follow,
    /// It is not followed: the call ends with [`StatusError::Other`](crate::StatusError::Other).
    Keep,
}

/// The methods that are retried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetryMethods {
    /// All methods: the request id makes each of them safe to repeat against a server that honours it.
    #[default]
    All,
    /// GET, HEAD, OPTIONS, PUT and DELETE (RFC 9110, 9.2.2), and any request of which nothing was sent.
    #[serde(alias = "idempotent")]
    IdempotentOnly,
}

/// The retry budget, which all calls of a client share: a ratio of the calls, and a number per second.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RetryBudget {
    /// The retries that each call adds to the budget. Default 0.2; 0 to 100.
    pub ratio: f64,
    /// The retries that each second adds to the budget; those of one second at most are kept. Default 10; 0 to
    /// 1000000.
    pub per_second: f64,
}

impl Default for RetryBudget {
    fn default() -> Self {
        Self { ratio: 0.2, per_second: 10.0 }
    }
}

/// When calls are rejected because the server keeps failing.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CircuitBreakerConfig {
    /// The number of consecutive failed calls that opens the breaker. Default 5; 1 to 1000000.
    pub failure_threshold: u32,
    /// How long the breaker stays open. Default 30 s; above zero, at most a day.
    #[serde(with = "seconds")]
    pub recovery_timeout: Duration,
    /// The probes that may be in flight while the breaker is half-open. Default 1; 1 to 1000.
    pub half_open_max_calls: u32,
    /// Which calls share a breaker. Default all calls of the client.
    pub scope: BreakerScope,
    /// The calls of which the shares below are taken. Default the last 100.
    pub window: BreakerWindow,
    /// The share of failed calls that opens the breaker too; 0 does not look at it. Default 0; 0 to 1.
    pub failure_rate: f64,
    /// A call is slow if one of its attempts takes this long, without queue and waits. Default 5 s; at most a day.
    #[serde(with = "seconds")]
    pub slow_call_duration: Duration,
    /// The share of slow calls that opens the breaker too; 0 does not look at it. Default 0; 0 to 1.
    pub slow_call_rate: f64,
    /// The calls that the window must have before a share opens the breaker. Default 10; 1 to 100000, and at most
    /// the calls of the window.
    pub minimum_calls: u32,
}

impl Default for CircuitBreakerConfig {
    fn default() -> Self {
        Self {
            failure_threshold: 5,
            recovery_timeout: Duration::from_secs(30),
            half_open_max_calls: 1,
            scope: BreakerScope::default(),
            window: BreakerWindow::default(),
            failure_rate: 0.0,
            slow_call_duration: Duration::from_secs(5),
            slow_call_rate: 0.0,
            minimum_calls: 10,
        }
    }
}

/// How many attempts may be in progress at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BulkheadConfig {
    /// The number of slots. Default 50; 1 to 100000.
    pub max_concurrency: u32,
    /// The longest wait for a slot; with zero a call does not wait. Default 30 s; at most a day.
    #[serde(with = "seconds")]
    pub acquisition_timeout: Duration,
    /// Whether the number of slots follows the server, between `min_concurrency` and `max_concurrency`: it grows while
    /// it is used and latencies stay short, and shrinks when they grow or a tenth of the attempts is refused or times
    /// out. Default false.
    pub adaptive: bool,
    /// The least number of slots that an adaptive bulkhead has. Default 1; 1 to 100000, and at most `max_concurrency`.
    pub min_concurrency: u32,
}

impl Default for BulkheadConfig {
    fn default() -> Self {
        Self {
            max_concurrency: 50,
            acquisition_timeout: Duration::from_secs(30),
            adaptive: false,
            min_concurrency: 1,
        }
    }
}

/// What is logged, and to which target. The records go to the `log` crate; the application decides where they end up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LoggingConfig {
    /// The least important level that is logged. Default INFO.
    pub level: LogLevel,
    /// Whether log lines carry the request id. Default true.
    pub include_request_id: bool,
    /// The target of the records. Default `resilient_client`.
    pub target: String,
}

impl Default for LoggingConfig {
    fn default() -> Self {
        Self { level: LogLevel::Info, include_request_id: true, target: "resilient_client".to_owned() }
    }
}

impl FromStr for RetryMethods {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.to_ascii_lowercase().as_str() {
            "all" => Ok(Self::All),
            "idempotent" | "idempotent_only" => Ok(Self::IdempotentOnly),
            _ => Err(format!("must be all or idempotent, got {text:?}")),
        }
    }
}

#[cfg(test)]
mod tests;
