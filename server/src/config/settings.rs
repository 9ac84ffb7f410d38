//! Every setting of the server, declared once.
//!
//! From a declaration follow the flag and its help text, the environment variable and its line in `.env`, the field
//! of [`Config`], the error messages, `config-info`, the start line of the log, `.env.example`, and the
//! table in `docs/server.md` (a test compares the last two with the declarations).

use std::num::NonZeroUsize;
use std::time::Duration;

use super::declare::Fallback::{Cores, Fixed, Unset};
use super::declare::{Setting, settings};
use super::host::Host;
use super::kind::{Boolean, Kind, OneOf, Optional, Seconds, Size, Whole};
use super::layers::Layers;
use super::origins::{AllowedOrigins, Origins};
use super::upstream::{ControlPrefix, Upstream};
use crate::upstream::UpstreamAddress;

use super::{ConfigError, LOG_FORMATS, LOG_LEVELS, Loaded, LogFormat, LogLevel};

/// The prefix of every variable.
pub(super) const PREFIX: &str = "SERVER_";

/// The largest number of workers, also on a machine with more cores.
pub(super) const MAX_WORKERS: usize = 1024;

const MILLION: NonZeroUsize = NonZeroUsize::MIN.saturating_add(999_999);

settings! {
    host: String = Host;
    "SERVER_HOST", "host", Fixed("0.0.0.0"), "Address or name to listen on";

    port: u16 = Whole(0..=65_535);
    "SERVER_PORT", "port", Fixed("8000"), "Port to listen on; 0 takes a free port, which the log names";

    max_concurrency: usize = Whole(1..=100_000);
    "SERVER_MAX_CONCURRENCY", "max-concurrency", Fixed("50"),
    "Requests to the data plane that a session processes at once; more of them wait";

    request_timeout: Duration = Seconds(1..=300);
    "SERVER_REQUEST_TIMEOUT", "request-timeout", Fixed("30"),
    "Longest duration of a request, its wait for a slot included";

    cache_max_size: NonZeroUsize = Whole(NonZeroUsize::MIN..=MILLION);
    "SERVER_CACHE_MAX_SIZE", "cache-max-size", Fixed("1000"), "Answers kept in the idempotency cache";

    cache_ttl: Duration = Seconds(1..=86_400);
    "SERVER_CACHE_TTL_SECONDS", "cache-ttl-seconds", Fixed("300"), "How long each answer is kept in the cache";

    log_level: LogLevel = OneOf(&LOG_LEVELS);
    "SERVER_LOG_LEVEL", "log-level", Fixed("INFO"), "Lowest level of the events that are logged";

    log_format: LogFormat = OneOf(&LOG_FORMATS);
    "SERVER_LOG_FORMAT", "log-format", Fixed("json"), "Format of the log: JSON objects or text for people";

    enable_docs: bool = Boolean;
    "SERVER_ENABLE_DOCS", "enable-docs", Fixed("true"), "Whether /openapi.json, /docs, /redoc and /ui are served";

    cors_enabled: bool = Boolean;
    "SERVER_CORS_ENABLED", "cors-enabled", Fixed("false"), "Whether pages of other origins may call the server";

    cors_origins: Option<AllowedOrigins> = Optional(Origins);
    "SERVER_CORS_ORIGINS", "cors-origins", Unset,
    "Which origins may call it, with credentials; *, null or none: any origin, without credentials";

    workers: usize = Whole(1..=MAX_WORKERS);
    "SERVER_WORKERS", "workers", Cores, "Threads that serve";

    shutdown_timeout: Duration = Seconds(0..=300);
    "SERVER_SHUTDOWN_TIMEOUT", "shutdown-timeout", Fixed("10"),
    "How long requests in flight may take to finish when the server stops";

    header_timeout: Duration = Seconds(1..=300);
    "SERVER_HEADER_TIMEOUT", "header-timeout", Fixed("5"), "How long the head of a request may take to arrive";

    keep_alive: Duration = Seconds(0..=3600);
    "SERVER_KEEP_ALIVE", "keep-alive", Fixed("75"),
    "How long an idle connection is kept; 0 closes each connection after its answer";

    max_connections: usize = Whole(1..=1_000_000);
    "SERVER_MAX_CONNECTIONS", "max-connections", Fixed("25000"),
    "Connections open at once on each worker; more of them wait to be accepted";

    session_ttl: Duration = Seconds(1..=86_400);
    "SERVER_SESSION_TTL", "session-ttl", Fixed("3600"),
    "How long a session exists after its last use, unless it is created with a value of its own";

    max_sessions: usize = Whole(1..=100_000);
    "SERVER_MAX_SESSIONS", "max-sessions", Fixed("1000"), "Sessions that exist at once, besides the default one";

    seed: Option<u64> = Optional(Whole(0..=crate::json::reader::MAX_INTEGER));
    "SERVER_SEED", "seed", Unset, "Seed of the random faults in the default session; none: a new one at each start";

    upstream: Option<UpstreamAddress> = Optional(Upstream);
    "SERVER_UPSTREAM", "upstream", Unset, "Address of the API that requests to unknown paths are forwarded to";

    control_prefix: String = ControlPrefix;
    "SERVER_CONTROL_PREFIX", "control-prefix", Fixed("/__test"),
    "Prefix of the server's own paths while it has an upstream; it has no effect without one";

    journal_size: usize = Whole(0..=1_000_000);
    "SERVER_JOURNAL_SIZE", "journal-size", Fixed("1000"),
    "Requests that the journal of each session keeps; 0 turns the journal off";

    journal_bytes: u64 = Size(64 << 10..=1 << 40);
    "SERVER_JOURNAL_BYTES", "journal-bytes", Fixed("64MiB"),
    "Memory for the journals of all sessions together; beyond it the oldest requests are forgotten";

    fault_header: bool = Boolean;
    "SERVER_FAULT_HEADER", "fault-header", Fixed("true"), "Whether a request may ask for a fault with X-Fault";
}
