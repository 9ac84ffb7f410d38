//! The server as a value: listens, and runs until it is asked to stop.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::LazyLock;
use std::time::Duration;

use actix_http::body::BoxBody;
use actix_http::{HttpMessage, HttpService, KeepAlive, Request, Response, StatusCode};
use actix_rt::Arbiter;
use actix_server::{Server, ServerBuilder, ServerHandle};
use actix_service::{ServiceFactoryExt, fn_service, map_config};
use actix_web::App;
use actix_web::dev::AppConfig;
use actix_web::middleware::Condition;
use actix_web::web::Data;
use futures::future::{self, Either};
use log::{info, warn};
use tokio::net::TcpStream;

use crate::body;
use crate::config::{self, Config};
use crate::connection::{self, Connection, ConnectionTimeouts, Connections};
use crate::listen::{self, BACKLOG, StartError};
use crate::logging::{STARTED, STARTUP};
use crate::middleware::any_method::AnyMethod;
use crate::middleware::cors;
use crate::middleware::envelope::RequestEnvelope;
use crate::middleware::layer::Wrap;
use crate::observe::{Journals, Observe, Recorder, RequestLog};
use crate::session::Home;
use crate::state::{AppState, Documents};
use crate::{openapi, routes, upstream};

/// A server that already listens. It accepts connections once it runs.
pub struct Application {
    config: Config,
    listeners: Vec<TcpListener>,
    ownership: Ownership,
}

/// Who accepts connections from the listening sockets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ownership {
    /// This server alone.
    Exclusive,
    /// Another process too, which takes over when this server stops.
    Shared,
}

/// How long a client may read nothing of its answer.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a refused request's body is still read, so that the client sees the refusal and not a reset.
const LINGER: Duration = Duration::from_secs(2);

/// The idle timeout for a keep-alive of zero: actix-http closes the connection after each answer then.
const NEVER_IDLE: Duration = Duration::from_secs(1);

/// How long connections that have been accepted may be on their way to a worker. The accepting thread does not report
/// when it has paused.
const HANDOVER: Duration = Duration::from_millis(500);

impl Application {
    /// Listens on every address of the configured host.
    ///
    /// # Errors
    /// [`StartError`] when the name cannot be resolved or an address is taken.
    pub fn bind(config: Config) -> Result<Self, StartError> {
        let listeners = listen::on_host(&config.host, config.port)?;
        Ok(Self { config, listeners, ownership: Ownership::Exclusive })
    }

    /// Uses sockets that already listen, and from which another process goes on accepting after a stop. So every
    /// connection that this server accepts is served, however late it was accepted.
    #[must_use]
    pub fn with_listeners(config: Config, listeners: Vec<TcpListener>) -> Self {
        Self { config, listeners, ownership: Ownership::Shared }
    }

    /// The listening sockets alone, for other processes to accept from.
    #[must_use]
    pub fn into_listeners(self) -> Vec<TcpListener> {
        self.listeners
    }

    /// Serves until `stop` is ready; then stops accepting, lets requests in flight finish within the shutdown
    /// timeout, and returns. Must run inside an actix system. `started` is called once connections are accepted, with
    /// what the server shares.
    ///
    /// # Errors
    /// The server cannot be started, or its accepting thread has ended.
    pub async fn run(
        self,
        stop: impl Future<Output = &'static str>,
        started: impl FnOnce(&Data<AppState>),
    ) -> io::Result<()> {
        let Self { config, listeners, ownership } = self;
        let addresses = listeners.iter().map(TcpListener::local_addr).collect::<io::Result<Vec<_>>>()?;
        let documents = Documents { openapi: LazyLock::new(|| openapi::document().into()) };
        // A worker ends as soon as its own connections have ended; the actors must outlast those of all workers.
        let home = match config.workers {
            1 => Home::ThisThread,
            _ => Home::Arbiter(Arbiter::current()),
        };
        let state = Data::new(AppState::new(config, documents, addresses.clone(), home));
        let config = &state.config;
        if config.workers > 1 {
            state.sessions.start_actors();
        }
        let connections = Arc::clone(&state.connections);
        let server = serve(&state, listeners, &connections)?;
        let handle = server.handle();
        let mut server = actix_rt::spawn(server);
        started(&state);
        log_start(config, &addresses);

        let reason = match future::select(Box::pin(stop), &mut server).await {
            Either::Left((reason, _)) => reason,
            Either::Right((ended, _)) => return ended.map_err(io::Error::other)?,
        };
        info!(target: STARTUP, reason; "Shutdown begun");
        connections.stop();
        let drain = async {
            stop_accepting(&handle, ownership).await;
            connections.all_closed().await;
        };
        let drained = actix_rt::time::timeout(config.shutdown_timeout, drain).await;
        match drained {
            Ok(()) => info!(target: STARTUP, "Shutdown done"),
            Err(_) => {
                warn!(target: STARTUP, "Requests still in flight at the shutdown timeout are dropped");
                info!(target: STARTUP, "Shutdown done");
            }
        }
        Ok(())
    }
}

