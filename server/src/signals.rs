//! SIGTERM and SIGINT: the first one stops the program, a second one ends it at once.

use std::io;

use futures::FutureExt;
use futures::channel::oneshot;
use futures::future::{self, BoxFuture, Either};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals that stop the program.
pub struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
}

/// A second signal has ended the work; its name.
#[derive(Debug, PartialEq, Eq)]
pub struct SecondSignal(pub &'static str);

impl StopSignals {
    /// Installs the handlers. Process 1 needs them, because the system does not end it by default.
    ///
    /// # Errors
    /// The system refuses a handler.
    pub fn install() -> io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Runs `work`, which gets a future that is ready at the first signal, with its name. A second signal drops the
    /// work.
    ///
    /// # Errors
    /// [`SecondSignal`] when the work has been dropped.
    pub async fn supervise<T>(
        mut self,
        work: impl AsyncFnOnce(BoxFuture<'static, &'static str>) -> T,
    ) -> Result<T, SecondSignal> {
        let (first, stop) = oneshot::channel();
        let second = async move {
            // The work may have ended, or may not listen.
            let _ = first.send(self.next().await);
            self.next().await
        };
        let stop = stop.map(|name| name.unwrap_or("SIGTERM")).boxed();
        match future::select(Box::pin(work(stop)), Box::pin(second)).await {
            Either::Left((result, _)) => Ok(result),
            Either::Right((name, _)) => Err(SecondSignal(name)),
        }
    }

    async fn next(&mut self) -> &'static str {
        match future::select(Box::pin(self.terminate.recv()), Box::pin(self.interrupt.recv())).await {
            Either::Left(_) => "SIGTERM",
            Either::Right(_) => "SIGINT",
        }
    }
}
