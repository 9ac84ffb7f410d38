//! The server's configuration: checked once, at the start, and read-only from then on.
//!
//! [`settings`] declares every setting once. A value is taken from the command line, else the environment, else
//! `.env`, else the default ([`layers`]); [`Config::load`] checks them all. [`dotenv`] reads `.env`, [`kind`] knows
//! the kinds of values, [`unknown`] finds variables that are no settings.

mod declare;
mod dotenv;
mod error;
mod host;
pub(crate) mod kind;
mod layers;
mod origins;
mod settings;
mod shown;
mod unknown;
mod upstream;

use serde::Serialize;

pub use declare::{Fallback, Setting};
pub use dotenv::{DotEnv, Fault};
pub use error::ConfigError;
pub use layers::{Layers, Place, Source};
pub use origins::AllowedOrigins;
pub use settings::{Config, SETTINGS};
pub use unknown::UnknownVariable;

use settings::PREFIX;

/// A configuration together with where each of its values came from.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The checked values.
    pub config: Config,
    /// One source a setting, in the order of [`SETTINGS`].
    pub sources: Vec<Source>,
}

/// The lowest level of the events that are logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum LogLevel {
    /// Every request, from its arrival to its answer.
    Debug,
    /// Starts, stops, and changes of the failure modes.
    Info,
    /// Requests that time out.
    Warning,
    /// Unexpected errors.
    Error,
}

const LOG_LEVELS: [(&str, LogLevel); 4] = [
    ("DEBUG", LogLevel::Debug),
    ("INFO", LogLevel::Info),
    ("WARNING", LogLevel::Warning),
    ("ERROR", LogLevel::Error),
];

/// The format of the log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// One JSON object a line, for programs.
    Json,
    /// Text, for people; in colour on a terminal.
    Console,
}

const LOG_FORMATS: [(&str, LogFormat); 2] = [("json", LogFormat::Json), ("console", LogFormat::Console)];

/// The policy on requests from web pages of other origins (CORS).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cors {
    /// No CORS header is sent.
    Off,
    /// Any origin is allowed, without credentials.
    AnyOrigin,
    /// These origins are allowed, with credentials.
    Origins(Vec<String>),
}

impl Config {
    /// The prefix of all own paths; empty without an upstream.
    #[must_use]
    pub fn own_prefix(&self) -> &str {
        if self.upstream.is_some() { &self.control_prefix } else { "" }
    }

    /// The policy on requests from other origins, which follows from two settings.
    #[must_use]
    pub fn cors(&self) -> Cors {
        match &self.cors_origins {
            _ if !self.cors_enabled => Cors::Off,
            None | Some(AllowedOrigins::Any) => Cors::AnyOrigin,
            Some(AllowedOrigins::Listed(origins)) => Cors::Origins(origins.clone()),
        }
    }
}

#[cfg(test)]
mod tests;