/// Returns when no connection will be accepted any more, and those that were are counted.
async fn stop_accepting(handle: &ServerHandle, ownership: Ownership) {
    match ownership {
        // Closes the sockets at once. This looks at its connections once a second only; ours are counted as they close.
        Ownership::Exclusive => drop(actix_rt::spawn(handle.stop(true))),
        // A worker that stops closes the connections that it has not begun to serve, so the workers go on.
        Ownership::Shared => {
            handle.pause().await;
            actix_rt::time::sleep(HANDOVER).await;
        }
    }
}

fn serve(
    state: &Data<AppState>,
    listeners: Vec<TcpListener>,
    connections: &Arc<Connections>,
) -> io::Result<Server> {
    let config = &state.config;
    let keep_alive = if config.keep_alive.is_zero() { KeepAlive::Disabled } else { KeepAlive::Os };
    let timeouts = ConnectionTimeouts {
        head: config.header_timeout,
        idle: config.keep_alive.max(NEVER_IDLE),
        write: WRITE_TIMEOUT,
        linger: LINGER,
    };
    let (state, connections) = (state.clone(), Arc::clone(connections));
    let builder = Server::build()
        .workers(config.workers)
        .backlog(BACKLOG)
        .max_concurrent_connections(config.max_connections)
        .shutdown_timeout(config.shutdown_timeout.as_secs())
        .disable_signals();
    let service = move || {
        state.sessions.start_actors();
        let config = &state.config;
        let journals = if config.journal_size > 0 { Journals::On } else { Journals::Off };
        let has_cors = config.cors() != config::Cors::Off;
        let app = App::new()
            .configure(|app| routes::register(app, config, &state.metrics))
            .app_data(state.clone())
            .configure(|app| upstream::register(app, config))
            .wrap(Condition::new(has_cors, cors::layer(&config.cors())))
            .wrap(Wrap::with((
                RequestEnvelope { state: state.clone() },
                (
                    Observe((RequestLog, Recorder { journals, metrics: Arc::clone(&state.metrics) })),
                    has_cors.then_some(AnyMethod),
                ),
            )));
        let (connections, shared) = (Arc::clone(&connections), state.clone());
        fn_service(move |socket: TcpStream| {
            let _ = socket.set_nodelay(true);
            let client = socket.peer_addr().ok();
            future::ready(Ok((connection::wrap(socket, timeouts, &connections), client)))
        })
        .and_then(
            HttpService::build()
                .keep_alive(keep_alive)
                .expect(fn_service(move |request: Request| {
                    // A client that asks before it sends a large body need not send it.
                    let refused =
                        body::is_too_large(request.headers(), body::limit_of(request.path(), &shared.config));
                    let refusal = Response::with_body(StatusCode::PAYLOAD_TOO_LARGE, BoxBody::new(()));
                    future::ready(if refused { Err(refusal) } else { Ok(request) })
                }))
                // The wrappers bound the head of every request, and not only of the first.
                .client_request_timeout(Duration::ZERO)
                .client_disconnect_timeout(LINGER)
                // That a client has closed its side is passed on only where its request is to be dropped.
                .h1_allow_half_closed(false)
                .on_connect_ext(|connection: &Connection, data| {
                    data.insert(connection.exchange());
                })
                .h1(map_config(app, |_: ()| AppConfig::default())),
        )
    };
    let listen = |builder: ServerBuilder, listener| builder.listen("test-server", listener, service.clone());
    listeners.into_iter().try_fold(builder, listen).map(ServerBuilder::run)
}

/// Logs the addresses that the server listens on. They have one port.
fn log_start(config: &Config, addresses: &[SocketAddr]) {
    let Some(first) = addresses.first() else { return };
    let shown = config.shown();
    info!(
        target: STARTED, address:% = first, port = first.port(), addresses:serde = addresses, config:serde = shown;
        "Test server started"
    );
}
