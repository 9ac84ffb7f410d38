//! Everything that can go wrong with a call, as one type. Nothing of the transport shows through.

use std::{error::Error as StdError, fmt, time::Duration};

use derive_more::Display;

use crate::{
    request_id::RequestId,
    response::{Attempt, Response},
};

/// Why a call failed.
///
/// What kind of failure it was is [`kind`](Self::kind); `source()` is what lies below it, if anything does.
pub struct Error(Box<Inner>);

#[derive(Default)]
struct Inner {
    kind: Option<ErrorKind>,
    message: String,
    request_id: Option<RequestId>,
    response: Option<Response>,
    attempts: Vec<Attempt>,
    gave_up: Option<GaveUp>,
    retry_after: Option<Duration>,
    retryable: bool,
    source: Option<Source>,
}

pub(crate) type Source = Box<dyn StdError + Send + Sync>;

/// The kinds of failure: two families, and what the client itself refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The server could not be reached or could not serve. Retried; counts for the breaker.
    Connection(ConnectionError),
    /// The server answered, and the answer is an error. Not retried, but for [`StatusError::RateLimited`].
    Status(StatusError),
    /// No slot of the bulkhead came free in time, or the client's thread took no more calls.
    PoolTimeout,
    /// The circuit breaker refused the call.
    CircuitOpen {
        /// When to ask again; `None` while it is held open by hand.
        retry_after: Option<Duration>,
    },
    /// The deadline of the whole call passed.
    DeadlineExceeded,
    /// The client has been closed, or its thread has ended.
    Closed,
    /// The configuration, or an override of a call, is out of range.
    Config,
    /// The URL of the call is none.
    InvalidUrl,
    /// A header of the call, or its request id, is none.
    InvalidHeader,
    /// The body or the query of the call could not be serialised.
    Encode,
    /// The body of the reply is not what it was read as.
    Decode,
    /// The body of the reply is longer than `max_body_bytes`.
    BodyTooLarge,
}

/// How a server could not be reached or could not serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConnectionError {
    /// Name resolution, refused, reset, TLS, a reply that is not HTTP, a reply cut short.
    Network,
    /// It took too long to connect, to send, or to answer.
    Timeout,
    /// 408.
    ServerTimeout,
    /// 502, 503 or 504.
    ServiceUnavailable,
    /// Any other status from 500 up.
    Server,
}

/// Which error a server answered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StatusError {
    /// 401 or 403.
    Authentication,
    /// 404.
    NotFound,
    /// 400 or 422.
    InvalidRequest,
    /// 429. Retried, but no sign of a failing server.
    RateLimited,
    /// Any other 4xx, or a 3xx that was not followed.
    Other,
}

/// Why a failed attempt was not made again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Display)]
#[non_exhaustive]
pub enum GaveUp {
    /// The failure is not one that a retry can help.
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
    /// The retry budget of all calls together is spent.
    #[display("the retry budget is spent")]
    BudgetSpent,
    /// The circuit breaker refused the retry.
    #[display("the circuit breaker is open")]
    CircuitOpen,
}

impl ErrorKind {
    /// Its name in snake case, as reports have it: `network`, `server`, `not_found`, `circuit_open`.
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

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner { kind: Some(kind), message: message.into(), ..Inner::default() }))
    }

    pub(crate) fn config(field: &str, why: &str) -> Self {
        Self::new(ErrorKind::Config, format!("{field}: {why}"))
    }

    pub(crate) fn closed() -> Self {
        Self::new(ErrorKind::Closed, "the client is closed")
    }

    pub(crate) fn with_request_id(mut self, id: RequestId) -> Self {
        self.0.request_id = Some(id);
        self
    }

    pub(crate) fn with_response(mut self, response: Response) -> Self {
        self.0.response = Some(response);
        self
    }

    pub(crate) fn with_attempts(mut self, attempts: Vec<Attempt>) -> Self {
        self.0.attempts = attempts;
        self
    }

    pub(crate) fn with_source(mut self, source: impl Into<Source>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    pub(crate) fn with_retry_after(mut self, retry_after: Option<Duration>) -> Self {
        self.0.retry_after = retry_after;
        self
    }

    pub(crate) fn retryable(mut self, retryable: bool) -> Self {
        self.0.retryable = retryable;
        self
    }

    pub(crate) fn because(mut self, gave_up: GaveUp) -> Self {
        self.0.gave_up = Some(gave_up);
        self
    }

    /// What kind of failure it was.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind.expect("every error is made with its kind")
    }

    /// What happened, in words.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The request id of the call; `None` when it failed before it had one.
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_ref().map(RequestId::as_str)
    }

    /// The reply that is the error, or that could not be decoded.
    pub fn response(&self) -> Option<&Response> {
        self.0.response.as_ref()
    }

    /// The status of that reply.
    pub fn status(&self) -> Option<u16> {
        self.response().map(Response::status)
    }

    /// The attempts that were made, in order. Empty when nothing was sent.
    pub fn attempts(&self) -> &[Attempt] {
        match &self.0.response {
            Some(response) if self.0.attempts.is_empty() => response.attempts(),
            _ => &self.0.attempts,
        }
    }

    /// How long to wait before trying again: what the server asked for, or when the breaker lets a probe through.
    pub fn retry_after(&self) -> Option<Duration> {
        match self.kind() {
            ErrorKind::CircuitOpen { retry_after } => retry_after,
            _ => self.0.retry_after,
        }
    }

    /// Why the last attempt was not made again; `None` when there was none to repeat.
    pub fn gave_up(&self) -> Option<GaveUp> {
        self.0.gave_up
    }

    /// Whether the server could not be reached or could not serve.
    pub fn is_connection(&self) -> bool {
        matches!(self.kind(), ErrorKind::Connection(_))
    }

    /// Whether the server answered with an error that says nothing of its health.
    pub fn is_status(&self) -> bool {
        matches!(self.kind(), ErrorKind::Status(_))
    }

    /// Whether it is of a kind that is retried: the same call may succeed later.
    pub fn is_retryable(&self) -> bool {
        self.0.retryable
    }

    /// Whether the circuit breaker refused the call.
    pub fn is_circuit_open(&self) -> bool {
        matches!(self.kind(), ErrorKind::CircuitOpen { .. })
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)?;
        match self.0.gave_up {
            None | Some(GaveUp::NotRetryable) => Ok(()),
            Some(reason) => write!(f, " (not retried: {reason})"),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.kind())
            .field("message", &self.message())
            .field("request_id", &self.request_id())
            .field("status", &self.status())
            .field("attempts", &self.attempts())
            .field("gave_up", &self.gave_up())
            .field("source", &self.0.source)
            .finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}
