//! How many attempts may be in progress at once.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::seconds;

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
