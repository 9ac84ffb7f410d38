//! The configuration as JSON: under `config` in the start line, and in `config-info --json`.

use serde::Serialize;

use super::{Config, Cors, LogFormat, LogLevel};

/// A configuration with JSON types, durations in seconds, under the names of the settings.
#[derive(Debug, Serialize)]
pub struct Shown<'a> {
    host: &'a str,
    port: u16,
    max_concurrency: usize,
    request_timeout: u64,
    cache_max_size: usize,
    cache_ttl_seconds: u64,
    log_level: LogLevel,
    log_format: LogFormat,
    enable_docs: bool,
    cors_enabled: bool,
    cors_origins: &'a [String],
    workers: usize,
    shutdown_timeout: u64,
    header_timeout: u64,
    keep_alive: u64,
    max_connections: usize,
}

impl<'a> From<&'a Config> for Shown<'a> {
    fn from(config: &'a Config) -> Self {
        Self {
            host: &config.host,
            port: config.port,
            max_concurrency: config.max_concurrency,
            request_timeout: config.request_timeout.as_secs(),
            cache_max_size: config.cache_max_size.get(),
            cache_ttl_seconds: config.cache_ttl.as_secs(),
            log_level: config.log_level,
            log_format: config.log_format,
            enable_docs: config.enable_docs,
            cors_enabled: config.cors != Cors::Off,
            cors_origins: match &config.cors {
                Cors::Origins(origins) => origins,
                Cors::Off | Cors::AnyOrigin => &[],
            },
            workers: config.workers,
            shutdown_timeout: config.shutdown_timeout.as_secs(),
            header_timeout: config.header_timeout.as_secs(),
            keep_alive: config.keep_alive.as_secs(),
            max_connections: config.max_connections,
        }
    }
}
