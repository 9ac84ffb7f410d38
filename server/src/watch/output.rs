//! Standard output on a thread of its own, so that a reader that has stopped reading does not keep Ctrl-C from ending
//! the program.

use std::io::{self, ErrorKind, Write};
use std::thread;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::error::WatchError;

/// How many lines wait to be written. When they are too many, the watcher waits, and the server drops its events.
const QUEUE: usize = 256;

/// How long the last lines may take when the program ends.
const LAST_LINES: Duration = Duration::from_secs(1);

/// The way to standard output.
pub(super) struct Lines {
    queue: mpsc::Sender<String>,
    written: oneshot::Receiver<io::Result<()>>,
}

/// Nothing more is written: the reader has closed its side, or there was an error.
#[derive(Debug)]
pub(super) struct Closed;

impl Lines {
    /// Starts the thread that writes.
    ///
    /// # Errors
    /// [`WatchError`] when the system has no thread.
    pub(super) fn start() -> Result<Self, WatchError> {
        let (queue, lines) = mpsc::channel(QUEUE);
        let (result, written) = oneshot::channel();
        let write = move || drop(result.send(write(lines)));
        let thread = thread::Builder::new().name("output".to_owned()).spawn(write);
        thread.map(|_| Self { queue, written }).map_err(|error| WatchError::Output(error.to_string()))
    }

    /// Prints a line.
    pub(super) async fn print(&self, line: String) -> Result<(), Closed> {
        self.queue.send(line).await.map_err(|_| Closed)
    }

    /// Waits until the lines are written; not for a reader that does not read. A reader that has closed its side has
    /// seen what it wanted.
    ///
    /// # Errors
    /// [`WatchError`] when they cannot be written.
    pub(super) async fn finish(self) -> Result<(), WatchError> {
        drop(self.queue);
        match tokio::time::timeout(LAST_LINES, self.written).await {
            Ok(Ok(Err(error))) if error.kind() != ErrorKind::BrokenPipe => {
                Err(WatchError::Output(error.to_string()))
            }
            _ => Ok(()),
        }
    }
}

fn write(mut lines: mpsc::Receiver<String>) -> io::Result<()> {
    let mut output = io::stdout().lock();
    while let Some(line) = lines.blocking_recv() {
        writeln!(output, "{line}")?;
        output.flush()?;
    }
    Ok(())
}
