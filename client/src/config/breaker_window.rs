//! The window of a circuit breaker that opens by rate.

use std::{str::FromStr, time::Duration};

use serde::{Deserialize, Serialize};

use super::seconds;

/// The calls of which a circuit breaker takes the shares.
///
/// In files and variables `100` is a number of calls, `10s` a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Written", try_from = "Written")]
pub enum BreakerWindow {
    /// The last calls, this many: 1 to 100000.
    Calls(u32),
    /// The calls of this last time, in ten slices: 10 ms to a day.
    Seconds(Duration),
}

/// A window as it stands in a file.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Written {
    Calls(u32),
    Text(String),
}

impl Default for BreakerWindow {
    fn default() -> Self {
        Self::Calls(100)
    }
}

impl FromStr for BreakerWindow {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("must be a number of calls, or of seconds with an s (10s), got {text:?}");
        match text.strip_suffix('s') {
            Some(number) => {
                seconds::parse(number.parse().map_err(|_| wrong())?).map(Self::Seconds).map_err(|_| wrong())
            }
            None => text.parse().map(Self::Calls).map_err(|_| wrong()),
        }
    }
}

impl From<BreakerWindow> for Written {
    fn from(window: BreakerWindow) -> Self {
        match window {
            BreakerWindow::Calls(calls) => Self::Calls(calls),
            BreakerWindow::Seconds(time) => Self::Text(format!("{}s", time.as_secs_f64())),
        }
    }
}

impl TryFrom<Written> for BreakerWindow {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        match written {
            Written::Calls(calls) => Ok(Self::Calls(calls)),
            Written::Text(text) => text.parse(),
        }
    }
}
