//! One exchange: a request goes out, a whole reply comes back, or a fault that says what went wrong.
//!
//! * this file: awc, which no other file names.
//! * `connect`, `tls`: the connections that awc is given.
//! * `wire`, `framing`, `silence`: the stream under awc, which mends what awc lacks.
//! * `fault`: what can go wrong.
//!
//! It must never retry, follow a redirect or decide anything for more than one exchange.

mod connect;
mod fault;
mod framing;
mod silence;
pub(crate) mod tls;
mod wire;

use std::{io, sync::Arc, time::Duration};

use actix_http::error::ParseError;
use awc::{
    Client, ClientResponse, Connector,
    error::{ConnectError, PayloadError, SendRequestError},
    http::Version,
};
use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use http::{
    HeaderValue, Uri,
    header::{self, HeaderName},
    uri::{Authority, Scheme},
};

pub(crate) use self::fault::{Cause, Fault, Sent};
use self::wire::WireFault;
use crate::{config::TimeoutConfig, headers::Headers, method::Method};

/// What goes out.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) body: Bytes,
}

/// What came back, whole.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Headers,
    pub(crate) body: Bytes,
}

/// The bounds of one exchange.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) timeout: TimeoutConfig,
    pub(crate) max_body: u64,
    #[allow(dead_code, reason = "the replay follows")]
    pub(crate) replay: Replay,
}

/// Whether a request may be sent again, once and on a new connection, after a reused connection ended before a byte
/// of the reply (RFC 9112, 9.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Replay {
    Allowed,
    Forbidden,
}

/// Makes exchanges. The client has one that uses awc; tests have one that follows a script.
pub(crate) trait Transport {
    /// One exchange. Dropping the future closes its connection.
    fn exchange(&self, request: &Request, limits: Limits) -> impl Future<Output = Result<Reply, Fault>>;
}

tokio::task_local! {
    /// The bounds of the exchange that is being polled, for the streams it uses: they outlive it in the pool.
    static LIMITS: TimeoutConfig;
}

fn limits() -> TimeoutConfig {
    LIMITS.try_with(|limits| *limits).unwrap_or_default()
}

/// Timers that awc insists on; ours are shorter.
const NEVER: Duration = Duration::from_secs(10 * 86_400);
/// The most that is set aside for a body because its head announces it.
const MAX_RESERVED: u64 = 1 << 20;

/// Makes exchanges over the network. It belongs to one thread.
pub(crate) struct AwcTransport {
    plain: Client,
    tls: Client,
}

impl AwcTransport {
    /// A transport whose TLS connections trust as configured.
    pub(crate) fn new(tls: Arc<rustls::ClientConfig>) -> Self {
        let plain = Connector::new().connector(connect::plain()).limit(0).timeout(NEVER);
        let tls = Connector::new().connector(connect::tls(tls)).limit(0).timeout(NEVER);
        let builder = || Client::builder().disable_timeout().disable_redirects();
        Self { plain: builder().connector(plain).finish(), tls: builder().connector(tls).finish() }
    }

    async fn send(&self, request: &Request, max_body: u64) -> Result<Reply, Fault> {
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
        let sending = if request.body.is_empty() { out.send() } else { out.send_body(request.body.clone()) };
        let response = sending.await.map_err(send_fault)?;
        receive(response, request.method, max_body).await
    }
}

impl Transport for AwcTransport {
    async fn exchange(&self, request: &Request, limits: Limits) -> Result<Reply, Fault> {
        LIMITS.scope(limits.timeout, self.send(request, limits.max_body)).await
    }
}

/// An https URL as awc is told it: plain, with the port that plain would not have.
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

/// Where the body of a reply ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// There is none.
    NoBody,
    /// After so many bytes.
    Length(u64),
    /// Where the coding says.
    Chunked,
    /// Where the connection does.
    Close,
}

async fn receive(mut response: ClientResponse, method: Method, max_body: u64) -> Result<Reply, Fault> {
    let status = response.status().as_u16();
    let end = end_of_body(&response, method, status)?;
    let mut headers = awc::http::header::HeaderMap::new();
    let body = match end {
        End::NoBody => Bytes::new(),
        End::Length(length) if length > max_body => return Err(too_large(max_body)),
        _ => read_body(&mut response, end, max_body).await?,
    };
    let _ = response.map_body(|head, payload| {
        std::mem::swap(&mut headers, &mut head.headers);
        payload
    });
    Ok(Reply { status, headers: headers.into_iter().collect(), body })
}

