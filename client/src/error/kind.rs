//! The kinds of error, and the reasons for which a failed attempt is not repeated. Plain values: they know nothing
//! of a call, a reply or the transport.

use std::{fmt, time::Duration};

use derive_more::Display;

/// The kind of an error: one of two families, or a rejection by the client itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The server could not be reached or could not serve. Retried; counts as a failure for the circuit breaker.
    Connection(ConnectionError),
    /// The server answered with an error. Not retried, except [`StatusError::RateLimited`].
    Status(StatusError),
    /// No bulkhead slot became free in time, or the queue of the client's thread stayed full.
    PoolTimeout,
    /// The circuit breaker rejected the call.
    CircuitOpen {
        /// The time until the breaker lets a probe through; `None` while it is forced open.
        retry_after: Option<Duration>,
    },
    /// The deadline of the whole call passed.
    DeadlineExceeded,
    /// The client is closed, or its thread has ended.
    Closed,
    /// A setting of the configuration, or an override of a call, is invalid.
    Config,
    /// The URL of the call is invalid.
    InvalidUrl,
    /// A header of the call, or its request id, is invalid.
    InvalidHeader,
    /// The body or the query of the call could not be serialised.
    Encode,
    /// The body of the reply could not be decoded as requested.
    Decode,
    /// The body of the reply is longer than `max_body_bytes`.
    BodyTooLarge,
}

/// The ways in which a server cannot be reached or cannot serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConnectionError {
    /// Name resolution, refused, reset, TLS, a reply that is not HTTP, a truncated reply.
    Network,
    /// A timeout while connecting, sending or waiting for the reply.
    Timeout,
    /// Status 408.
    ServerTimeout,
    /// Status 502, 503 or 504.
    ServiceUnavailable,
    /// Any other status from 500 up.
    Server,
}

/// The statuses that are errors without saying that the server is unhealthy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StatusError {
    /// Status 401 or 403, or 407 of a proxy.
    Authentication,
    /// Status 404.
    NotFound,
    /// Status 400 or 422.
    InvalidRequest,
    /// Status 429 or 425. Retried; does not count as a failure for the circuit breaker.
    RateLimited,
    /// Any other 4xx, or a 3xx that was not followed.
    Other,
}

/// Why a failed attempt was not repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Display)]
#[non_exhaustive]
pub enum GaveUp {
    /// A retry cannot help with this failure, or this method must not be sent twice.
    #[display("a retry cannot help")]
    NotRetryable,
    /// All attempts have been made.
    #[display("all attempts have been made")]
    AttemptsExhausted,
    /// The server asked to wait for longer than `retry.retry_after_max`.
    #[display("the server asks to wait for too long")]
    RetryAfterTooLong,
    /// The wait would have ended past the deadline.
    #[display("the deadline is too near")]
    DeadlineTooNear,
    /// The retry budget, which all calls of the client share, is spent.
    #[display("the retry budget is spent")]
    BudgetSpent,
    /// The circuit breaker rejected the retry.
    #[display("the circuit breaker is open")]
    CircuitOpen,
}

impl ErrorKind {
    /// The name in snake case, as reports and logs show it: `network`, `server`, `not_found`, `circuit_open`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Connection(ConnectionError::Network) => "network",
            Self::Connection(ConnectionError::Timeout) => "timeout",
            Self::Connection(ConnectionError::ServerTimeout) => "server_timeout",
            Self::Connection(ConnectionError::ServiceUnavailable) => "service_unavailable",
            Self::Connection(ConnectionError::Server) => "server",
            Self::Status(StatusError::Authentication) => "authentication",
            Self::Status(StatusError::NotFound) => "not_found",
            Self::Status(StatusError::InvalidRequest) => "invalid_request",
            Self::Status(StatusError::RateLimited) => "rate_limited",
            Self::Status(StatusError::Other) => "status",
            Self::PoolTimeout => "pool_timeout",
            Self::CircuitOpen { .. } => "circuit_open",
            Self::DeadlineExceeded => "deadline_exceeded",
            Self::Closed => "closed",
            Self::Config => "config",
            Self::InvalidUrl => "invalid_url",
            Self::InvalidHeader => "invalid_header",
            Self::Encode => "encode",
            Self::Decode => "decode",
            Self::BodyTooLarge => "body_too_large",
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
