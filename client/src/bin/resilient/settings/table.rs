//! Declares each setting that has a flag: its flag, its field in the library, what its value must be, its help.
//!
//! The command line, its help and the errors follow from these rows. Ranges are checked by the library; a test
//! compares them, and the defaults, with what the rows say.

use std::{str::FromStr, time::Duration};

use resilient_client::{ClientConfig, ProxyConfig};

/// A setting that has a flag.
#[derive(Debug)]
pub(super) struct Setting {
    /// The flag, with its dashes.
    pub(super) flag: &'static str,
    /// The path of the field in [`ClientConfig`].
    pub(super) field: &'static str,
    /// The help text, with range and default.
    pub(super) help: &'static str,
    pub(super) kind: Kind,
}

/// What a flag does.
#[derive(Debug)]
pub(super) enum Kind {
    /// Switches something on or off.
    Switch(fn(&mut ClientConfig)),
    /// Takes a value.
    Value {
        /// What the help calls the value.
        name: &'static str,
        must_be: &'static str,
        /// Sets the field; `None` when the text is not such a value at all.
        set: fn(&mut ClientConfig, &str) -> Option<()>,
    },
}

macro_rules! value {
    ($flag:literal $name:literal, $($field:ident).+: $parse:expr, $help:literal, $must_be:literal, $default:expr) => {
        Setting {
            flag: $flag,
            field: stringify!($($field).+),
            help: concat!($help, ": ", $must_be, " [default: ", $default, "]"),
            kind: Kind::Value {
                name: $name,
                must_be: $must_be,
                set: |config, text| {
                    config.$($field).+ = $parse(text)?;
                    Some(())
                },
            },
        }
    };
}

macro_rules! switch {
    ($flag:literal, $($field:ident).+ = $value:literal, $help:literal) => {
        Setting {
            flag: $flag,
            field: stringify!($($field).+),
            help: $help,
            kind: Kind::Switch(|config| config.$($field).+ = $value),
        }
    };
}

