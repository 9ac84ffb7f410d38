//! The server's configuration: checked once, at the start, and read-only from then on.
//!
//! [`setting`] lists every setting, [`layers`] says which value of it is in force and where it came from, and
//! [`Config::load`] checks them all. A value is taken from the command line, else the environment, else `.env`,
//! else the default.

mod layers;
mod parse;
pub mod setting;
mod shown;

use std::num::NonZeroUsize;
use std::time::Duration;

use serde::Serialize;

pub use layers::{DotEnv, Layers, Source};
pub use parse::ConfigError;
pub use shown::Shown;

use setting as s;

/// Everything that can be set, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Address or name to listen on.
    pub host: String,
    /// Port to listen on; 0 takes a free one.
    pub port: u16,
    /// Requests to `/msg` that are processed at once; more of them wait.
    pub max_concurrency: usize,
    /// Bound on one request, its wait for a slot included.
    pub request_timeout: Duration,
    /// Answers kept in the idempotency cache.
    pub cache_max_size: NonZeroUsize,
    /// How long each of them is kept.
    pub cache_ttl: Duration,
    /// What is logged.
    pub log_level: LogLevel,
    /// How it is written.
    pub log_format: LogFormat,
    /// Whether the OpenAPI document and its two pages are served.
    pub enable_docs: bool,
    /// Which pages of other origins may call the server.
    pub cors: Cors,
    /// Threads that serve.
    pub workers: usize,
    /// How long requests in flight may take to finish when the server stops.
    pub shutdown_timeout: Duration,
    /// How long a request's head may take to arrive.
    pub header_timeout: Duration,
    /// How long an idle connection is kept; zero closes each after its answer.
    pub keep_alive: Duration,
    /// Connections open at once on each worker; more of them wait to be accepted.
    pub max_connections: usize,
}

/// From which level on events are logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum LogLevel {
    /// Every request, and what became of it.
    Debug,
    /// Starts, stops, and changes of the failure modes.
    Info,
    /// Requests that ran out of time.
    Warning,
    /// What should not happen.
    Error,
}

/// How a log line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// One JSON object a line, for machines.
    Json,
    /// Text, for people; in colour on a terminal.
    Console,
}

/// Which pages of other origins may call the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cors {
    /// None: no CORS header is sent.
    Off,
    /// All of them, without credentials.
    AnyOrigin,
    /// These, with credentials.
    Origins(Vec<String>),
}

/// A configuration together with where each of its values came from.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The checked values.
    pub config: Config,
    /// One row a setting, in the order of [`setting::ALL`].
    pub values: Vec<Value>,
}

/// One setting's value, as it was written.
#[derive(Debug, Clone)]
pub struct Value {
    /// The setting's environment variable.
    pub variable: &'static str,
    /// What is in force, as text.
    pub value: String,
    /// Where it came from.
    pub source: Source,
}

impl Loaded {
    /// One line a setting: variable, value, source.
    #[must_use]
    pub fn table(&self) -> String {
        let row = |value: &Value| {
            format!("{:<26} {:<24} {}\n", value.variable, escaped(&value.value), value.source)
        };
        let heading = format!("{:<26} {:<24} {}\n", "SETTING", "VALUE", "SOURCE");
        heading + &self.values.iter().map(row).collect::<String>()
    }

    /// One object, with an object for each variable: its `value` with its JSON type, and its `source`.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        let shown = serde_json::to_value(Shown::from(&self.config)).unwrap_or_default();
        let row = |value: &Value| {
            let name = value.variable.trim_start_matches("SERVER_").to_ascii_lowercase();
            (value.variable.to_owned(), serde_json::json!({ "value": shown[name], "source": value.source }))
        };
        self.values.iter().map(row).collect::<serde_json::Map<_, _>>().into()
    }
}

/// Without control characters, which a terminal would obey.
fn escaped(value: &str) -> String {
    value.chars().flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] }).collect()
}

impl Config {
    /// Takes each setting from the first layer that has it, and checks them all.
    ///
    /// # Errors
    /// The first setting whose value is not valid, with its range.
    pub fn load(layers: &Layers<'_>) -> Result<Loaded, ConfigError> {
        let seconds = |setting, range| layers.whole(setting, range).map(Duration::from_secs);
        let count = |setting, range| layers.whole(setting, range).map(as_usize);
        let origins = layers.origins(&s::CORS_ORIGINS)?;
        let config = Self {
            host: layers.host(&s::HOST)?,
            port: layers.port(&s::PORT)?,
            max_concurrency: count(&s::MAX_CONCURRENCY, 1..=100_000)?,
            request_timeout: seconds(&s::REQUEST_TIMEOUT, 1..=300)?,
            cache_max_size: NonZeroUsize::new(count(&s::CACHE_MAX_SIZE, 1..=1_000_000)?)
                .unwrap_or(NonZeroUsize::MIN),
            cache_ttl: seconds(&s::CACHE_TTL_SECONDS, 1..=86_400)?,
            log_level: layers.one_of(&s::LOG_LEVEL, &LOG_LEVELS)?,
            log_format: layers.one_of(&s::LOG_FORMAT, &LOG_FORMATS)?,
            enable_docs: layers.one_of(&s::ENABLE_DOCS, &BOOLEANS)?,
            cors: match layers.one_of(&s::CORS_ENABLED, &BOOLEANS)? {
                false => Cors::Off,
                true if origins.is_empty() => Cors::AnyOrigin,
                true => Cors::Origins(origins),
            },
            workers: count(&s::WORKERS, 1..=1024)?,
            shutdown_timeout: seconds(&s::SHUTDOWN_TIMEOUT, 0..=300)?,
            header_timeout: seconds(&s::HEADER_TIMEOUT, 1..=300)?,
            keep_alive: seconds(&s::KEEP_ALIVE, 0..=3600)?,
            max_connections: count(&s::MAX_CONNECTIONS, 1..=1_000_000)?,
        };
        let values = s::ALL.iter().map(|setting| layers.shown(setting)).collect::<Result<_, _>>()?;
        Ok(Loaded { config, values })
    }
}

const LOG_LEVELS: [(&str, LogLevel); 4] = [
    ("DEBUG", LogLevel::Debug),
    ("INFO", LogLevel::Info),
    ("WARNING", LogLevel::Warning),
    ("ERROR", LogLevel::Error),
];

const LOG_FORMATS: [(&str, LogFormat); 2] = [("json", LogFormat::Json), ("console", LogFormat::Console)];

const BOOLEANS: [(&str, bool); 2] = [("true", true), ("false", false)];

/// The ranges above fit a `usize` on every platform that has 32 bits or more.
fn as_usize(value: u64) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests;
