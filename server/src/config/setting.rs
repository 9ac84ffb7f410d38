//! Every setting: its variable, its flag, its default and its range. The one list that the command line, the
//! environment, `.env.example`, `config-info` and the error messages agree on.

/// A setting and what people need to know of it.
#[derive(Debug, PartialEq, Eq)]
pub struct Setting {
    /// The environment variable.
    pub variable: &'static str,
    /// The command line's flag.
    pub flag: &'static str,
    /// What is in force when nobody sets it; `None` when that depends on the machine or is nothing.
    pub default: Option<&'static str>,
    /// What it may be, in words that follow "expected".
    pub range: &'static str,
}

macro_rules! settings {
    ($($name:ident = $variable:literal, $flag:literal, $default:expr, $range:literal;)+) => {
        $(
            #[doc = concat!("`", $variable, "`, or `--", $flag, "`.")]
            pub const $name: Setting =
                Setting { variable: $variable, flag: $flag, default: $default, range: $range };
        )+

        /// All of them, in the order in which people read them.
        pub const ALL: &[&Setting] = &[$(&$name),+];
    };
}

settings! {
    HOST = "SERVER_HOST", "host", Some("0.0.0.0"), "an IP address or a host name";
    PORT = "SERVER_PORT", "port", Some("8000"), "a whole number from 0 to 65535";
    MAX_CONCURRENCY = "SERVER_MAX_CONCURRENCY", "max-concurrency", Some("50"), "a whole number from 1 to 100000";
    REQUEST_TIMEOUT = "SERVER_REQUEST_TIMEOUT", "request-timeout", Some("30"), "a whole number of seconds from 1 to 300";
    CACHE_MAX_SIZE = "SERVER_CACHE_MAX_SIZE", "cache-max-size", Some("1000"), "a whole number from 1 to 1000000";
    CACHE_TTL_SECONDS = "SERVER_CACHE_TTL_SECONDS", "cache-ttl-seconds", Some("300"), "a whole number of seconds from 1 to 86400";
    LOG_LEVEL = "SERVER_LOG_LEVEL", "log-level", Some("INFO"), "one of DEBUG, INFO, WARNING, ERROR";
    LOG_FORMAT = "SERVER_LOG_FORMAT", "log-format", Some("json"), "one of json, console";
    ENABLE_DOCS = "SERVER_ENABLE_DOCS", "enable-docs", Some("true"), "one of true, false";
    CORS_ENABLED = "SERVER_CORS_ENABLED", "cors-enabled", Some("false"), "one of true, false";
    CORS_ORIGINS = "SERVER_CORS_ORIGINS", "cors-origins", None, "origins like https://example.com:8443, separated by commas";
    WORKERS = "SERVER_WORKERS", "workers", None, "a whole number from 1 to 1024";
    SHUTDOWN_TIMEOUT = "SERVER_SHUTDOWN_TIMEOUT", "shutdown-timeout", Some("10"), "a whole number of seconds from 0 to 300";
    HEADER_TIMEOUT = "SERVER_HEADER_TIMEOUT", "header-timeout", Some("5"), "a whole number of seconds from 1 to 300";
    KEEP_ALIVE = "SERVER_KEEP_ALIVE", "keep-alive", Some("75"), "a whole number of seconds from 0 to 3600";
    MAX_CONNECTIONS = "SERVER_MAX_CONNECTIONS", "max-connections", Some("25000"), "a whole number from 1 to 1000000";
}
