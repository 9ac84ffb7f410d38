//! Ends a command on SIGINT (Ctrl-C) or SIGTERM within a second, also as process 1 of a container.
//!
//! A command may block where no future can be dropped: reading standard input or a FIFO, writing to a full pipe,
//! looking up a name. So it runs on a thread of its own, while the main thread waits for its exit or for a signal.
//! The process then ends without waiting for the threads that are still blocked.

use std::{thread, time::Duration};

use tokio::{
    runtime,
    signal::unix::{Signal, SignalKind, signal},
    sync::oneshot,
    time::sleep,
};

use crate::exit::{Exit, Failure};

/// How long a command may take to finish after the first signal.
const GRACE: Duration = Duration::from_millis(800);

/// The signal that came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    Interrupt,
    Terminate,
}

/// What the first signal does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnStop {
    /// The process ends at once.
    EndAtOnce,
    /// The command learns of the signal, and has [`GRACE`] to finish. A second signal ends the process at once.
    Finish,
}

/// Resolves when the command has to stop.
pub(crate) struct Stopped(oneshot::Receiver<Stop>);

impl Stopped {
    /// Waits for the first signal.
    pub(crate) async fn wait(self) -> Stop {
        match self.0.await {
            Ok(stop) => stop,
            // The main thread has stopped listening, so that no signal can come.
            Err(_) => std::future::pending().await,
        }
    }
}

impl From<Stop> for Exit {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Interrupt => Self::Interrupted,
            Stop::Terminate => Self::Terminated,
        }
    }
}

/// Runs a command on a thread of its own until it ends or a signal ends it.
pub(crate) fn run(
    on_stop: OnStop,
    command: impl FnOnce(Stopped) -> Exit + Send + 'static,
) -> Result<Exit, Failure> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|why| Failure::io("the runtime cannot be started", &why))?;
    runtime.block_on(async {
        let mut signals = Signals::listen()?;
        let (tell, stopped) = oneshot::channel();
        let mut ended = start(move || command(Stopped(stopped)))?;
        let stop = tokio::select! {
            exit = &mut ended => return Ok(exit_of(exit)),
            stop = signals.next() => stop,
        };
        if on_stop == OnStop::EndAtOnce {
            return Ok(stop.into());
        }
        // An error means that the command has just ended, which is noticed below.
        let _ = tell.send(stop);
        Ok(tokio::select! {
            exit = ended => exit_of(exit),
            again = signals.next() => again.into(),
            () = sleep(GRACE) => stop.into(),
        })
    })
}

/// Starts the command's thread; its exit comes out of the channel.
fn start(command: impl FnOnce() -> Exit + Send + 'static) -> Result<oneshot::Receiver<Exit>, Failure> {
    let (done, ended) = oneshot::channel();
    let run = move || {
        // An error means that the process is about to end by a signal.
        let _ = done.send(command());
    };
    let thread = thread::Builder::new().name("command".to_owned());
    thread.spawn(run).map_err(|why| Failure::io("the command's thread cannot be started", &why))?;
    Ok(ended)
}

/// A command that ends without an exit has panicked, and its message is on standard error.
fn exit_of(ended: Result<Exit, oneshot::error::RecvError>) -> Exit {
    ended.unwrap_or(Exit::Failure)
}

/// Both signals, caught from now on.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn listen() -> Result<Self, Failure> {
        let listen = |kind| signal(kind).map_err(|why| Failure::io("signals cannot be caught", &why));
        Ok(Self { interrupt: listen(SignalKind::interrupt())?, terminate: listen(SignalKind::terminate())? })
    }

    async fn next(&mut self) -> Stop {
        tokio::select! {
            _ = self.interrupt.recv() => Stop::Interrupt,
            _ = self.terminate.recv() => Stop::Terminate,
        }
    }
}
