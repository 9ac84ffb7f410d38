//! Makes exchanges as the script of a user's test says: no connection, no thread, no awc.
//!
//! * `step`: what the server of a test does with a request. `request`: what was sent.
//! * `play`: a step as the client sees it, within the limits of the exchange.
//!
//! It takes the place of everything below an exchange: connections, TLS, proxies, HTTP's framing, content codings.

mod play;
mod request;
mod step;

use std::{
    collections::VecDeque,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use tokio::time::{Instant, sleep};

pub use self::{
    request::SentRequest,
    step::{Fault, Reply, Step},
};
use super::{Limits, Request, Transport};
use crate::redact;

/// Decides the next step from the request.
type Respond = dyn FnMut(&SentRequest) -> Step + Send;

/// Where the steps come from.
pub(crate) enum Source {
    /// Steps in order. Once they are used up, `rest` is the step of every further request.
    Listed { steps: VecDeque<Step>, rest: Option<Step> },
    /// A function of the request.
    Computed(Box<Respond>),
}

/// A script in use, shared by the test and the transports of its clients.
pub(crate) struct Shared {
    source: Mutex<Source>,
    requests: Mutex<Vec<SentRequest>>,
    unexpected: Mutex<Option<String>>,
    in_flight: AtomicUsize,
    started: OnceLock<Instant>,
}

impl Shared {
    pub(crate) fn new(source: Source) -> Self {
        Self {
            source: Mutex::new(source),
            requests: Mutex::default(),
            unexpected: Mutex::default(),
            in_flight: AtomicUsize::new(0),
            started: OnceLock::new(),
        }
    }

    /// Starts the script's clock, if it does not run yet.
    pub(crate) fn start(&self) {
        self.started.get_or_init(Instant::now);
    }

    /// Changes where the steps come from.
    pub(crate) fn change(&self, change: impl FnOnce(&mut Source)) {
        change(&mut lock(&self.source));
    }

    /// The requests so far, in the order in which they were sent.
    pub(crate) fn requests(&self) -> Vec<SentRequest> {
        lock(&self.requests).clone()
    }

    /// The requests that have neither been answered nor dropped.
    pub(crate) fn in_flight(&self) -> usize {
        self.in_flight.load(Relaxed)
    }

    /// The steps that no request has taken yet.
    pub(crate) fn left(&self) -> usize {
        match &*lock(&self.source) {
            Source::Listed { steps, .. } => steps.len(),
            Source::Computed(_) => 0,
        }
    }

    /// What the first request was for which the script had no step.
    pub(crate) fn unexpected(&self) -> Option<String> {
        lock(&self.unexpected).clone()
    }

    /// Records a request, and takes the next step.
    fn take(&self, request: &Request) -> Step {
        let started = *self.started.get_or_init(Instant::now);
        let sent = SentRequest::new(request, started.elapsed());
        let number = {
            let mut requests = lock(&self.requests);
            requests.push(sent.clone());
            requests.len()
        };
        let step = match &mut *lock(&self.source) {
            Source::Listed { steps, rest } => steps.pop_front().or_else(|| rest.clone()),
            Source::Computed(respond) => Some(respond(&sent)),
        };
        step.unwrap_or_else(|| {
            let message = format!(
                "the script has no step for request {number}: {} {} at {:?}",
                sent.method(),
                redact::url(sent.url()),
                sent.at()
            );
            lock(&self.unexpected).get_or_insert_with(|| message.clone());
            panic!("{message}");
        })
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Script")
            .field("requests", &self.requests())
            .field("in_flight", &self.in_flight())
            .field("left", &self.left())
            .finish_non_exhaustive()
    }
}

/// A panic of a test's own function must not hide what the script knows.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A transport that follows a script.
#[derive(Clone, Debug)]
pub(crate) struct ScriptedTransport(Arc<Shared>);

impl ScriptedTransport {
    pub(crate) fn new(script: Arc<Shared>) -> Self {
        Self(script)
    }
}

impl Transport for ScriptedTransport {
    async fn exchange(&self, request: &Request, limits: Limits) -> Result<super::Reply, super::Fault> {
        let step = self.0.take(request);
        let _counted = Counted::new(&self.0.in_flight);
        let (takes, result) = play::play(step, request.method, limits);
        if !takes.is_zero() {
            sleep(takes).await;
        }
        result
    }
}

/// Counts an exchange until it is dropped.
struct Counted<'a>(&'a AtomicUsize);

impl<'a> Counted<'a> {
    fn new(counter: &'a AtomicUsize) -> Self {
        counter.fetch_add(1, Relaxed);
        Self(counter)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}
