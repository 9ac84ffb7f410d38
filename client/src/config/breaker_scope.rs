//! Which calls share a circuit breaker.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Which calls share a circuit breaker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BreakerScope {
    /// All calls of the client share one.
    #[default]
    Client,
    /// The calls to one origin (scheme, host and port) share one. The 1,024 origins that were called last have theirs;
    /// the breaker of one that was not is forgotten, and begins closed when the origin is called again.
    Origin,
}

impl FromStr for BreakerScope {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.to_ascii_lowercase().as_str() {
            "client" => Ok(Self::Client),
            "origin" => Ok(Self::Origin),
            _ => Err(format!("must be client or origin, got {text:?}")),
        }
    }
}
