//! The limits of one attempt.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::seconds;

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