fn end_of_body(response: &ClientResponse, method: Method, status: u16) -> Result<End, Fault> {
    if method == Method::Head || matches!(status, 101 | 204 | 304) {
        return Ok(End::NoBody);
    }
    let headers = response.headers();
    // Of both, the coding wins (RFC 9112, 6.3), but only HTTP/1.1 has it.
    if response.version() != Version::HTTP_10 && headers.contains_key(header::TRANSFER_ENCODING) {
        return Ok(End::Chunked);
    }
    let Some(length) = headers.get(header::CONTENT_LENGTH) else { return Ok(End::Close) };
    let length = length.to_str().ok().and_then(|text| text.trim().parse().ok());
    match length {
        Some(0) => Ok(End::NoBody),
        Some(length) => Ok(End::Length(length)),
        None => {
            Err(Fault::new(Cause::Network, Sent::Maybe, "the reply has a Content-Length that is no number"))
        }
    }
}

async fn read_body(response: &mut ClientResponse, end: End, max_body: u64) -> Result<Bytes, Fault> {
    let mut first = Bytes::new();
    let mut rest = BytesMut::new();
    while let Some(chunk) = response.next().await {
        let chunk = match chunk {
            Ok(chunk) => chunk,
            Err(error) if end == End::Close && is_close(&error) => break,
            Err(error) => return Err(body_fault(error)),
        };
        let length = (first.len() + rest.len() + chunk.len()) as u64;
        if length > max_body {
            return Err(too_large(max_body));
        }
        // Most bodies come in one piece, which needs no copy.
        if first.is_empty() && rest.is_empty() {
            first = chunk;
            continue;
        }
        if rest.is_empty() {
            let announced = if let End::Length(length) = end { length.min(MAX_RESERVED) } else { length };
            rest.reserve(usize::try_from(announced).unwrap_or(0));
            rest.extend_from_slice(&std::mem::take(&mut first));
        }
        rest.extend_from_slice(&chunk);
    }
    let body = if rest.is_empty() { first } else { rest.freeze() };
    match end {
        // The stream has said so before, or it has lost bytes: a body that is not whole is no reply.
        End::Length(length) if body.len() as u64 != length => {
            let message = format!("the reply was cut short: {} bytes of {length}", body.len());
            Err(Fault::new(Cause::Network, Sent::Maybe, message))
        }
        _ => Ok(body),
    }
}

fn too_large(max_body: u64) -> Fault {
    Fault::new(
        Cause::BodyTooLarge,
        Sent::Maybe,
        format!("the body of the reply is longer than {max_body} bytes"),
    )
}

/// Whether the stream ended cleanly, which is where some bodies end.
fn is_close(error: &PayloadError) -> bool {
    match error {
        PayloadError::Incomplete(Some(io)) | PayloadError::Io(io) => {
            WireFault::inside(io) == Some(WireFault::Closed)
        }
        _ => false,
    }
}

fn body_fault(error: PayloadError) -> Fault {
    match error {
        PayloadError::Incomplete(Some(io)) | PayloadError::Io(io) => {
            Fault::from_io("the reply was cut short", Sent::Maybe, io)
        }
        other => {
            Fault::new(Cause::Network, Sent::Maybe, format!("the body of the reply is malformed: {other}"))
        }
    }
}

fn send_fault(error: SendRequestError) -> Fault {
    match error {
        SendRequestError::Connect(ConnectError::Io(io)) => connect_fault(io),
        SendRequestError::Connect(ConnectError::Timeout) | SendRequestError::Timeout => {
            Fault::new(Cause::Timeout, Sent::Maybe, "no reply in time")
        }
        SendRequestError::Connect(ConnectError::Resolver(why)) => Fault::new(
            Cause::Network,
            Sent::Nothing,
            format!("the name of the server cannot be resolved: {why}"),
        ),
        SendRequestError::Connect(ConnectError::NoRecords) => {
            Fault::new(Cause::Network, Sent::Nothing, "the name of the server has no address")
        }
        SendRequestError::Send(io) => Fault::from_io("sending the request", Sent::Maybe, io),
        SendRequestError::Response(ParseError::Io(io)) => {
            Fault::from_io("waiting for the reply", Sent::Maybe, io)
        }
        SendRequestError::Response(why) => {
            Fault::new(Cause::Network, Sent::Maybe, format!("the reply is not HTTP: {why}"))
        }
        other => Fault::new(Cause::Network, Sent::Maybe, format!("the exchange failed: {other}")),
    }
}

fn connect_fault(error: io::Error) -> Fault {
    Fault::from_io("connecting to the server", Sent::Nothing, error)
}
