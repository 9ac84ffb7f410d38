//! What is logged, and to which target.

use serde::{Deserialize, Serialize};

use super::LogLevel;

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
