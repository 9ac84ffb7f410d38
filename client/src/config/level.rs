//! Log levels, by their common names.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// A log level.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum LogLevel {
    /// Nothing is logged.
    Off,
    /// Only errors.
    Error,
    /// Events that need attention, such as a circuit breaker that opened.
    Warning,
    /// Events that concern all calls, such as the start of a client.
    #[default]
    Info,
    /// Events of each call.
    Debug,
}

impl LogLevel {
    const ALL: [(Self, &str); 5] = [
        (Self::Off, "OFF"),
        (Self::Error, "ERROR"),
        (Self::Warning, "WARNING"),
        (Self::Info, "INFO"),
        (Self::Debug, "DEBUG"),
    ];

    pub(crate) fn filter(self) -> log::LevelFilter {
        match self {
            Self::Off => log::LevelFilter::Off,
            Self::Error => log::LevelFilter::Error,
            Self::Warning => log::LevelFilter::Warn,
            Self::Info => log::LevelFilter::Info,
            Self::Debug => log::LevelFilter::Debug,
        }
    }
}

impl fmt::Display for LogLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (_, name) = Self::ALL.iter().find(|(level, _)| level == self).expect("every level has a name");
        f.write_str(name)
    }
}

impl FromStr for LogLevel {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::ALL.iter().find(|(_, name)| name.eq_ignore_ascii_case(text));
        let (level, _) =
            known.ok_or_else(|| format!("must be OFF, ERROR, WARNING, INFO or DEBUG, got {text:?}"))?;
        Ok(*level)
    }
}

impl TryFrom<String> for LogLevel {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<LogLevel> for String {
    fn from(level: LogLevel) -> Self {
        level.to_string()
    }
}
