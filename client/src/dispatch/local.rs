//! Calls that run in place: their caller polls them on the worker's own thread, without a queue between.
//!
//! A call is not `Send`, because awc is not; its future is, so that callers may spawn it anywhere. So the call stays
//! on the worker's thread, and the caller's future has only its key. Polled or dropped on another thread, that future
//! sends a command to the worker, over a channel that is never full. When the worker ends, all its calls are dropped
//! on its thread. So no path loses what a call holds.

use std::{
    cell::RefCell,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, ready},
};

use futures::{FutureExt, future::LocalBoxFuture};
use slab::Slab;
use tokio::sync::oneshot;

use super::{
    Outcome,
    handover::{Deadline, answered},
    queue::{CallCommand, Link},
};
use crate::{error::Error, transport::WorkerTransport};

/// Identifies a worker among all workers of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct WorkerId {
    pub(super) client: u64,
    pub(super) index: usize,
}

pub(super) type Call = LocalBoxFuture<'static, Outcome>;

/// What a worker has on its thread: a transport, and the calls that run in place.
pub(super) struct WorkerThread {
    transport: Rc<WorkerTransport>,
    /// A call is taken out while it is polled.
    calls: RefCell<Slab<Option<Call>>>,
}

impl WorkerThread {
    pub(super) fn new(transport: WorkerTransport) -> Self {
        Self { transport: Rc::new(transport), calls: RefCell::default() }
    }

    pub(super) fn transport(&self) -> Rc<WorkerTransport> {
        Rc::clone(&self.transport)
    }

    /// Keeps a call, and returns its key.
    pub(super) fn begin(&self, call: Call) -> usize {
        self.calls.borrow_mut().insert(Some(call))
    }

    /// Removes a call. The caller drops it after the borrow has ended: a call that is dropped runs code.
    pub(super) fn remove(&self, key: usize) -> Option<Call> {
        self.calls.borrow_mut().try_remove(key).flatten()
    }

    fn poll(&self, key: usize, cx: &mut Context<'_>) -> Poll<Outcome> {
        let call = self.calls.borrow_mut().get_mut(key).and_then(Option::take);
        let Some(mut call) = call else { return Poll::Ready(Err(Error::closed())) };
        match call.poll_unpin(cx) {
            Poll::Ready(outcome) => {
                // What the call held is freed before its caller goes on.
                drop(call);
                self.remove(key);
                Poll::Ready(outcome)
            }
            Poll::Pending => {
                if let Some(place) = self.calls.borrow_mut().get_mut(key) {
                    *place = Some(call);
                }
                Poll::Pending
            }
        }
    }
}

thread_local! {
    /// The workers on this thread.
    static HERE: RefCell<Vec<(WorkerId, Rc<WorkerThread>)>> = const { RefCell::new(Vec::new()) };
}

/// The worker of a client on this thread, if there is one.
pub(super) fn worker_here(client: u64) -> Option<(WorkerId, Rc<WorkerThread>)> {
    find(|id| id.client == client)
}

fn thread_of(worker: WorkerId) -> Option<Rc<WorkerThread>> {
    find(|id| id == worker).map(|(_, thread)| thread)
}

fn find(is_it: impl Fn(WorkerId) -> bool) -> Option<(WorkerId, Rc<WorkerThread>)> {
    // While the thread ends there is no worker on it any more.
    HERE.try_with(|all| {
        let all = all.borrow();
        all.iter().find(|(id, _)| is_it(*id)).map(|(id, thread)| (*id, Rc::clone(thread)))
    })
    .ok()
    .flatten()
}

/// A worker that can be found on this thread, until this is dropped.
pub(super) struct Registered(WorkerId);

impl Registered {
    pub(super) fn new(worker: WorkerId, thread: Rc<WorkerThread>) -> Self {
        HERE.with_borrow_mut(|all| all.push((worker, thread)));
        Self(worker)
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        let thread = HERE.try_with(|all| {
            let mut all = all.borrow_mut();
            let place = all.iter().position(|(id, _)| *id == self.0)?;
            Some(all.swap_remove(place).1)
        });
        // Only now: dropping calls and connections runs code that looks for a worker.
        drop(thread);
    }
}

/// The caller's side of a call that runs in place.
pub(super) struct LocalCall<'a> {
    worker: WorkerId,
    link: &'a Link,
    deadline: Deadline,
    stage: Stage,
}

enum Stage {
    /// The caller's future polls the call, which the worker's thread has under this key.
    InPlace(usize),
    /// The call is a task of the worker's thread, because its caller moved to another thread.
    Spawned(Pin<Box<dyn Future<Output = Outcome> + Send>>),
    /// The call has ended.
    Done,
}

impl<'a> LocalCall<'a> {
    pub(super) fn new(worker: WorkerId, key: usize, link: &'a Link, deadline: Deadline) -> Self {
        Self { worker, link, deadline, stage: Stage::InPlace(key) }
    }

    /// Lets the worker run the call as a task. For a caller on another thread.
    fn spawn_on_worker(&self, key: usize) -> Stage {
        let (reply, answer) = oneshot::channel();
        // A worker that has ended has dropped its calls, and drops the reply with this message.
        let _ = self.link.commands.send(CallCommand::Spawn { key, reply });
        Stage::Spawned(Box::pin(answered(answer, self.deadline)))
    }
}

impl Future for LocalCall<'_> {
    type Output = Outcome;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Outcome> {
        if let Stage::InPlace(key) = self.stage {
            if let Some(thread) = thread_of(self.worker) {
                let outcome = ready!(thread.poll(key, cx));
                self.stage = Stage::Done;
                return Poll::Ready(outcome);
            }
            self.stage = self.spawn_on_worker(key);
        }
        let outcome = match &mut self.stage {
            Stage::Spawned(answer) => ready!(answer.poll_unpin(cx)),
            Stage::InPlace(_) | Stage::Done => Err(Error::closed()),
        };
        self.stage = Stage::Done;
        Poll::Ready(outcome)
    }
}

impl Drop for LocalCall<'_> {
    fn drop(&mut self) {
        let Stage::InPlace(key) = self.stage else { return };
        match thread_of(self.worker) {
            Some(thread) => drop(thread.remove(key)),
            // A worker that has ended has dropped its calls.
            None => drop(self.link.commands.send(CallCommand::Cancel { key })),
        }
    }
}
