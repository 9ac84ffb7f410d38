//! `serve --reload`, for development: when the program's binary or `.env` changes, a new server takes over on the
//! same port, and the old one finishes the requests in flight.
//!
//! The process that is started becomes a watcher. It holds the listening sockets and starts the server as a child,
//! which gets copies of them through its standard input ([`handover`]). A TCP connection on loopback between the two,
//! the lifeline, carries the rest: the child opens it when it serves, and stops when it is closed, whether the watcher
//! closed it or has ended.

mod child;
mod handover;
mod watch;

use std::io;
use std::net::TcpListener;
use std::time::Duration;

use futures::future::{self, Either};
use log::{error, info};

use crate::logging::STARTUP;
use child::Server;
pub use child::{Inherited, inherited};
use watch::Watched;

/// How often the watched files are checked.
const PERIOD: Duration = Duration::from_millis(300);

/// Runs the server until `stop` is ready, and replaces it whenever a watched file changes.
///
/// # Errors
/// The first server cannot be started, or the serving one has ended by itself.
pub async fn supervise(
    listeners: Vec<TcpListener>,
    shutdown_timeout: Duration,
    stop: impl Future<Output = &'static str>,
) -> io::Result<()> {
    let mut watched = Watched::new()?;
    let mut server = Server::start(watched.program(), &listeners).await?;
    let mut stop = Box::pin(stop);
    loop {
        let tick = Box::pin(actix_rt::time::sleep(PERIOD));
        if let Either::Left(_) = future::select(&mut stop, tick).await {
            return server.stop(shutdown_timeout).await;
        }
        if let Some(status) = server.has_exited()? {
            return Err(io::Error::other(format!("the server has exited: {status}")));
        }
        let Some(changed) = watched.changed() else { continue };
        info!(target: STARTUP, changed; "Reload begun");
        match Server::start(watched.program(), &listeners).await {
            Ok(new) => {
                let old = std::mem::replace(&mut server, new);
                actix_rt::spawn(async move { old.stop(shutdown_timeout).await });
                info!(target: STARTUP, "Reload done");
            }
            Err(cause) => {
                error!(target: STARTUP, cause:% = cause; "Reload failed; the current server goes on");
            }
        }
    }
}
