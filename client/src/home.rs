//! Where the I/O happens: awc lives on one thread, callers on any.
//!
//! A home is a thread (or the arbiter that the client was started on) with a transport of its own. A caller who is
//! at home runs its call in place; any other hands it over through a bounded queue. Either way, dropping the
//! caller's future ends the call.

use std::{
    cell::RefCell,
    pin::Pin,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    task::{Context, Poll, ready},
};

use futures::future::{Either, LocalBoxFuture};
use send_wrapper::SendWrapper;
use tokio::{
    sync::{mpsc, oneshot},
    time::Instant,
};

use crate::{
    core::{Closing, Core},
    engine,
    error::{Error, ErrorKind},
    prepare::Prepared,
    response::Response,
    transport::AwcTransport,
};

/// Calls that wait to be taken up by a home. They are taken up at once, so that this fills only if a thread is
/// blocked.
const QUEUE: usize = 1_024;

type Outcome = Result<Response, Error>;

/// What a home is asked to do.
enum Job {
    /// Make a call.
    Make { core: Arc<Core>, call: Box<Prepared>, started: Instant, reply: oneshot::Sender<Outcome> },
    /// Go on with a call that was begun here and carried off to another thread.
    Adopt { call: SendWrapper<LocalBoxFuture<'static, Outcome>>, reply: oneshot::Sender<Outcome> },
}

/// The homes of a client, as its handles see them.
#[derive(Debug)]
pub(crate) struct Homes {
    id: u64,
    doors: Vec<mpsc::Sender<Job>>,
    next: AtomicUsize,
}

/// The inside of one home, before it is set up on its thread.
pub(crate) struct Home {
    id: u64,
    index: usize,
    jobs: mpsc::Receiver<Job>,
}

impl Homes {
    /// So many homes, and their insides.
    pub(crate) fn new(count: usize) -> (Self, Vec<Home>) {
        static CLIENTS: AtomicU64 = AtomicU64::new(0);
        let id = CLIENTS.fetch_add(1, Ordering::Relaxed);
        let (doors, homes) = (0..count)
            .map(|index| {
                let (door, jobs) = mpsc::channel(QUEUE);
                (door, Home { id, index, jobs })
            })
            .unzip();
        (Self { id, doors, next: AtomicUsize::new(0) }, homes)
    }

    /// Makes a call, here if this is a home and else in one.
    pub(crate) fn make(
        &self,
        core: Arc<Core>,
        call: Box<Prepared>,
        started: Instant,
    ) -> impl Future<Output = Outcome> + Send {
        match transport_here(self.id) {
            Some((home, transport)) if has_runtime() => {
                let run = async move { engine::run(&core, &*transport, *call, started).await };
                let call = SendWrapper::new(Box::pin(run) as LocalBoxFuture<'static, Outcome>);
                Either::Left(AtHome { stage: Stage::Here(call, self.doors[home].clone()) })
            }
            _ => Either::Right(self.hand_over(core, call, started)),
        }
    }

    async fn hand_over(&self, core: Arc<Core>, call: Box<Prepared>, started: Instant) -> Outcome {
        use mpsc::error::TrySendError::{Closed, Full};
        let longest = call.limits.timeout.pool;
        let (reply, answer) = oneshot::channel();
        let door = &self.doors[self.next.fetch_add(1, Ordering::Relaxed) % self.doors.len()];
        match door.try_send(Job::Make { core, call, started, reply }) {
            Ok(()) => {}
            Err(Closed(_)) => return Err(Error::closed()),
            Err(Full(job)) if has_runtime() => match tokio::time::timeout(longest, door.send(job)).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return Err(Error::closed()),
                Err(_) => return Err(not_taken_up()),
            },
            // Without a runtime there is no timer to bound a wait with.
            Err(Full(_)) => return Err(not_taken_up()),
        }
        answer.await.unwrap_or_else(|_| Err(Error::closed()))
    }
}

fn has_runtime() -> bool {
    tokio::runtime::Handle::try_current().is_ok()
}

fn not_taken_up() -> Error {
    Error::new(ErrorKind::PoolTimeout, "the client's thread takes no more calls")
}

/// A call that runs in place. It says that it may be sent to another thread; if that happens, it goes home.
struct AtHome {
    stage: Stage,
}

enum Stage {
    Here(SendWrapper<LocalBoxFuture<'static, Outcome>>, mpsc::Sender<Job>),
    Away(oneshot::Receiver<Outcome>),
    Done,
}

impl Stage {
    /// Sends a call that is on the wrong thread back to the one that it belongs to.
    fn go_home(self) -> Self {
        let Self::Here(call, door) = self else { return self };
        let (reply, answer) = oneshot::channel();
        match door.try_send(Job::Adopt { call, reply }) {
            Ok(()) => Self::Away(answer),
            Err(mpsc::error::TrySendError::Closed(job) | mpsc::error::TrySendError::Full(job)) => {
                // It may not be dropped here, and there is nobody to drop it there: memory is all that is lost.
                std::mem::forget(job);
                Self::Done
            }
        }
    }

