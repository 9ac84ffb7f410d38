//! Connections for awc: resolved, connected and, for https, shaken hands with, all within the connect timeout.
//!
//! TLS is done here and not by awc, so that the [`Wire`] lies above it and sees the end of the plain stream. awc
//! therefore believes that every connection is plain; one awc client is kept for each scheme.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    rc::Rc,
    sync::Arc,
};

use actix_rt::net::{ActixStream, TcpStream};
use actix_service::{Service, fn_service};
use actix_tls::connect::{ConnectError, ConnectInfo, Connection, Connector};
use http::Uri;
use rustls::{ClientConfig, pki_types::ServerName};
use tokio_rustls::TlsConnector;

use super::{
    limits,
    wire::{Wire, WireFault},
};

/// A connection as awc sees it.
pub(super) type Connected = Connection<Uri, Wire<Box<dyn ActixStream>>>;

/// A service that makes plain connections.
pub(super) fn plain()
-> impl Service<ConnectInfo<Uri>, Response = Connected, Error = ConnectError> + Clone + 'static {
    Rc::new(fn_service(|info: ConnectInfo<Uri>| {
        in_time(async move {
            let (stream, uri) = tcp(info).await?.into_parts();
            Ok(Connection::new(uri, Wire::new(Box::new(stream) as Box<dyn ActixStream>)))
        })
    }))
}

/// A service that makes TLS connections.
pub(super) fn tls(
    config: Arc<ClientConfig>,
) -> impl Service<ConnectInfo<Uri>, Response = Connected, Error = ConnectError> + Clone + 'static {
    Rc::new(fn_service(move |info: ConnectInfo<Uri>| {
        let connector = TlsConnector::from(Arc::clone(&config));
        in_time(async move {
            let (stream, uri) = tcp(info).await?.into_parts();
            let name = ServerName::try_from(bare_host(&uri).to_owned())
                .map_err(|why| ConnectError::Io(io::Error::new(io::ErrorKind::InvalidInput, why)))?;
            let stream = connector.connect(name, stream).await.map_err(ConnectError::Io)?;
            Ok(Connection::new(uri, Wire::new(Box::new(Tls(stream)) as Box<dyn ActixStream>)))
        })
    }))
}

async fn in_time(
    connect: impl Future<Output = Result<Connected, ConnectError>>,
) -> Result<Connected, ConnectError> {
    let longest = limits().connect;
    match tokio::time::timeout(longest, connect).await {
        Ok(result) => result,
        Err(_) => Err(ConnectError::Io(WireFault::Connect(longest).into_io())),
    }
}

async fn tcp(info: ConnectInfo<Uri>) -> Result<Connection<Uri, TcpStream>, ConnectError> {
    let uri = info.request().clone();
    // The resolver does not know that a URL has an IPv6 address in brackets.
    let literal: Option<IpAddr> = bare_host(&uri).parse().ok();
    let port = uri.port_u16().unwrap_or(80);
    let info = info.set_addr(literal.map(|ip| SocketAddr::new(ip, port)));
    let connection = Connector::default().service().call(info).await?;
    // Requests are written whole: waiting to fill a packet would only delay them.
    let _ = connection.io_ref().set_nodelay(true);
    Ok(connection)
}

fn bare_host(uri: &Uri) -> &str {
    let host = uri.host().unwrap_or_default();
    host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host)
}

/// A TLS stream as awc wants it.
struct Tls(tokio_rustls::client::TlsStream<TcpStream>);

mod delegate {
    use std::{
        io,
        pin::Pin,
        task::{Context, Poll},
    };

    use actix_rt::net::{ActixStream, Ready};
    use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

    use super::Tls;

    impl AsyncRead for Tls {
        fn poll_read(
            self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            buf: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            Pin::new(&mut self.get_mut().0).poll_read(cx, buf)
        }
    }

    impl AsyncWrite for Tls {
        fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
            Pin::new(&mut self.get_mut().0).poll_write(cx, bytes)
        }

        fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            Pin::new(&mut self.get_mut().0).poll_flush(cx)
        }

        fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            Pin::new(&mut self.get_mut().0).poll_shutdown(cx)
        }
    }

    impl ActixStream for Tls {
        fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<Ready>> {
            ActixStream::poll_read_ready(self.0.get_ref().0, cx)
        }

        fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<Ready>> {
            ActixStream::poll_write_ready(self.0.get_ref().0, cx)
        }
    }
}
