//! A call that is to be sent: its request, and the settings that are different for this call.
//!
//! `auth` sets its credentials, `multipart` makes bodies with fields and files.

pub(crate) mod auth;
mod multipart;

use std::{fmt, time::Duration};

use bytes::Bytes;
use http::header::{HeaderName, HeaderValue};
use serde::Serialize;

pub use self::multipart::{Multipart, Part};
use crate::{
    config::{
        HedgeConfig, Redirects, RetryConfig, TimeoutConfig, check_deadline, check_hedge, check_retry,
        check_timeout,
    },
    error::{Error, ErrorKind},
    method::Method,
    redact,
    request_id::{self, RequestId},
};

/// The headers that frame the message or manage the connection. The client sets them itself.
const OWN: [&str; 8] =
    ["content-length", "transfer-encoding", "connection", "keep-alive", "te", "trailer", "upgrade", "expect"];

/// A call that is to be sent.
///
/// Made by a client's methods (`client.get("/path")`) it knows its client, and `send` sends it. Made without a client
/// (`Call::get("/path")`) it is a message that any actix actor can send to
/// [`ResilientClient::addr`](crate::ResilientClient::addr).
///
/// A mistake in it (an invalid header, a body that cannot be serialised) is reported when it is sent, as an error that
/// names the part, before anything goes over the wire. The debug output hides secrets.
#[derive(Debug)]
pub struct Call<To = ()> {
    pub(crate) to: To,
    pub(crate) parts: Parts,
}

/// The parts of a call.
pub(crate) struct Parts {
    pub(crate) method: Method,
    pub(crate) url: String,
    pub(crate) query: String,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) body: Bytes,
    pub(crate) request_id: Option<RequestId>,
    pub(crate) own: Option<Box<Overrides>>,
    pub(crate) fault: Option<Error>,
}

/// The settings that are different for one call.
#[derive(Debug, Default)]
pub(crate) struct Overrides {
    pub(crate) timeout: Option<TimeoutConfig>,
    pub(crate) deadline: Option<Duration>,
    pub(crate) retry: Option<RetryConfig>,
    pub(crate) redirects: Option<Redirects>,
    pub(crate) hedge: Option<HedgeConfig>,
}

/// Without the values of secret headers and parameters, and without the body.
impl fmt::Debug for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parts")
            .field("method", &self.method)
            .field("url", &redact::url(&self.url))
            .field("query", &redact::url(&format!("?{}", self.query)))
            .field("headers", &redact::Shown(&self.headers))
            .field("body_bytes", &self.body.len())
            .field("request_id", &self.request_id)
            .field("own", &self.own)
            .field("fault", &self.fault)
            .finish()
    }
}

impl Call {
    /// Makes a call of any method. `url` is a path that is appended to the client's base URL, or an absolute URL.
    pub fn new(method: Method, url: impl Into<String>) -> Self {
        Self::to((), method, url)
    }

    /// Makes a GET call (RFC 9110, 9.3.1).
    pub fn get(url: impl Into<String>) -> Self {
        Self::new(Method::Get, url)
    }

    /// Makes a POST call (RFC 9110, 9.3.3).
    pub fn post(url: impl Into<String>) -> Self {
        Self::new(Method::Post, url)
    }

    /// Makes a PUT call (RFC 9110, 9.3.4).
    pub fn put(url: impl Into<String>) -> Self {
        Self::new(Method::Put, url)
    }

    /// Makes a PATCH call (RFC 5789).
    pub fn patch(url: impl Into<String>) -> Self {
        Self::new(Method::Patch, url)
    }

    /// Makes a DELETE call (RFC 9110, 9.3.5).
    pub fn delete(url: impl Into<String>) -> Self {
        Self::new(Method::Delete, url)
    }

    /// Makes a HEAD call (RFC 9110, 9.3.2).
    pub fn head(url: impl Into<String>) -> Self {
        Self::new(Method::Head, url)
    }

    /// Makes an OPTIONS call (RFC 9110, 9.3.7).
    pub fn options(url: impl Into<String>) -> Self {
        Self::new(Method::Options, url)
    }
}

impl<To> Call<To> {
    pub(crate) fn to(to: To, method: Method, url: impl Into<String>) -> Self {
        let parts = Parts {
            method,
            url: url.into(),
            query: String::new(),
            headers: Vec::new(),
            body: Bytes::new(),
            request_id: None,
            own: None,
            fault: None,
        };
        Self { to, parts }
    }

    /// Adds a header. `X-Request-ID` sets the [`request_id`](Self::request_id).
    ///
    /// The client sets `Content-Length`, `Transfer-Encoding`, `Connection` and the like itself; they are rejected.
    #[must_use]
    pub fn header(mut self, name: impl AsRef<str>, value: impl AsRef<[u8]>) -> Self {
        let (name, value) = (name.as_ref(), value.as_ref());
        if name.eq_ignore_ascii_case(request_id::HEADER) {
            return self.set_request_id(value);
        }
        match parse_header(name, value) {
            Ok(header) => self.parts.headers.push(header),
            Err(why) => self.spoil(ErrorKind::InvalidHeader, format!("header {name:?} {why}")),
        }
        self
    }