#[rustfmt::skip]
pub(super) const SETTINGS: &[Setting] = &[
    value!("--max-attempts" "N", retry.max_attempts: parse,
        "Number of attempts, the first included", "1 to 10000", "3"),
    value!("--min-wait" "SECONDS", retry.min_wait: seconds,
        "Shortest wait before a retry; lowered to --max-wait if only that is given", "0 to 86400 seconds", "1"),
    value!("--max-wait" "SECONDS", retry.max_wait: seconds,
        "Longest wait before a retry; raised to --min-wait if only that is given", "0 to 86400 seconds", "60"),
    value!("--multiplier" "FACTOR", retry.multiplier: finite,
        "Factor by which the wait grows from retry to retry", "1 to 1000", "2"),
    switch!("--no-jitter", retry.jitter = false,
        "Wait exactly as long as the backoff says, without a random part"),
    value!("--retry-methods" "all|idempotent", retry.methods: parse,
        "Methods that are retried", "all or idempotent", "all"),
    value!("--retry-after-max" "SECONDS", retry.retry_after_max: seconds,
        "Longest Retry-After that is waited for; a longer one ends the call", "0 to 86400 seconds", "60"),
    value!("--retry-budget-ratio" "RATIO", retry.budget.ratio: finite,
        "Retries that each call adds to the budget of all calls; without a limit for get, post and so on",
        "0 to 100", "0.2"),
    value!("--retry-budget-per-second" "N", retry.budget.per_second: finite,
        "Retries that each second adds to the budget of all calls; without a limit for get, post and so on",
        "0 to 1000000", "10"),
    value!("--hedge-after" "WHEN", hedge.after: parse,
        "Time after which a second request is sent beside a slow one",
        "never, a number of seconds (0.2), or a quantile of the calls (p95)", "never"),
    value!("--hedge-max" "N", hedge.max: parse,
        "Second requests of one call, over all its attempts", "1 to 10", "1"),
    value!("--failure-threshold" "N", circuit_breaker.failure_threshold: parse,
        "Consecutive failed calls that open the circuit breaker", "1 to 1000000", "5"),
    value!("--recovery-timeout" "SECONDS", circuit_breaker.recovery_timeout: seconds,
        "How long the circuit breaker stays open", "0.001 to 86400 seconds", "30"),
    value!("--half-open-max-calls" "N", circuit_breaker.half_open_max_calls: parse,
        "Probes in flight while the circuit breaker is half-open", "1 to 1000", "1"),
    value!("--breaker-scope" "SCOPE", circuit_breaker.scope: parse,
        "Calls that share a circuit breaker", "client (all) or origin (scheme, host and port)", "client"),
    value!("--breaker-window" "WINDOW", circuit_breaker.window: parse,
        "Calls of which the circuit breaker takes shares", "a number of calls (100), or of seconds (10s)", "100"),
    value!("--failure-rate" "SHARE", circuit_breaker.failure_rate: finite,
        "Share of failed calls that opens the circuit breaker; 0 does not look at it", "0 to 1", "0"),
    value!("--slow-call-rate" "SHARE", circuit_breaker.slow_call_rate: finite,
        "Share of slow calls that opens the circuit breaker; 0 does not look at it", "0 to 1", "0"),
    value!("--slow-call-duration" "SECONDS", circuit_breaker.slow_call_duration: seconds,
        "Duration from which an attempt makes its call slow", "0.001 to 86400 seconds", "5"),
    value!("--minimum-calls" "N", circuit_breaker.minimum_calls: parse,
        "Calls in the window before a share opens the circuit breaker", "1 to 100000", "10"),
    value!("--max-concurrency" "N", bulkhead.max_concurrency: parse,
        "Slots of the bulkhead, which are attempts in flight at the same time", "1 to 100000", "50"),
    value!("--acquisition-timeout" "SECONDS", bulkhead.acquisition_timeout: seconds,
        "Longest wait for a slot of the bulkhead", "0 to 86400 seconds", "30"),
    switch!("--adaptive-concurrency", bulkhead.adaptive = true,
        "Let the number of slots follow the server, between --min-concurrency and --max-concurrency"),
    value!("--min-concurrency" "N", bulkhead.min_concurrency: parse,
        "Fewest slots of the bulkhead with --adaptive-concurrency", "1 to 100000", "1"),
    value!("--connect-timeout" "SECONDS", timeout.connect: seconds,
        "Time limit to resolve the name, connect and do the TLS handshake", "0.001 to 86400 seconds", "5"),
    value!("--read-timeout" "SECONDS", timeout.read: seconds,
        "Longest silence while waiting for the reply", "0.001 to 86400 seconds", "15"),
    value!("--write-timeout" "SECONDS", timeout.write: seconds,
        "Longest time in which the server accepts no byte of the request", "0.001 to 86400 seconds", "15"),
    value!("--pool-timeout" "SECONDS", timeout.pool: seconds,
        "Time limit to hand a call over to the thread of the client", "0.001 to 86400 seconds", "5"),
    value!("--deadline" "SECONDS", deadline: seconds,
        "Time limit of a whole call, with its queueing, attempts, waits and body", "0.001 to 604800 seconds", "60"),
    switch!("--no-compression", compression = false,
        "Do not ask for compressed replies, and print a compressed one as it came"),
    switch!("--cookies", cookies = true,
        "Keep the cookies that servers set, and send them with the next calls of this command"),
    Setting {
        flag: "--proxy",
        field: "proxy.url",
        help: "Proxy for all requests, http://[user:password@]host[:port] [default: HTTP_PROXY, HTTPS_PROXY, ALL_PROXY]",
        kind: Kind::Value {
            name: "URL",
            must_be: "http://[user:password@]host[:port]",
            set: |config, text| {
                config.proxy.url = Some(text.to_owned());
                Some(())
            },
        },
    },
    Setting {
        flag: "--proxy-bypass",
        field: "proxy.no_proxy",
        help: "Hosts that are reached without the proxy: names, addresses, networks, *, with commas [default: NO_PROXY]",
        kind: Kind::Value {
            name: "HOSTS",
            must_be: "a list of names, addresses and networks",
            set: |config, text| {
                config.proxy.no_proxy = Some(text.to_owned());
                Some(())
            },
        },
    },
    Setting {
        flag: "--no-proxy",
        field: "proxy.from_env",
        help: "Use no proxy, whatever the environment says",
        kind: Kind::Switch(|config| {
            config.proxy = ProxyConfig { url: None, no_proxy: None, from_env: false };
        }),
    },
    switch!("--no-redirects", follow_redirects = false,
        "Do not follow redirects; a 3xx is then a status error"),
    switch!("--insecure", verify_ssl = false,
        "Accept any certificate; for tests only"),
    Setting {
        flag: "--ca-file",
        field: "ca_file",
        help: "PEM file of certificates to trust beside the public roots [default: SSL_CERT_FILE]",
        kind: Kind::Value {
            name: "FILE",
            must_be: "the name of a PEM file",
            set: |config, text| {
                config.ca_file = Some(text.into());
                (!text.is_empty()).then_some(())
            },
        },
    },
    value!("--user-agent" "TEXT", user_agent: parse,
        "The User-Agent header", "one or more visible characters",
        concat!("resilient-client/", env!("CARGO_PKG_VERSION"))),
    value!("--max-body-bytes" "BYTES", max_body_bytes: parse,
        "Longest body of a reply, in bytes", "1 to 1099511627776", "8388608"),
];

fn parse<T: FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}

fn finite(text: &str) -> Option<f64> {
    parse(text).filter(|number: &f64| number.is_finite())
}

fn seconds(text: &str) -> Option<Duration> {
    Duration::try_from_secs_f64(text.parse().ok()?).ok()
}
