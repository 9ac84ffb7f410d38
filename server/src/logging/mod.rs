//! The server's log: one event a line on standard output, through `log` and `env_logger`.
//!
//! The logger of a line is the target of its record; this file names them all. A thread of its own writes the lines
//! ([`sink`]), because neither a slow terminal nor a pipe that is not read may delay a request.

mod console;
mod json;
mod sink;

use std::io::IsTerminal;

use env_logger::{Builder, Target};
use log::LevelFilter;

use crate::config::{Config, LogFormat, LogLevel, UnknownVariable};

/// The logger of start, stop and reload.
pub const STARTUP: &str = "server.startup";
/// The target of the start line, which is written at every level; its logger is [`STARTUP`].
pub const STARTED: &str = "server.startup.started";
/// The logger of requests: received, completed, aborted, timed out, refused.
pub const REQUEST: &str = "server.request";
/// The logger of failure modes that are set, and of failures that are induced.
pub const FAILURE: &str = "server.failure";
/// The logger of faults that are injected, and of plans that are put in force.
pub const FAULT: &str = "server.fault";
/// The logger of the upstream: unreachable, or ended within its answer.
pub const UPSTREAM: &str = "server.upstream";
/// The logger of sessions: created, reset, ended.
pub const SESSION: &str = "server.session";
/// The logger of the journals of sessions.
pub const JOURNAL: &str = "server.journal";
/// The logger of the idempotency cache.
pub const CACHE: &str = "server.cache";
/// The logger of requests that wait for a slot.
pub const CONCURRENCY: &str = "server.concurrency";
/// The logger of unexpected errors.
pub const ERROR: &str = "server.error";

/// Guard that writes the lines that are still queued when it is dropped; keep it until the program ends.
#[must_use = "what is still queued is written when this is dropped"]
pub struct Flush(sink::Sink);

impl Drop for Flush {
    fn drop(&mut self) {
        self.0.flush();
    }
}

/// Starts logging as configured. Later calls in the same process change nothing.
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
        // The libraries log warnings and errors only, and actix-http nothing: it warns of what clients send.
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

/// Whether to write colours: on a terminal, unless `NO_COLOR` is set (<https://no-color.org>).
fn in_colour() -> bool {
    std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Warns of variables that are no settings.
pub fn warn_of_unknown(unknown: &[UnknownVariable]) {
    for UnknownVariable { variable, place, nearest } in unknown {
        log::warn!(target: STARTUP, variable, place:%, nearest; "Unknown variable ignored; did you mean {nearest}?");
    }
}

/// The logger of a record: its target, except for the start line.
fn logger<'a>(record: &'a log::Record<'_>) -> &'a str {
    if record.target() == STARTED { STARTUP } else { record.target() }
}

/// Whether a character could end a line or control a terminal; U+2028 and U+2029 end a line in some viewers.
fn is_unsafe(character: char) -> bool {
    character.is_control() || matches!(character, '\u{2028}' | '\u{2029}')
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

/// The current time as RFC 3339 in UTC with milliseconds.
fn timestamp() -> impl std::fmt::Display {
    humantime::format_rfc3339_millis(std::time::SystemTime::now())
}
