//! The connections to the upstream: made and kept by awc, for one worker.

use std::rc::Rc;
use std::time::Duration;

use actix_http::body::None as NoBody;
use actix_rt::net::TcpStream;
use actix_service::{Service, boxed};
use actix_tls::connect::{ConnectError, ConnectInfo, Connection, Connector as TcpConnector};
use actix_web::web::ServiceConfig;
use awc::error::SendRequestError;
use awc::http::{Method, Uri};
use awc::{Client, ClientResponse, Connector};

use super::UpstreamAddress;
use super::exchange::Exchange;
use super::stream::UpstreamStream;
use crate::config::Config;

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long an idle connection is kept: shorter than servers keep it, so that they rarely close one as it is used.
const IDLE: Duration = Duration::from_secs(2);

/// How long a connection is used.
const LIFETIME: Duration = Duration::from_secs(75);

/// Whether a connection that has been used before may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reuse {
    Allowed,
    Forbidden,
}

/// Makes the upstream of the configuration, if there is one, known to the handlers of one worker.
pub fn register(app: &mut ServiceConfig, config: &Config) {
    if let Some(address) = &config.upstream {
        app.app_data(Rc::new(Upstream::new(address.clone())));
    }
}

/// The upstream of one worker.
pub(super) struct Upstream {
    /// Where it is.
    pub(super) address: UpstreamAddress,
    pooled: Client,
    fresh: Client,
}

impl Upstream {
    /// Prepares connections to this address. None is made before it is needed.
    fn new(address: UpstreamAddress) -> Self {
        Self { address, pooled: client(IDLE), fresh: client(Duration::ZERO) }
    }

    /// Makes an exchange; ready when the head of the answer is here.
    pub(super) async fn send(
        &self,
        exchange: &Rc<Exchange>,
        reuse: Reuse,
    ) -> Result<ClientResponse, SendRequestError> {
        let client = match reuse {
            Reuse::Allowed => &self.pooled,
            Reuse::Forbidden => &self.fresh,
        };
        // The placeholder of a request, whose answer may have a body.
        let request = client.request(Method::GET, self.address.origin().clone());
        exchange.scope(request.send_body(NoBody::new())).await
    }
}

fn client(idle: Duration) -> Client {
    let connector = Connector::new()
        .connector(connector())
        .timeout(CONNECT_TIMEOUT)
        .conn_keep_alive(idle)
        .conn_lifetime(LIFETIME)
        // The slots of the sessions are the limit.
        .limit(0);
    Client::builder().disable_timeout().disable_redirects().no_default_headers().connector(connector).finish()
}

type Connected = Connection<Uri, UpstreamStream<TcpStream>>;

fn connector() -> impl Service<ConnectInfo<Uri>, Response = Connected, Error = ConnectError> + Clone + 'static
{
    let tcp = TcpConnector::default().service();
    boxed::rc_service(actix_service::fn_service(move |info: ConnectInfo<Uri>| {
        let connecting = tcp.call(info);
        async move {
            let (stream, connection) = connecting.await?.replace_io(());
            let _ = stream.set_nodelay(true);
            Ok(connection.replace_io(UpstreamStream::new(stream)).1)
        }
    }))
}
