//! The command `serve`: runs the server until a signal asks it to stop, with or without a watcher that restarts it.

use std::io;

use derive_more::{Display, Error, From};
use futures::channel::oneshot;
use futures::future::{self, Either};

use crate::app::Application;
use crate::config::{Config, UnknownVariable};
use crate::listen::StartError;
use crate::logging;
use crate::reload::{self, Inherited};
use crate::signals::{SecondSignal, StopSignals};

/// Why the server did not start, or ended by itself.
#[derive(Debug, Display, Error, From)]
pub enum ServeError {
    /// The server cannot start.
    Start(StartError),
    /// The operating system refused something.
    Io(io::Error),
    /// A second SIGTERM or SIGINT came before the stop was complete.
    #[display("ended at once by a second signal, {}", _0.0)]
    SecondSignal(#[error(not(source))] SecondSignal),
}

/// Serves until SIGTERM or SIGINT arrives. Must run inside an actix system.
///
/// # Errors
/// [`ServeError`]: the server cannot start, or has ended by itself.
pub async fn serve(config: Config, unknown: &[UnknownVariable]) -> Result<(), ServeError> {
    let signals = StopSignals::install()?;
    logging::warn_of_unknown(unknown);
    let application = Application::bind(config)?;
    Ok(signals.supervise(async |stop| application.run(stop, |_| {}).await).await??)
}

/// Serves like [`serve`], and restarts when the program or `.env` changes.
///
/// The watcher and the server that it watches are the same program; only the server inherits a lifeline.
///
/// # Errors
/// [`ServeError`]: the first server cannot start, or a server has ended by itself.
pub async fn serve_and_reload(config: Config, unknown: &[UnknownVariable]) -> Result<(), ServeError> {
    let signals = StopSignals::install()?;
    let Some(inherited) = reload::inherited()? else {
        let shutdown_timeout = config.shutdown_timeout;
        let listeners = Application::bind(config)?.into_listeners();
        let watch = async |stop| reload::supervise(listeners, shutdown_timeout, stop).await;
        return Ok(signals.supervise(watch).await??);
    };
    logging::warn_of_unknown(unknown);
    let (listeners, watcher, token) = inherited.into_parts();
    let application = Application::with_listeners(config, listeners);
    let (serving, is_serving) = oneshot::channel();
    let lifeline = async move {
        let _ = is_serving.await;
        Inherited::hold_lifeline(watcher, token).await
    };
    let started = |_: &_| {
        let _ = serving.send(());
    };
    let run = async |signal| {
        let stop = async {
            match future::select(signal, Box::pin(lifeline)).await {
                Either::Left((reason, _)) | Either::Right((reason, _)) => reason,
            }
        };
        application.run(stop, started).await
    };
    Ok(signals.supervise(run).await??)
}
