//! The error of a call: one type for everything that can go wrong. No type of the transport is part of it.
//!
//! `kind` names the kinds of error; `field` says what is wrong with a setting.

mod field;
mod kind;

use std::{borrow::Cow, error::Error as StdError, fmt, time::Duration};

pub use self::{
    field::FieldError,
    kind::{ConnectionError, ErrorKind, GaveUp, StatusError},
};
use crate::{
    request_id::RequestId,
    response::{Attempt, Response},
};

/// The error of a call or of a configuration.
///
/// [`kind`](Self::kind) says what kind of error it is; `source()` is the error that caused it, if there is one.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    message: Cow<'static, str>,
    field: Option<FieldError>,
    request_id: Option<RequestId>,
    response: Option<Response>,
    attempts: Vec<Attempt>,
    gave_up: Option<GaveUp>,
    retry_after: Option<Duration>,
    retryable: bool,
    source: Option<Source>,
}

pub(crate) type Source = Box<dyn StdError + Send + Sync>;

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner {
            kind,
            message: message.into(),
            field: None,
            request_id: None,
            response: None,
            attempts: Vec::new(),
            gave_up: None,
            retry_after: None,
            retryable: false,
            source: None,
        }))
    }

    /// A setting that breaks `rule`, which begins with its verb: "must be 1 to 10".
    pub(crate) fn config(field: impl Into<Cow<'static, str>>, rule: impl Into<Cow<'static, str>>) -> Self {
        FieldError::new(field, rule).into()
    }

    pub(crate) fn closed() -> Self {
        Self::new(ErrorKind::Closed, "the client is closed")
    }

    pub(crate) fn deadline_exceeded(deadline: Duration) -> Self {
        let seconds = deadline.as_secs_f64();
        Self::new(ErrorKind::DeadlineExceeded, format!("the deadline of {seconds} s has passed"))
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

    /// The kind of the error.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// A sentence that says what happened.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The setting that is invalid, for an error of the kind [`Config`](ErrorKind::Config).
    pub fn field(&self) -> Option<&FieldError> {
        self.0.field.as_ref()
    }

    /// The request id of the call; `None` when the call failed before it had one.
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_ref().map(RequestId::as_str)
    }

    /// The reply whose status is the error, or that could not be decoded.
    pub fn response(&self) -> Option<&Response> {
        self.0.response.as_ref()
    }

    /// The status of that reply.
    pub fn status(&self) -> Option<u16> {
        self.response().map(Response::status)
    }

    /// The attempts in order. Empty when nothing was sent.
    pub fn attempts(&self) -> &[Attempt] {
        match &self.0.response {
            Some(response) if self.0.attempts.is_empty() => response.attempts(),
            _ => &self.0.attempts,
        }
    }

    /// The wait before another call makes sense: what the server asked for, or the time until the breaker lets a
    /// probe through.
    pub fn retry_after(&self) -> Option<Duration> {
        match self.kind() {
            ErrorKind::CircuitOpen { retry_after } => retry_after,
            _ => self.0.retry_after,
        }
    }

    /// Why the last attempt was not repeated; `None` when no attempt failed.
    pub fn gave_up(&self) -> Option<GaveUp> {
        self.0.gave_up
    }

    /// Whether the server could not be reached or could not serve.
    pub fn is_connection(&self) -> bool {
        matches!(self.kind(), ErrorKind::Connection(_))
    }

    /// Whether the server answered with an error that does not say that it is unhealthy.
    pub fn is_status(&self) -> bool {
        matches!(self.kind(), ErrorKind::Status(_))
    }

    /// Whether the error is of a kind that is retried: the same call may succeed later.
    pub fn is_retryable(&self) -> bool {
        self.0.retryable
    }

    /// Whether the circuit breaker rejected the call.
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

impl From<FieldError> for Error {
    fn from(field: FieldError) -> Self {
        let mut error = Self::new(ErrorKind::Config, field.to_string());
        error.0.field = Some(field);
        error
    }
}
