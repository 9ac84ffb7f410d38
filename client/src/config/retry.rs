//! When a failed attempt is repeated, and how often in all.

use std::{str::FromStr, time::Duration};

use serde::{Deserialize, Serialize};

use super::seconds;

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
