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
    uri::{Authority, PathAndQuery, Scheme},
};

use super::{
    Cause, Fault, Limits, Replay, Reply, Request, Sent, Transport,
    awc_errors::{answer_of_proxy, send_fault},
    connect::{self, Resolve, SystemResolver},
    context::{CertificateRequest, Context, Date, Reuse},
    receive::receive,
};
use crate::{
    method::Method,
    proxy::{self, Proxies},
};

/// The timeout for awc, which requires one. Those of the client are shorter.
const NEVER: Duration = Duration::from_secs(10 * 86_400);

/// Makes exchanges over the network. It belongs to one thread.
pub(crate) struct AwcTransport {
    plain: Client,
    tls: Client,
    proxies: Arc<Proxies>,
}

/// What the connections of a client are made with.
#[derive(Clone, Debug)]
pub(crate) struct ConnectSettings {
    pub(crate) tls: Arc<rustls::ClientConfig>,
    pub(crate) proxies: Arc<Proxies>,
}

impl AwcTransport {
    /// A transport that makes its connections as configured.
    pub(crate) fn new(settings: ConnectSettings) -> Self {
        Self::with_resolver(settings, SystemResolver)
    }

    /// A transport that looks names up in a resolver of the caller's.
    pub(super) fn with_resolver(settings: ConnectSettings, resolver: impl Resolve) -> Self {
        let ConnectSettings { tls, proxies } = settings;
        let plain = connect::plain(resolver.clone(), Arc::clone(&proxies));
        let plain = Connector::new().connector(plain).limit(0).timeout(NEVER);
        let tls = connect::tls(tls, resolver, Arc::clone(&proxies));
        let tls = Connector::new().connector(tls).limit(0).timeout(NEVER);
        let builder = || Client::builder().disable_timeout().disable_redirects();
        Self { plain: builder().connector(plain).finish(), tls: builder().connector(tls).finish(), proxies }
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
            // Nothing but the response may live on while it is read: each call has a place for it.
            let response = match self.start(request)?.await {
                Ok(response) => response,
                Err(error) => return answer_of_proxy(&error).ok_or_else(|| send_fault(error)),
            };
            receive(response, request.method, limits.max_body, limits.coded).await
        };
        context.scope(exchange).await
    }

    fn start(
        &self,
        request: &Request,
    ) -> Result<impl Future<Output = Result<awc::ClientResponse, SendRequestError>>, Fault> {
        let is_tls = request.uri.scheme() == Some(&Scheme::HTTPS);
        // For https the proxy only gets the tunnel.
        let proxy = if is_tls { None } else { self.proxies.find(proxy::Scheme::Http, &request.uri) };
        let (client, uri) = match (is_tls, proxy) {
            (true, _) => (&self.tls, disguised(&request.uri)?),
            (false, None) => (&self.plain, request.uri.clone()),
            (false, Some(_)) => (&self.plain, in_absolute_form(&request.uri)?),
        };
        let mut out = client.request(method(request.method), uri);
        for (name, value) in &request.headers {
            out.headers_mut().append(name.clone(), value.clone());
        }
        if let Some(credentials) = proxy.and_then(|proxy| proxy.credentials.as_ref())
            && !out.headers().contains_key(header::PROXY_AUTHORIZATION)
        {
            out.headers_mut().insert(header::PROXY_AUTHORIZATION, credentials.clone());
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

/// A URL whose target, which awc writes into the request line, is the whole of it (RFC 9112, 3.2.2).
fn in_absolute_form(uri: &Uri) -> Result<Uri, Fault> {
    let target = PathAndQuery::try_from(uri.to_string()).map_err(|why| unsendable(&why))?;
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(target);
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
