//! From any thread to the thread that owns awc.
//!
//! A worker is a thread (or the arbiter that the client was started on) with a transport of its own. A call that is
//! made on a worker's thread runs there in place; any other is handed over through a bounded queue. Either way,
//! dropping the caller's future ends the call, and no call outlasts its deadline for its caller.
//!
//! * `queue`: what a worker is sent.
//! * `local`: calls that run in place, and what happens to them when their futures move to another thread.
//! * `handover`: calls that are handed over.
//! * `worker`: the loop on the worker's thread.
//! * `timer`: waits with a bound, also without a runtime.

mod handover;
mod local;
mod queue;
pub(crate) mod timer;
mod worker;

use std::sync::{
    Arc,
    atomic::{AtomicU64, AtomicUsize, Ordering},
};

use futures::future::Either;

pub(crate) use self::worker::{Worker, answer};
use self::{
    handover::{Deadline, hand_over},
    local::{LocalCall, WorkerId},
    queue::Link,
};
use crate::{
    engine::{self, Admitted},
    error::Error,
    response::Response,
    state::ClientState,
};

type Outcome = Result<Response, Error>;

/// The workers of a client, as its handles see them.
#[derive(Debug)]
pub(crate) struct WorkerPool {
    client: u64,
    links: Vec<Link>,
    next: AtomicUsize,
}

impl WorkerPool {
    /// Makes `count` workers, which begin to work once they are opened on their threads.
    pub(crate) fn new(count: usize) -> (Self, Vec<Worker>) {
        static CLIENTS: AtomicU64 = AtomicU64::new(0);
        let client = CLIENTS.fetch_add(1, Ordering::Relaxed);
        let (links, workers) = (0..count)
            .map(|index| {
                let (link, inbox) = queue::pair();
                (link, Worker::new(WorkerId { client, index }, inbox))
            })
            .unzip();
        (Self { client, links, next: AtomicUsize::new(0) }, workers)
    }

    /// Runs a call: in place on a worker's thread, and elsewhere by handing it over.
    pub(crate) fn run(
        &self,
        state: Arc<ClientState>,
        call: Admitted,
    ) -> impl Future<Output = Outcome> + Send {
        match local::worker_here(self.client).filter(|_| timer::in_runtime()) {
            Some((id, thread)) => {
                let deadline = Deadline::of(&call);
                let transport = thread.transport();
                let run = async move { engine::run(&state, &*transport, &call).await };
                let key = thread.begin(Box::pin(run));
                Either::Left(LocalCall::new(id, key, &self.links[id.index], deadline))
            }
            None => {
                let index = self.next.fetch_add(1, Ordering::Relaxed) % self.links.len();
                // In a box, so that a call that runs in place has no room for it.
                Either::Right(Box::pin(hand_over(&self.links[index], state, call)))
            }
        }
    }
}
