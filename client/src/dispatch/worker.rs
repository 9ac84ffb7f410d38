//! The loop of a worker, on the thread that owns awc.

use std::{pin::pin, rc::Rc};

use tokio::sync::oneshot;

use super::{
    Outcome,
    local::{Registered, WorkerId, WorkerThread},
    queue::{CallCommand, Inbox, Job},
};
use crate::{
    engine,
    lifetime::Lifetime,
    transport::{TransportSettings, WorkerTransport},
};

/// A worker, before it is opened on its thread.
pub(crate) struct Worker {
    id: WorkerId,
    inbox: Inbox,
}

impl Worker {
    pub(super) fn new(id: WorkerId, inbox: Inbox) -> Self {
        Self { id, inbox }
    }

    /// Opens the worker on this thread: from now on, calls that are made here run in place.
    ///
    /// The future serves the calls that others hand over. It ends with the last handle of the client, or when the
    /// client is closed and its last call has ended.
    pub(crate) fn open(self, settings: TransportSettings, lifetime: Lifetime) -> impl Future<Output = ()> {
        let thread = Rc::new(WorkerThread::new(WorkerTransport::new(settings)));
        let registered = Registered::new(self.id, Rc::clone(&thread));
        let mut inbox = self.inbox;
        async move {
            let _registered = registered;
            let ended = lifetime.ended();
            tokio::pin!(ended);
            loop {
                tokio::select! {
                    biased;
                    Some(command) = inbox.commands.recv() => carry_out(command, &thread),
                    job = inbox.jobs.recv() => match job {
                        Some(job) => start(job, &thread),
                        None => return,
                    },
                    () = &mut ended => return,
                }
            }
        }
    }
}

fn start(job: Job, thread: &WorkerThread) {
    let Some((state, call)) = job.call.take() else { return };
    let transport = thread.transport();
    let run = async move { engine::run(&state, &*transport, &call).await };
    actix_rt::spawn(answer(run, job.reply));
}

fn carry_out(command: CallCommand, thread: &WorkerThread) {
    match command {
        CallCommand::Cancel { key } => drop(thread.remove(key)),
        CallCommand::Spawn { key, reply } => {
            if let Some(call) = thread.remove(key) {
                actix_rt::spawn(answer(call, reply));
            }
        }
    }
}

/// Runs a call for a caller that may stop waiting for it, which ends it.
pub(crate) async fn answer(call: impl Future<Output = Outcome>, mut reply: oneshot::Sender<Outcome>) {
    // It stays where it is, because it is large to move.
    let mut call = pin!(call);
    tokio::select! {
        biased;
        () = reply.closed() => {}
        outcome = &mut call => {
            // A caller that has stopped waiting needs no result.
            let _ = reply.send(outcome);
        }
    }
}
