//! The response of a call: owned data, and the history of the attempts that led to it.

use std::time::Duration;

use bytes::Bytes;
use serde::de::DeserializeOwned;

use crate::{
    error::{Error, ErrorKind},
    headers::Headers,
    request_id::RequestId,
};

/// The response of a call. It is never a truncated one.
#[derive(Clone, Debug)]
pub struct Response {
    status: u16,
    headers: Headers,
    body: Bytes,
    request_id: RequestId,
    attempts: Vec<Attempt>,
}

/// One attempt of a call. One without status and error was cancelled, because another one was faster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Whether the attempt was a hedge.
    pub role: AttemptRole,
    /// The status of the reply, if there was one.
    pub status: Option<u16>,
    /// The kind of the failure; `None` for an attempt that succeeded or was cancelled.
    pub error: Option<ErrorKind>,
    /// How long the attempt took, from sending to the end of the body.
    pub duration: Duration,
    /// How long the call waited before the next one; `None` for the last.
    pub wait: Option<Duration>,
}

/// What an attempt was sent for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttemptRole {
    /// It was the first attempt of the call, or the retry of a failed one.
    Regular,
    /// It was sent beside an attempt that was slow.
    Hedge,
}

impl Attempt {
    /// Whether the attempt was cancelled because another one was faster.
    pub fn is_cancelled(&self) -> bool {
        self.status.is_none() && self.error.is_none()
    }
}

impl Response {
    pub(crate) fn new(
        status: u16,
        headers: Headers,
        body: Bytes,
        request_id: RequestId,
        attempts: Vec<Attempt>,
    ) -> Self {
        Self { status, headers, body, request_id, attempts }
    }

    /// The status code, 200 to 299 for a success.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The headers.
    pub fn headers(&self) -> &Headers {
        &self.headers
    }

    /// The body.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// Returns the body without copying it.
    pub fn into_body(self) -> Bytes {
        self.body
    }

    /// The request id, which every attempt carried.
    pub fn request_id(&self) -> &str {
        self.request_id.as_str()
    }

    /// The attempts in the order in which they began. One of them brought this response: the last one that was not
    /// [cancelled](Attempt::is_cancelled).
    pub fn attempts(&self) -> &[Attempt] {
        &self.attempts
    }

    /// Deserialises the body from JSON.
    ///
    /// # Errors
    ///
    /// [`Decode`](ErrorKind::Decode) when the body is not JSON or not of this type; the error carries this response.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_slice(&self.body)
            .map_err(|why| self.not_decodable(&format!("not the expected JSON: {why}"), why))
    }

    /// Returns the body as UTF-8 text.
    ///
    /// # Errors
    ///
    /// [`Decode`](ErrorKind::Decode) when the body is not UTF-8; the error carries this response.
    pub fn text(&self) -> Result<&str, Error> {
        std::str::from_utf8(&self.body).map_err(|why| self.not_decodable(&format!("not UTF-8: {why}"), why))
    }

    fn not_decodable(&self, why: &str, source: impl Into<crate::error::Source>) -> Error {
        Error::new(ErrorKind::Decode, format!("the body of the reply is {why}"))
            .with_request_id(self.request_id.clone())
            .with_response(self.clone())
            .with_source(source)
    }
}
