//! Why a configuration is invalid, as one line.

use std::fmt;

use derive_more::{Display, Error};

use super::declare::Setting;
use super::layers::{Place, Source};

/// Why the configuration is invalid. Shown as one line.
#[derive(Debug, Clone, PartialEq, Eq, Display, Error)]
pub enum ConfigError {
    /// The value of a setting does not parse or is out of range.
    #[display("{variable} (--{flag}) is {} ({place}), expected {expected}{}", Quoted(value), hint(value))]
    Invalid {
        /// The setting's environment variable.
        variable: &'static str,
        /// The setting's flag.
        flag: &'static str,
        /// The value.
        value: String,
        /// Where the value was found.
        place: Place,
        /// The valid values.
        expected: String,
    },
    /// A line of `.env` sets one of our variables and cannot be read.
    #[display("{variable} ({place}): {fault}; expected {variable}= and {expected}")]
    Line {
        /// The setting's environment variable.
        variable: &'static str,
        /// The line.
        place: Place,
        /// What is wrong with the line.
        fault: super::dotenv::Fault,
        /// The valid values.
        expected: String,
    },
    /// The file `.env` cannot be read.
    #[display(".env cannot be read: {_0}")]
    DotEnv(#[error(not(source))] String),
}

impl ConfigError {
    pub(super) fn invalid(setting: &Setting, value: String, place: Place) -> Self {
        let Setting { variable, flag, .. } = *setting;
        let value = setting.shown(value);
        Self::Invalid { variable, flag, value, place, expected: setting.expected() }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self { source, line: Some(line) } => write!(out, "{source}, line {line}"),
            Self { source, line: None } => source.fmt(out),
        }
    }
}

/// A value in quotes, with its control characters escaped, and cut where it is too long for a line.
struct Quoted<'a>(&'a str);

/// The characters of a value that are shown.
const SHOWN: usize = 200;

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.char_indices().nth(SHOWN) {
            Some((end, _)) => write!(out, "{:?}...", &self.0[..end]),
            None => write!(out, "{:?}", self.0),
        }
    }
}

/// What to do about a value that Kubernetes has set.
fn hint(value: &str) -> &'static str {
    if super::unknown::is_link(value) {
        "; Kubernetes sets it for a service named \"server\": set enableServiceLinks: false in the pod"
    } else {
        ""
    }
}

impl From<Source> for Place {
    fn from(source: Source) -> Self {
        Self { source, line: None }
    }
}
