//! The configuration of a client, with its defaults. `check` says what is out of range, `env` reads the environment.

mod breaker;
mod breaker_scope;
mod breaker_window;
mod bulkhead;
mod check;
mod env;
mod hedge;
mod level;
mod logging;
mod proxy;
mod redirects;
mod retry;
mod seconds;
mod timeout;

use std::{path::PathBuf, sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};

pub(crate) use self::check::{check_deadline, check_hedge, check_retry, check_timeout};
pub use self::{
    breaker::CircuitBreakerConfig,
    breaker_scope::BreakerScope,
    breaker_window::BreakerWindow,
    bulkhead::BulkheadConfig,
    hedge::{HedgeAfter, HedgeConfig},
    level::LogLevel,
    logging::LoggingConfig,
    proxy::ProxyConfig,
    redirects::Redirects,
    retry::{RetryBudget, RetryConfig, RetryMethods},
    timeout::TimeoutConfig,
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

#[cfg(test)]
mod tests;
