//! Makes exchanges over awc.

use std::{
    cell::{Cell, RefCell},
    sync::Arc,
    time::Duration,
};

use actix_http::body::None as NoBody;
use awc::{Client, Connector, error::SendRequestError};
use http::{
    HeaderValue, Uri, header,
    uri::{Authority, Scheme},
};

use super::{
    Cause, Fault, Limits, Replay, Reply, Request, Sent, Transport,
    awc_errors::send_fault,
    connect::{self, Resolve, SystemResolver},
    context::{CertificateRequest, Context, Date, Reuse},
    receive::receive,
};
use crate::method::Method;

/// Timers that awc insists on; ours are shorter.
const NEVER: Duration = Duration::from_secs(10 * 86_400);

/// Makes exchanges over the network. It belongs to one thread.
pub(crate) struct AwcTransport {
    plain: Client,
    tls: Client,
}

impl AwcTransport {
    /// A transport whose TLS connections trust as configured.
    pub(crate) fn new(tls: Arc<rustls::ClientConfig>) -> Self {
        Self::with_resolver(tls, SystemResolver)
    }

    /// A transport that looks names up in a resolver of the caller's.
    pub(super) fn with_resolver(tls: Arc<rustls::ClientConfig>, resolver: impl Resolve) -> Self {
        let plain = connect::plain(resolver.clone());
        let plain = Connector::new().connector(plain).limit(0).timeout(NEVER);
        let tls = Connector::new().connector(connect::tls(tls, resolver)).limit(0).timeout(NEVER);
        let builder = || Client::builder().disable_timeout().disable_redirects();
        Self { plain: builder().connector(plain).finish(), tls: builder().connector(tls).finish() }
    }

    async fn send(&self, request: &Request, limits: Limits, reuse: Reuse) -> Result<Reply, Fault> {
        let context = Context {
            timeout: limits.timeout,
            max_body: limits.max_body,
            body_length: request.body.len(),
            date: date(request),
            reuse,
            fields: RefCell::new(None),
            certificate: Cell::new(CertificateRequest::Absent),
        };
        let exchange = async {
            let response = self.start(request)?.await.map_err(send_fault)?;
            receive(response, request.method, limits).await
        };
        context.scope(exchange).await
    }

    fn start(
        &self,
        request: &Request,
    ) -> Result<impl Future<Output = Result<awc::ClientResponse, SendRequestError>>, Fault> {
        let (client, uri) = if request.uri.scheme() == Some(&Scheme::HTTPS) {
            (&self.tls, disguised(&request.uri)?)
        } else {
            (&self.plain, request.uri.clone())
        };
        let mut out = client.request(method(request.method), uri);
        for (name, value) in &request.headers {
            out.headers_mut().append(name.clone(), value.clone());
        }
        if !out.headers().contains_key(header::HOST) {
            out.headers_mut().insert(header::HOST, host(&request.uri)?);
        }
        Ok(match (request.body.is_empty(), request.method) {
            (false, _) => out.send_body(request.body.clone()),
            // RFC 9110, 8.6: a length of zero goes with the methods that give a body a meaning.
            (true, Method::Post | Method::Put | Method::Patch) => out.send(),
            (true, _) => out.send_body(NoBody::new()),
        })
    }
}

impl Transport for AwcTransport {
    async fn exchange(&self, request: &Request, limits: Limits) -> Result<Reply, Fault> {
        match self.send(request, limits, Reuse::Allowed).await {
            // The server had closed an idle connection (RFC 9112, 9.3.1).
            Err(fault) if fault.cause == Cause::Stale && limits.replay == Replay::Allowed => {
                self.send(request, limits, Reuse::Forbidden).await
            }
            result => result,
        }
    }
}

fn date(request: &Request) -> Date {
    if request.headers.iter().any(|(name, _)| name == header::DATE) { Date::Callers } else { Date::Awcs }
}

/// An https URL as awc gets it: plain, with the port that plain would not have.
fn disguised(uri: &Uri) -> Result<Uri, Fault> {
    let mut parts = uri.clone().into_parts();
    parts.scheme = Some(Scheme::HTTP);
    if let Some(authority) = parts.authority.as_ref().filter(|authority| authority.port().is_none()) {
        let with_port = Authority::try_from(format!("{authority}:443")).map_err(|why| unsendable(&why))?;
        parts.authority = Some(with_port);
    }
    Uri::from_parts(parts).map_err(|why| unsendable(&why))
}

fn host(uri: &Uri) -> Result<HeaderValue, Fault> {
    let authority = uri.authority().map_or("", Authority::as_str);
    HeaderValue::from_str(authority).map_err(|why| unsendable(&why))
}

fn unsendable(why: &dyn std::fmt::Display) -> Fault {
    Fault::new(Cause::Network, Sent::Nothing, format!("the request cannot be sent: {why}"))
}

fn method(method: Method) -> awc::http::Method {
    match method {
        Method::Get => awc::http::Method::GET,
        Method::Head => awc::http::Method::HEAD,
        Method::Options => awc::http::Method::OPTIONS,
        Method::Put => awc::http::Method::PUT,
        Method::Delete => awc::http::Method::DELETE,
        Method::Post => awc::http::Method::POST,
        Method::Patch => awc::http::Method::PATCH,
    }
}
