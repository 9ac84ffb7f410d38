//! Connections for awc: looked up, connected and, for https, secured, all within the connect timeout; directly, or
//! through a proxy.
//!
//! TLS is done here and not by awc, so that the [`Wire`] lies above it and sees the end of the plain stream. awc
//! therefore believes that every connection is plain; one awc client is kept for each scheme.
//!
//! * `resolve`, `race`: from a name to a connection.
//! * `tunnel`: CONNECT to a proxy. `proxy_fault`: what can go wrong with it.

mod proxy_fault;
mod race;
mod resolve;
mod tls_stream;
mod tunnel;

use std::{
    io,
    net::{IpAddr, SocketAddr},
    rc::Rc,
    sync::Arc,
};

use actix_rt::net::{ActixStream, TcpStream};
use actix_service::{Service, fn_service};
use actix_tls::connect::{ConnectError, ConnectInfo, Connection};
use futures::future::LocalBoxFuture;
use http::{Uri, uri::Authority};
use rustls::{ClientConfig, pki_types::ServerName};
use tokio_rustls::TlsConnector;

use self::tls_stream::TlsStream;
pub(super) use self::{
    proxy_fault::{Problem, ProxyFault},
    resolve::{Resolve, SystemResolver},
};
use super::{
    context, tls as trust,
    wire::{Wire, WireFault},
};
use crate::proxy::{Proxies, Proxy, Scheme, origin};

/// A connection as awc sees it.
pub(super) type Connected = Connection<Uri, Wire<Box<dyn ActixStream>>>;

/// A service that makes plain connections: to the origin, or to the proxy that gets its requests.
pub(super) fn plain(
    resolver: impl Resolve,
    proxies: Arc<Proxies>,
) -> impl Service<ConnectInfo<Uri>, Response = Connected, Error = ConnectError> + Clone + 'static {
    Rc::new(fn_service(move |info: ConnectInfo<Uri>| {
        let (resolver, proxies) = (resolver.clone(), Arc::clone(&proxies));
        connecting(async move {
            let uri = info.request().clone();
            let (host, port) = origin(&uri);
            let proxy = proxies.find(Scheme::Http, &uri);
            let stream = in_time(proxy, async {
                match proxy {
                    Some(proxy) => to_proxy(proxy, &resolver).await,
                    None => tcp(host, port, &resolver).await,
                }
            });
            let stream: Box<dyn ActixStream> = Box::new(stream.await?);
            Ok(Connection::new(uri, Wire::new(stream)))
        })
    }))
}

/// A service that makes TLS connections: to the origin, or through a tunnel of a proxy.
pub(super) fn tls(
    config: Arc<ClientConfig>,
    resolver: impl Resolve,
    proxies: Arc<Proxies>,
) -> impl Service<ConnectInfo<Uri>, Response = Connected, Error = ConnectError> + Clone + 'static {
    Rc::new(fn_service(move |info: ConnectInfo<Uri>| {
        let (connector, resolver) = (TlsConnector::from(Arc::clone(&config)), resolver.clone());
        let proxies = Arc::clone(&proxies);
        connecting(async move {
            let uri = info.request().clone();
            let (host, port) = origin(&uri);
            let proxy = proxies.find(Scheme::Https, &uri);
            let stream = in_time(proxy, async {
                let stream = match proxy {
                    Some(proxy) => through_proxy(proxy, &uri, &resolver).await?,
                    None => tcp(host, port, &resolver).await?,
                };
                secured(&connector, host, stream).await
            });
            let stream: Box<dyn ActixStream> = Box::new(stream.await?);
            Ok(Connection::new(uri, Wire::new(stream)))
        })
    }))
}

/// A future that makes a connection. awc's pool has a place for it in the future of every call, also of those that
/// find a connection, so it is a pointer.
fn connecting<T>(work: impl Future<Output = T> + 'static) -> LocalBoxFuture<'static, T> {
    Box::pin(work)
}

async fn in_time<T>(
    proxy: Option<&Proxy>,
    connect: impl Future<Output = Result<T, ConnectError>>,
) -> Result<T, ConnectError> {
    let longest = context::timeout().connect;
    match tokio::time::timeout(longest, connect).await {
        Ok(result) => result,
        Err(_) => Err(ConnectError::Io(match proxy {
            Some(proxy) => Problem::TooSlow(longest).of(proxy),
            None => WireFault::Connect(longest).into_io(),
        })),
    }
}

async fn to_proxy(proxy: &Proxy, resolver: &impl Resolve) -> Result<TcpStream, ConnectError> {
    let problem = match tcp(&proxy.host, proxy.port, resolver).await {
        Ok(stream) => return Ok(stream),
        Err(ConnectError::Io(why)) => Problem::Unreachable(why),
        Err(other) => Problem::Unknown(other.to_string()),
    };
    Err(ConnectError::Io(problem.of(proxy)))
}

async fn through_proxy(proxy: &Proxy, uri: &Uri, resolver: &impl Resolve) -> Result<TcpStream, ConnectError> {
    let mut stream = to_proxy(proxy, resolver).await?;
    let authority = uri.authority().map_or("", Authority::as_str);
    let opened = tunnel::open(&mut stream, authority, proxy.credentials.as_ref()).await;
    opened.map_err(|problem| ConnectError::Io(problem.of(proxy)))?;
    Ok(stream)
}

async fn secured(connector: &TlsConnector, host: &str, stream: TcpStream) -> Result<TlsStream, ConnectError> {
    let name = ServerName::try_from(host.to_owned())
        .map_err(|why| ConnectError::Io(io::Error::new(io::ErrorKind::InvalidInput, why)))?;
    let stream = connector
        .connect(name, stream)
        .await
        .map_err(|error| ConnectError::Io(trust::explain_handshake(error, context::certificate_request())))?;
    Ok(TlsStream(stream))
}

async fn tcp(host: &str, port: u16, resolver: &impl Resolve) -> Result<TcpStream, ConnectError> {
    let stream = if let Ok(ip) = host.parse::<IpAddr>() {
        TcpStream::connect(SocketAddr::new(ip, port)).await
    } else {
        let addresses =
            resolver.resolve(host, port).await.map_err(|why| ConnectError::Resolver(Box::new(why)))?;
        if addresses.is_empty() {
            return Err(ConnectError::NoRecords);
        }
        race::connect(race::interleaved(addresses), TcpStream::connect).await
    };
    let stream = stream.map_err(ConnectError::Io)?;
    // Requests are written whole: waiting to fill a packet would only delay them.
    let _ = stream.set_nodelay(true);
    Ok(stream)
}

#[cfg(test)]
mod tests;
