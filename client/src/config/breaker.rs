//! When calls are rejected because the server keeps failing.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{BreakerScope, BreakerWindow, seconds};

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
