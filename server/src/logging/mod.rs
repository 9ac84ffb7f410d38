//! What the server writes: one event a line on standard output, through `log` and `env_logger`.
//!
//! A line's `logger` is the record's target; they are named here so that a reader of the code finds every one.
//! The lines are written by a thread of their own ([`sink`]): neither a slow terminal nor a pipe that nobody reads
//! may hold up a request.

mod console;
mod json;
mod sink;

use std::io::IsTerminal;

use env_logger::{Builder, Target};
use log::LevelFilter;

use crate::config::{Config, LogFormat, LogLevel, UnknownVariable};

/// Start, stop, reload.
pub const STARTUP: &str = "server.startup";
/// The target of the start line, which is written at every level; its logger is [`STARTUP`].
pub const STARTED: &str = "server.startup.started";
/// Requests received, completed, aborted, timed out, refused.
pub const REQUEST: &str = "server.request";
/// Failure modes set, and failures induced.
pub const FAILURE: &str = "server.failure";
/// The idempotency cache.
pub const CACHE: &str = "server.cache";
/// Waiting for a slot.
pub const CONCURRENCY: &str = "server.concurrency";
/// What should not happen.
pub const ERROR: &str = "server.error";

/// Writes what is still queued when it is dropped; keep it until the program ends.
#[must_use = "what is still queued is written when this is dropped"]
pub struct Flush(sink::Sink);

impl Drop for Flush {
    fn drop(&mut self) {
        self.0.flush();
    }
}

/// Starts logging as configured. The first call of the process decides; later ones change nothing.
pub fn start(config: &Config) -> Flush {
    let sink = sink::Sink::start();
    let level = match config.log_level {
        LogLevel::Debug => LevelFilter::Debug,
        LogLevel::Info => LevelFilter::Info,
        LogLevel::Warning => LevelFilter::Warn,
        LogLevel::Error => LevelFilter::Error,
    };
    let mut builder = Builder::new();
    builder
        // Of our libraries, only what they find alarming; but what a client sends is no alarm.
        .filter_level(level.min(LevelFilter::Warn))
        .filter_module("actix_http", LevelFilter::Off)
        .filter_module("server", level)
        .filter_module(STARTED, level.max(LevelFilter::Info))
        .target(Target::Pipe(Box::new(sink.clone())));
    match config.log_format {
        LogFormat::Json => builder.format(json::write),
        LogFormat::Console if in_colour() => builder.format(console::write_in_colour),
        LogFormat::Console => builder.format(console::write_plain),
    };
    if builder.try_init().is_ok() {
        std::panic::set_hook(Box::new(|panic| {
            log::error!(target: ERROR, cause:% = panic; "Panic");
        }));
    }
    Flush(sink)
}

/// On a terminal, unless `NO_COLOR` says otherwise (<https://no-color.org>).
fn in_colour() -> bool {
    std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Warns of variables that are no settings.
pub fn unknown_variables(unknown: &[UnknownVariable]) {
    for UnknownVariable { variable, place, nearest } in unknown {
        log::warn!(target: STARTUP, variable, place:%, nearest; "Unknown variable ignored; did you mean {nearest}?");
    }
}

fn logger<'a>(record: &'a log::Record<'_>) -> &'a str {
    if record.target() == STARTED { STARTUP } else { record.target() }
}

fn level_name(level: log::Level) -> &'static str {
    match level {
        log::Level::Error => "error",
        log::Level::Warn => "warning",
        log::Level::Info => "info",
        log::Level::Debug => "debug",
        log::Level::Trace => "trace",
    }
}

/// RFC 3339 in UTC with milliseconds.
fn timestamp() -> impl std::fmt::Display {
    humantime::format_rfc3339_millis(std::time::SystemTime::now())
}
