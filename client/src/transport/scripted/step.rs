//! What the server of a test does with one request.

use std::{fmt, time::Duration};

use bytes::Bytes;
use http::header::{self, HeaderName, HeaderValue};
use serde::Serialize;

use crate::redact;

/// One step of a script: a [`Reply`] or a [`Fault`], at once or after a delay. A number is a reply with that status.
#[derive(Clone, Debug)]
pub struct Step {
    pub(super) outcome: Outcome,
    pub(super) delay: Duration,
}

#[derive(Clone, Debug)]
pub(super) enum Outcome {
    Reply(Reply),
    Fault(Fault),
}

/// A reply of the scripted server: a status, headers and a body.
#[derive(Clone)]
pub struct Reply {
    pub(super) status: u16,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) body: Bytes,
}

/// What goes wrong with a request instead of a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The server refuses the connection, so that nothing of the request is sent.
    Refused,
    /// No connection is made within [`timeout.connect`](crate::TimeoutConfig::connect).
    ConnectTimeout,
    /// The server resets the connection after the request.
    Reset,
    /// The connection ends in the middle of the reply.
    Truncated,
    /// The server takes the request and stays silent for [`timeout.read`](crate::TimeoutConfig::read).
    ReadTimeout,
}

impl Step {
    /// Delays the step, from when the request is sent.
    ///
    /// The client waits for a silent server no longer than `timeout.read`, and for a connection no longer than
    /// `timeout.connect`. A longer delay is the same as [`Fault::ReadTimeout`], or [`Fault::ConnectTimeout`].
    #[must_use]
    pub fn after(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }
}

impl Reply {
    /// Makes a reply with an empty body.
    ///
    /// # Panics
    ///
    /// If the status is not one of a final reply, 200 to 999.
    #[track_caller]
    pub fn new(status: u16) -> Self {
        assert!((200..1000).contains(&status), "a final reply cannot have the status {status}");
        Self { status, headers: Vec::new(), body: Bytes::new() }
    }

    /// Adds a header.
    ///
    /// # Panics
    ///
    /// If the name or the value is invalid.
    #[must_use]
    #[track_caller]
    pub fn header(mut self, name: impl AsRef<str>, value: impl AsRef<[u8]>) -> Self {
        let name = name.as_ref();
        let Ok(parsed) = HeaderName::try_from(name) else { panic!("{name:?} is not the name of a header") };
        let Ok(value) = HeaderValue::from_bytes(value.as_ref()) else {
            panic!("the value of the header {name} is invalid");
        };
        self.headers.push((parsed, value));
        self
    }

    /// Sets the body. It is given as the client's caller gets it: a `Content-Encoding` header changes nothing.
    #[must_use]
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    /// Sets the body to a value as JSON, and the `Content-Type` accordingly.
    ///
    /// # Panics
    ///
    /// If the value cannot be serialised.
    #[must_use]
    #[track_caller]
    pub fn json(mut self, value: &(impl Serialize + ?Sized)) -> Self {
        match serde_json::to_vec(value) {
            Ok(body) => self.body = body.into(),
            Err(why) => panic!("the body of the reply cannot be serialised: {why}"),
        }
        self.headers.push((header::CONTENT_TYPE, HeaderValue::from_static("application/json")));
        self
    }

    /// Delays the reply: see [`Step::after`].
    #[must_use]
    pub fn after(self, delay: Duration) -> Step {
        Step::from(self).after(delay)
    }
}

impl Fault {
    /// Delays the fault: see [`Step::after`].
    #[must_use]
    pub fn after(self, delay: Duration) -> Step {
        Step::from(self).after(delay)
    }
}

impl From<Reply> for Step {
    fn from(reply: Reply) -> Self {
        Self { outcome: Outcome::Reply(reply), delay: Duration::ZERO }
    }
}

impl From<Fault> for Step {
    fn from(fault: Fault) -> Self {
        Self { outcome: Outcome::Fault(fault), delay: Duration::ZERO }
    }
}

impl From<u16> for Step {
    /// A reply with this status and an empty body.
    #[track_caller]
    fn from(status: u16) -> Self {
        Reply::new(status).into()
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply")
            .field("status", &self.status)
            .field("headers", &redact::Shown(&self.headers))
            .field("body_bytes", &self.body.len())
            .finish()
    }
}
