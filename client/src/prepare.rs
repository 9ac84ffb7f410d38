//! From the call that was asked for to the request that is sent. A call that cannot be sent is rejected here, before
//! anything goes over the wire.

use std::time::Duration;

use http::{
    HeaderValue, Uri,
    header::{self, HeaderName},
};

use crate::{
    call::{Call, Parts},
    config::{ClientConfig, HedgeConfig, Redirects, RetryMethods, TimeoutConfig},
    error::{Error, ErrorKind},
    hedge::{HedgeRules, Key},
    method::Method,
    policy::RetryRules,
    request_id::{self, RequestId},
    transport::{ACCEPTED_CODINGS, Coded, Limits, Replay, Request},
    url,
};

/// The settings of a client that a call starts from.
#[derive(Debug)]
pub(crate) struct CallDefaults {
    pub(crate) base_url: String,
    pub(crate) timeout: TimeoutConfig,
    user_agent: HeaderValue,
    deadline: Duration,
    max_body: u64,
    coded: Coded,
    redirects: Redirects,
    retry: RetryRules,
    hedge: HedgeConfig,
}

/// A call that is ready to be sent.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) request: Request,
    pub(crate) request_id: RequestId,
    pub(crate) deadline: Duration,
    pub(crate) limits: Limits,
    pub(crate) redirects: Redirects,
    pub(crate) retry: RetryRules,
    /// `None` for a call that is not hedged.
    pub(crate) hedge: Option<HedgeRules>,
}

impl CallDefaults {
    /// The defaults of a configuration that is valid.
    pub(crate) fn new(config: &ClientConfig) -> Result<Self, Error> {
        let user_agent = HeaderValue::from_str(&config.user_agent)
            .map_err(|why| Error::config("user_agent", "must be a header value").with_source(why))?;
        Ok(Self {
            base_url: config.base_url.clone(),
            timeout: config.timeout,
            user_agent,
            deadline: config.deadline,
            max_body: config.max_body_bytes,
            coded: if config.compression { Coded::Decode } else { Coded::Keep },
            redirects: if config.follow_redirects { Redirects::Follow } else { Redirects::Keep },
            retry: RetryRules::new(&config.retry),
            hedge: config.hedge,
        })
    }

    /// The URL of a call: a path below the base URL, or an absolute URL.
    pub(crate) fn resolve(&self, url: &str, query: &str) -> Result<Uri, Error> {
        url::resolve(&self.base_url, url, query)
            .map_err(|why| Error::new(ErrorKind::InvalidUrl, format!("the URL {why}")))
    }

    /// Makes a call ready to be sent.
    pub(crate) fn prepare(&self, parts: Parts) -> Result<Prepared, Error> {
        if let Some(fault) = parts.fault {
            return Err(fault);
        }
        let uri = self.resolve(&parts.url, &parts.query)?;
        let key = if parts.request_id.is_some() { Key::Callers } else { Key::Random };
        let request_id = parts.request_id.unwrap_or_else(RequestId::random);
        let mut headers = parts.headers;
        headers.reserve_exact(3);
        let coded = self.coded_body(parts.method, &headers);
        if coded == Coded::Decode {
            headers.push((header::ACCEPT_ENCODING, HeaderValue::from_static(ACCEPTED_CODINGS)));
        }
        if !has(&headers, &header::USER_AGENT) {
            headers.push((header::USER_AGENT, self.user_agent.clone()));
        }
        headers.push((header::HeaderName::from_static(request_id::HEADER), request_id.value().clone()));

        let own = parts.own.unwrap_or_default();
        let retry = own.retry.as_ref().map_or_else(|| self.retry.clone(), RetryRules::new);
        let hedge = HedgeRules::of(own.hedge.unwrap_or(self.hedge), parts.method, key, retry.methods);
        Ok(Prepared {
            limits: Limits {
                timeout: own.timeout.unwrap_or(self.timeout),
                max_body: self.max_body,
                replay: replay(parts.method, retry.methods),
                coded,
            },
            request: Request { method: parts.method, uri, headers, body: parts.body },
            request_id,
            deadline: own.deadline.unwrap_or(self.deadline),
            redirects: own.redirects.unwrap_or(self.redirects),
            retry,
            hedge,
        })
    }

    /// Whether compressed replies are asked for, and decoded. A caller that asks for codings wants them as they are; a
    /// part of a compressed body cannot be decoded.
    fn coded_body(&self, method: Method, headers: &[(HeaderName, HeaderValue)]) -> Coded {
        let callers = has(headers, &header::ACCEPT_ENCODING) || has(headers, &header::RANGE);
        if method == Method::Head || callers { Coded::Keep } else { self.coded }
    }
}

fn has(headers: &[(HeaderName, HeaderValue)], name: &HeaderName) -> bool {
    headers.iter().any(|(other, _)| other == name)
}

impl ClientConfig {
    /// Checks that a client with this configuration could send the call: its URL, headers, body, request id and
    /// overrides. Nothing is sent, and no client is started.
    ///
    /// # Errors
    ///
    /// The error that sending the call would end with before anything is sent:
    /// [`InvalidUrl`](ErrorKind::InvalidUrl), [`InvalidHeader`](ErrorKind::InvalidHeader),
    /// [`Encode`](ErrorKind::Encode), or [`Config`](ErrorKind::Config) for an override or a setting of this
    /// configuration that is out of range.
    ///
    /// ```
    /// use resilient_client::{Call, ClientConfig, ErrorKind};
    ///
    /// let config = ClientConfig::new("http://localhost:8000");
    /// config.validate_call(Call::get("/msg"))?;
    /// let error = config.validate_call(Call::get("ftp://localhost/msg")).unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::InvalidUrl);
    /// # Ok::<(), resilient_client::Error>(())
    /// ```
    pub fn validate_call<To>(&self, call: Call<To>) -> Result<(), Error> {
        self.validate()?;
        CallDefaults::new(self)?.prepare(call.parts).map(drop)
    }
}

/// Whether a request of this method may be replayed on a new connection (RFC 9112, 9.3.1).
///
/// With `retry.methods = All` the server is known to honour the request id, which makes every method safe to repeat.
pub(crate) fn replay(method: Method, methods: RetryMethods) -> Replay {
    match methods {
        RetryMethods::IdempotentOnly if !method.is_idempotent() => Replay::Forbidden,
        RetryMethods::All | RetryMethods::IdempotentOnly => Replay::Allowed,
    }
}