    fn is_astray(&self) -> bool {
        matches!(self, Self::Here(call, _) if !call.valid())
    }
}

impl Future for AtHome {
    type Output = Outcome;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Outcome> {
        if self.stage.is_astray() {
            self.stage = std::mem::replace(&mut self.stage, Stage::Done).go_home();
        }
        let outcome = match &mut self.stage {
            Stage::Here(call, _) => ready!(call.as_mut().poll(cx)),
            Stage::Away(answer) => ready!(Pin::new(answer).poll(cx)).unwrap_or_else(|_| Err(Error::closed())),
            Stage::Done => Err(Error::closed()),
        };
        // Whatever the call held is freed with it, before the caller goes on.
        self.stage = Stage::Done;
        Poll::Ready(outcome)
    }
}

impl Drop for AtHome {
    fn drop(&mut self) {
        if self.stage.is_astray() {
            // Its answer has no receiver, which is how it will learn that it was dropped.
            drop(std::mem::replace(&mut self.stage, Stage::Done).go_home());
        }
    }
}

thread_local! {
    /// The transports of the clients that are at home on this thread.
    static TRANSPORTS: RefCell<Vec<Entry>> = const { RefCell::new(Vec::new()) };
}

struct Entry {
    client: u64,
    home: usize,
    transport: Rc<AwcTransport>,
}

fn transport_here(id: u64) -> Option<(usize, Rc<AwcTransport>)> {
    TRANSPORTS.with_borrow(|all| {
        all.iter().find(|entry| entry.client == id).map(|entry| (entry.home, Rc::clone(&entry.transport)))
    })
}

/// A transport that can be found on this thread, until this is dropped.
struct Registered(u64);

impl Registered {
    fn new(client: u64, home: usize, transport: Rc<AwcTransport>) -> Self {
        TRANSPORTS.with_borrow_mut(|all| all.push(Entry { client, home, transport }));
        Self(client)
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        // When the thread itself is ending, its transports have gone already.
        let id = self.0;
        let gone = TRANSPORTS.try_with(|all| {
            let mut all = all.borrow_mut();
            let place = all.iter().position(|entry| entry.client == id)?;
            Some(all.swap_remove(place))
        });
        // Only now: closing connections may run code that looks for a transport.
        drop(gone);
    }
}

impl Home {
    /// Sets the home up on this thread: from now on, calls made here run in place.
    ///
    /// The future takes in what others hand over, until the last handle is dropped or the client closes.
    pub(crate) fn open(self, tls: Arc<rustls::ClientConfig>, closing: Closing) -> impl Future<Output = ()> {
        let transport = Rc::new(AwcTransport::new(tls));
        let registered = Registered::new(self.id, self.index, Rc::clone(&transport));
        let mut jobs = self.jobs;
        async move {
            let _registered = registered;
            loop {
                tokio::select! {
                    biased;
                    job = jobs.recv() => match job {
                        Some(job) => start(job, &transport),
                        None => return,
                    },
                    () = closing.begun() => return,
                }
            }
        }
    }
}

fn start(job: Job, transport: &Rc<AwcTransport>) {
    match job {
        Job::Make { core, call, started, reply } => {
            let transport = Rc::clone(transport);
            let run = async move { engine::run(&core, &*transport, *call, started).await };
            actix_rt::spawn(answer(run, reply));
        }
        Job::Adopt { call, reply } => {
            actix_rt::spawn(answer(call.take(), reply));
        }
    }
}

/// Runs a call for somebody who may stop waiting for it, which ends it.
pub(crate) async fn answer(call: impl Future<Output = Outcome>, mut reply: oneshot::Sender<Outcome>) {
    tokio::select! {
        biased;
        () = reply.closed() => {}
        outcome = call => {
            // Nobody is left to be told if this fails.
            let _ = reply.send(outcome);
        }
    }
}
