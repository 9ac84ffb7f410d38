//! One run of the client's command: bounded in time and in what is kept of its output, and cleaned up.
//!
//! The command gets a process group of its own. When its time is over the group gets SIGTERM, and a little later
//! SIGKILL, which nothing ignores. What the command has left running in its group ends with it; a process that has
//! left the group and still holds the output is not waited for.

use std::io;
use std::pin::pin;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use futures::future::{self, Either};
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};
use tokio::time::{Instant, timeout};

use std::os::unix::process::ExitStatusExt;

/// The bounds on one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// How long it may take.
    pub time: Duration,
    /// How long it may take to end after SIGTERM.
    pub grace: Duration,
    /// How long its output is read after its end.
    pub drain: Duration,
    /// How many bytes of each output are kept. What follows is read and dropped.
    pub output: usize,
}

/// A run that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ran {
    /// How it ended.
    pub end: End,
    /// How long it took.
    pub took: Duration,
    /// What it printed.
    pub stdout: Captured,
    /// What it printed on standard error.
    pub stderr: Captured,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// By itself, with this exit code.
    Exited(i32),
    /// By this signal, which was not ours.
    Signalled(i32),
    /// By us, because its time was over.
    TimedOut,
}

/// The beginning of an output.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Captured {
    /// What is kept.
    pub kept: Vec<u8>,
    /// How many bytes were dropped.
    pub dropped: u64,
}

/// Runs a command.
///
/// # Errors
/// The command cannot be started, or the system refuses something.
pub async fn run(command: &mut Command, bounds: Bounds) -> io::Result<Ran> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.process_group(0).kill_on_drop(true);
    let began = Instant::now();
    let mut child = command.spawn()?;
    let group = Group::of(&child);
    let (mut stdout, mut stderr) = (Captured::default(), Captured::default());
    let outputs = (child.stdout.take(), child.stderr.take());
    let (end, took) = {
        let read = future::join(stdout.take(outputs.0, bounds.output), stderr.take(outputs.1, bounds.output));
        let mut read = pin!(future::maybe_done(read));
        let end = match future::select(pin!(wait(&mut child, &group, bounds)), read.as_mut()).await {
            Either::Left((end, _)) => end?,
            Either::Right((_, ending)) => ending.await?,
        };
        let took = began.elapsed();
        drop(group);
        // An error means that a process outside the group holds the output.
        let _ = timeout(bounds.drain, read).await;
        (end, took)
    };
    Ok(Ran { end, took, stdout, stderr })
}

/// Waits for the end of a command, and brings it about when its time is over.
async fn wait(child: &mut Child, group: &Group, bounds: Bounds) -> io::Result<End> {
    if let Ok(status) = timeout(bounds.time, child.wait()).await {
        return status.map(End::of);
    }
    group.send(Signal::TERM);
    if timeout(bounds.grace, child.wait()).await.is_err() {
        group.send(Signal::KILL);
        child.wait().await?;
    }
    Ok(End::TimedOut)
}

impl End {
    fn of(status: ExitStatus) -> Self {
        match (status.code(), status.signal()) {
            (Some(code), _) => Self::Exited(code),
            (None, signal) => Self::Signalled(signal.unwrap_or_default()),
        }
    }
}

impl Captured {
    /// Reads an output to its end, and keeps its first `limit` bytes.
    async fn take(&mut self, output: Option<impl AsyncRead + Unpin>, limit: usize) {
        let Some(mut output) = output else { return };
        let mut buffer = vec![0; 16 * 1024];
        // A read that fails is the end of what can be read.
        while let Ok(length @ 1..) = output.read(&mut buffer).await {
            let kept = length.min(limit.saturating_sub(self.kept.len()));
            self.kept.extend_from_slice(&buffer[..kept]);
            self.dropped += (length - kept) as u64;
        }
    }
}

/// The process group of a command. What is left of it ends when this is dropped.
struct Group(Option<Pid>);

impl Group {
    fn of(child: &Child) -> Self {
        Self(child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)))
    }

    fn send(&self, signal: Signal) {
        if let Some(group) = self.0 {
            // An error means that nothing of it is left.
            let _ = kill_process_group(group, signal);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.send(Signal::KILL);
    }
}

#[cfg(test)]
#[path = "process_tests.rs"]
mod tests;
