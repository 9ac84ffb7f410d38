//! Connections for awc: looked up, connected and, for https, secured, all within the connect timeout.
//!
//! TLS is done here and not by awc, so that the [`Wire`] lies above it and sees the end of the plain stream. awc
//! therefore believes that every connection is plain; one awc client is kept for each scheme.

mod race;
mod resolve;
mod tls_stream;

use std::{
    io,
    net::{IpAddr, SocketAddr},
    rc::Rc,
    sync::Arc,
};

use actix_rt::net::{ActixStream, TcpStream};
use actix_service::{Service, fn_service};
use actix_tls::connect::{ConnectError, ConnectInfo, Connection};
use http::Uri;
use rustls::{ClientConfig, pki_types::ServerName};
use tokio_rustls::TlsConnector;

pub(super) use self::resolve::{Resolve, SystemResolver};
use self::tls_stream::TlsStream;
use super::{
    context, tls as trust,
    wire::{Wire, WireFault},
};

/// A connection as awc sees it.
pub(super) type Connected = Connection<Uri, Wire<Box<dyn ActixStream>>>;

/// A service that makes plain connections.
pub(super) fn plain(
    resolver: impl Resolve,
) -> impl Service<ConnectInfo<Uri>, Response = Connected, Error = ConnectError> + Clone + 'static {
    Rc::new(fn_service(move |info: ConnectInfo<Uri>| {
        let resolver = resolver.clone();
        in_time(async move {
            let uri = info.request().clone();
            let stream: Box<dyn ActixStream> = Box::new(tcp(&uri, &resolver).await?);
            Ok(Connection::new(uri, Wire::new(stream)))
        })
    }))
}

/// A service that makes TLS connections.
pub(super) fn tls(
    config: Arc<ClientConfig>,
    resolver: impl Resolve,
) -> impl Service<ConnectInfo<Uri>, Response = Connected, Error = ConnectError> + Clone + 'static {
    Rc::new(fn_service(move |info: ConnectInfo<Uri>| {
        let (connector, resolver) = (TlsConnector::from(Arc::clone(&config)), resolver.clone());
        in_time(async move {
            let uri = info.request().clone();
            let stream = tcp(&uri, &resolver).await?;
            let name = ServerName::try_from(bare_host(&uri).to_owned())
                .map_err(|why| ConnectError::Io(io::Error::new(io::ErrorKind::InvalidInput, why)))?;
            let stream = connector.connect(name, stream).await.map_err(|error| {
                ConnectError::Io(trust::explain_handshake(error, context::certificate_request()))
            })?;
            let stream: Box<dyn ActixStream> = Box::new(TlsStream(stream));
            Ok(Connection::new(uri, Wire::new(stream)))
        })
    }))
}

async fn in_time(
    connect: impl Future<Output = Result<Connected, ConnectError>>,
) -> Result<Connected, ConnectError> {
    let longest = context::timeout().connect;
    match tokio::time::timeout(longest, connect).await {
        Ok(result) => result,
        Err(_) => Err(ConnectError::Io(WireFault::Connect(longest).into_io())),
    }
}

async fn tcp(uri: &Uri, resolver: &impl Resolve) -> Result<TcpStream, ConnectError> {
    let (host, port) = (bare_host(uri), uri.port_u16().unwrap_or(80));
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

/// The host of a URL, without the brackets of an IPv6 address.
fn bare_host(uri: &Uri) -> &str {
    let host = uri.host().unwrap_or_default();
    host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host)
}

#[cfg(test)]
mod tests;
