//! What a worker is sent: calls to run, and commands about calls that run in place.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{mpsc, oneshot};

use super::Outcome;
use crate::{engine::Admitted, state::ClientState};

/// The calls that may wait for a worker. A worker takes them up at once, so the queue fills only while its thread is
/// blocked.
pub(super) const QUEUE: usize = 1_024;

/// A call to run.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) call: Arc<Parcel>,
    pub(super) reply: oneshot::Sender<Outcome>,
}

/// A call that is handed over. Either the worker takes it out, or the caller takes it back; what is left is empty.
#[derive(Debug)]
pub(super) struct Parcel(Mutex<Option<(Arc<ClientState>, Admitted)>>);

impl Parcel {
    pub(super) fn new(state: Arc<ClientState>, call: Admitted) -> Self {
        Self(Mutex::new(Some((state, call))))
    }

    pub(super) fn take(&self) -> Option<(Arc<ClientState>, Admitted)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// What the caller's future asks of the worker when it is polled or dropped on another thread than the call's. `key`
/// is that of the call.
#[derive(Debug)]
pub(super) enum CallCommand {
    /// Run the call as a task of the worker's thread, and send its result.
    Spawn { key: usize, reply: oneshot::Sender<Outcome> },
    /// Drop the call.
    Cancel { key: usize },
}

/// The way to a worker.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) jobs: mpsc::Sender<Job>,
    /// Unbounded, because a command must never be refused: what the call holds would be lost. It holds at most one
    /// command for each call that runs in place.
    pub(super) commands: mpsc::UnboundedSender<CallCommand>,
}

/// The worker's end of a [`Link`].
#[derive(Debug)]
pub(super) struct Inbox {
    pub(super) jobs: mpsc::Receiver<Job>,
    pub(super) commands: mpsc::UnboundedReceiver<CallCommand>,
}

pub(super) fn pair() -> (Link, Inbox) {
    let (job_sender, jobs) = mpsc::channel(QUEUE);
    let (command_sender, commands) = mpsc::unbounded_channel();
    (Link { jobs: job_sender, commands: command_sender }, Inbox { jobs, commands })
}