    /// Adds parameters to the query: anything that serialises to pairs, such as `&[("delay", "100")]`.
    #[must_use]
    pub fn query(mut self, pairs: &(impl Serialize + ?Sized)) -> Self {
        match serde_urlencoded::to_string(pairs) {
            Ok(more) => {
                if !self.parts.query.is_empty() && !more.is_empty() {
                    self.parts.query.push('&');
                }
                self.parts.query.push_str(&more);
            }
            Err(why) => self.spoil(ErrorKind::Encode, format!("query cannot be serialised: {why}")),
        }
        self
    }

    /// Sets the body to a value, serialised as JSON.
    #[must_use]
    pub fn json(mut self, value: &(impl Serialize + ?Sized)) -> Self {
        match serde_json::to_vec(value) {
            Ok(body) => self.set_body(body.into(), "application/json"),
            Err(why) => self.spoil(ErrorKind::Encode, format!("json body cannot be serialised: {why}")),
        }
        self
    }

    /// Sets the body to a value, serialised as a form.
    #[must_use]
    pub fn form(mut self, value: &(impl Serialize + ?Sized)) -> Self {
        match serde_urlencoded::to_string(value) {
            Ok(body) => self.set_body(body.into(), "application/x-www-form-urlencoded"),
            Err(why) => self.spoil(ErrorKind::Encode, format!("form body cannot be serialised: {why}")),
        }
        self
    }

    /// Sets the body to bytes. Every attempt sends all of them, without copying them.
    #[must_use]
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.parts.body = body.into();
        self
    }

    /// Sets the request id, instead of a random one: 1 to 255 visible ASCII characters.
    #[must_use]
    pub fn request_id(self, id: impl AsRef<str>) -> Self {
        self.set_request_id(id.as_ref().as_bytes())
    }

    /// Sets the limits of one attempt of this call.
    #[must_use]
    pub fn timeout(mut self, timeout: TimeoutConfig) -> Self {
        match check_timeout(&timeout) {
            Ok(()) => self.overrides().timeout = Some(timeout),
            Err(fault) => self.fail(fault),
        }
        self
    }

    /// Sets the deadline of this whole call, 1 ms to 7 days.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        match check_deadline(deadline) {
            Ok(()) => self.overrides().deadline = Some(deadline),
            Err(fault) => self.fail(fault),
        }
        self
    }

    /// Sets when attempts of this call are repeated. The budget given here is not used: all calls share the client's.
    #[must_use]
    pub fn retry(mut self, retry: RetryConfig) -> Self {
        match check_retry(&retry) {
            Ok(()) => self.overrides().retry = Some(retry),
            Err(fault) => self.fail(fault),
        }
        self
    }

    /// Sets when a second request is sent beside a slow one of this call, instead of `hedge` of the configuration.
    #[must_use]
    pub fn hedge(mut self, hedge: HedgeConfig) -> Self {
        match check_hedge(&hedge) {
            Ok(()) => self.overrides().hedge = Some(hedge),
            Err(fault) => self.fail(fault),
        }
        self
    }

    /// Sets what happens to redirects of this call, instead of `follow_redirects` of the configuration.
    #[must_use]
    pub fn redirects(mut self, redirects: Redirects) -> Self {
        self.overrides().redirects = Some(redirects);
        self
    }

    fn set_request_id(mut self, id: &[u8]) -> Self {
        match RequestId::parse(id) {
            Ok(id) => self.parts.request_id = Some(id),
            Err(why) => self.spoil(ErrorKind::InvalidHeader, format!("request_id {why}")),
        }
        self
    }

    fn set_body(&mut self, body: Bytes, content_type: &'static str) {
        let has_type = self.parts.headers.iter().any(|(name, _)| name == http::header::CONTENT_TYPE);
        if !has_type {
            let value = HeaderValue::from_static(content_type);
            self.parts.headers.push((http::header::CONTENT_TYPE, value));
        }
        self.parts.body = body;
    }

    /// Sets a header in place of all of its name.
    fn set_header(&mut self, name: HeaderName, value: HeaderValue) {
        self.parts.headers.retain(|(other, _)| *other != name);
        self.parts.headers.push((name, value));
    }

    fn overrides(&mut self) -> &mut Overrides {
        self.parts.own.get_or_insert_default()
    }

    fn spoil(&mut self, kind: ErrorKind, message: String) {
        self.fail(Error::new(kind, message));
    }

    /// Records a mistake. The first one is reported.
    fn fail(&mut self, fault: Error) {
        self.parts.fault.get_or_insert(fault);
    }
}

fn parse_header(name: &str, value: &[u8]) -> Result<(HeaderName, HeaderValue), &'static str> {
    let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| "is not a valid name")?;
    if OWN.contains(&name.as_str()) {
        return Err("is set by the client itself");
    }
    let value = HeaderValue::from_bytes(value).map_err(|_| "has a value with control characters")?;
    Ok((name, value))
}
