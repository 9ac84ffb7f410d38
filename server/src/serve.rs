//! The command `serve`: runs the server until a signal asks it to stop, with or without a watcher that restarts it.

use std::io;

use derive_more::{Display, Error, From};
use futures::channel::oneshot;
use futures::future::{self, Either};
use tokio::signal::unix::{SignalKind, signal};

use crate::app::{Application, StartError};
use crate::config::{Config, UnknownVariable};
use crate::logging;
use crate::reload::{self, Inherited};

/// Why the server did not start, or ended by itself.
#[derive(Debug, Display, Error, From)]
pub enum ServeError {
    /// The server cannot start.
    Start(StartError),
    /// The operating system refused something.
    Io(io::Error),
}

/// Serves until SIGTERM or SIGINT arrives. Must run inside an actix system.
///
/// # Errors
/// [`ServeError`]: the server cannot start, or has ended by itself.
pub async fn serve(config: Config, unknown: &[UnknownVariable]) -> Result<(), ServeError> {
    let stop = stop_signal()?;
    logging::warn_of_unknown(unknown);
    let application = Application::bind(config)?;
    Ok(application.run(stop, || {}).await?)
}

/// Serves like [`serve`], and restarts when the program or `.env` changes.
///
/// The watcher and the server that it watches are the same program; only the server inherits a lifeline.
///
/// # Errors
/// [`ServeError`]: the first server cannot start, or a server has ended by itself.
pub async fn serve_and_reload(config: Config, unknown: &[UnknownVariable]) -> Result<(), ServeError> {
    let stop = stop_signal()?;
    let Some(inherited) = reload::inherited()? else {
        let shutdown_timeout = config.shutdown_timeout;
        let listener = Application::bind(config)?.into_listener();
        return Ok(reload::supervise(listener, shutdown_timeout, stop).await?);
    };
    logging::warn_of_unknown(unknown);
    let (listener, watcher, token) = inherited.into_parts();
    let application = Application::with_listener(config, listener)?;
    let (serving, is_serving) = oneshot::channel();
    let lifeline = async move {
        let _ = is_serving.await;
        Inherited::hold_lifeline(watcher, token).await
    };
    let stop = async {
        match future::select(Box::pin(stop), Box::pin(lifeline)).await {
            Either::Left((reason, _)) | Either::Right((reason, _)) => reason,
        }
    };
    let started = || {
        let _ = serving.send(());
    };
    Ok(application.run(stop, started).await?)
}

/// Returns the name of the signal that asks the process to stop. The handlers are installed as soon as this function
/// returns; process 1 needs them, because the system does not end it by default.
fn stop_signal() -> io::Result<impl Future<Output = &'static str>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        match future::select(Box::pin(terminate.recv()), Box::pin(interrupt.recv())).await {
            Either::Left(_) => "SIGTERM",
            Either::Right(_) => "SIGINT",
        }
    })
}
