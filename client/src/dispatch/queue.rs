//! What a worker is sent: calls to run, and what becomes of its calls that moved to other threads.

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

/// What becomes of a call that runs on a worker's thread while its future is on another thread.
#[derive(Debug)]
pub(super) enum Stray {
    /// The worker goes on with the call and sends its result.
    Adopt { key: usize, reply: oneshot::Sender<Outcome> },
    /// The worker drops the call.
    Drop { key: usize },
}

/// The way to a worker.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) jobs: mpsc::Sender<Job>,
    /// Has no capacity of its own, because a call must always find its way back. It holds at most one message for
    /// each call that runs in place.
    pub(super) strays: mpsc::UnboundedSender<Stray>,
}

/// The worker's end of a [`Link`].
#[derive(Debug)]
pub(super) struct Inbox {
    pub(super) jobs: mpsc::Receiver<Job>,
    pub(super) strays: mpsc::UnboundedReceiver<Stray>,
}

pub(super) fn pair() -> (Link, Inbox) {
    let (job_sender, jobs) = mpsc::channel(QUEUE);
    let (stray_sender, strays) = mpsc::unbounded_channel();
    (Link { jobs: job_sender, strays: stray_sender }, Inbox { jobs, strays })
}
