//! A request as the script of a test saw it.

use std::{fmt, time::Duration};

use bytes::Bytes;
use serde::de::DeserializeOwned;

use super::super::Request;
use crate::{headers::Headers, method::Method, redact};

/// A request that a scripted client sent: one for each attempt, and one more for each redirect that it followed.
///
/// It has the headers that the client sets itself. Those that belong to HTTP's framing (`Host`, `Content-Length`) are
/// not among them, because they are written further below.
#[derive(Clone)]
pub struct SentRequest {
    method: Method,
    url: String,
    headers: Headers,
    body: Bytes,
    at: Duration,
}

impl SentRequest {
    pub(super) fn new(request: &Request, at: Duration) -> Self {
        Self {
            method: request.method,
            url: request.uri.to_string(),
            headers: request.headers.iter().cloned().collect(),
            body: request.body.clone(),
            at,
        }
    }

    /// The method.
    pub fn method(&self) -> Method {
        self.method
    }

    /// The whole URL, with the query.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The headers.
    pub fn headers(&self) -> &Headers {
        &self.headers
    }

    /// The first value of a header that is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)
    }

    /// The body.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// The body as text.
    ///
    /// # Panics
    ///
    /// If the body is not UTF-8.
    #[track_caller]
    pub fn text(&self) -> &str {
        match std::str::from_utf8(&self.body) {
            Ok(text) => text,
            Err(why) => panic!("the body of {self:?} is not UTF-8: {why}"),
        }
    }

    /// Deserialises the body from JSON.
    ///
    /// # Panics
    ///
    /// If the body is not JSON or not of this type.
    #[track_caller]
    pub fn json<T: DeserializeOwned>(&self) -> T {
        match serde_json::from_slice(&self.body) {
            Ok(value) => value,
            Err(why) => panic!("the body of {self:?} is not the expected JSON: {why}"),
        }
    }

    /// When it was sent, counted from the start of the script's first client.
    pub fn at(&self) -> Duration {
        self.at
    }
}

impl fmt::Debug for SentRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SentRequest")
            .field("method", &self.method)
            .field("url", &redact::url(&self.url))
            .field("headers", &self.headers)
            .field("body_bytes", &self.body.len())
            .field("at", &self.at)
            .finish()
    }
}
