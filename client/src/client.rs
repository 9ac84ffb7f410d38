//! The handle that people hold.

use std::{fmt, sync::Arc};

use actix::{Addr, Recipient};
pub use resilience_actors::supervisor::BreakerState;
use tokio::time::Instant;

use crate::{
    actor::ClientActor,
    call::{Call, Parts},
    config::ClientConfig,
    core::{Began, Core},
    engine::{self, unanswered},
    error::Error,
    home::Homes,
    method::Method,
    response::Response,
    start::{self, Place},
};

/// An HTTP client that copes: it retries, waits, refuses and gives up as it was configured to.
///
/// A handle is cheap to clone and may be used from any number of tasks, arbiters and threads at once. The client
/// ends when it is [closed](Self::close) or its last handle is dropped.
///
/// ```no_run
/// use resilient_client::{ClientConfig, ResilientClient};
///
/// # async fn example() -> Result<(), resilient_client::Error> {
/// let client = ResilientClient::start(ClientConfig::new("http://localhost:8000"))?;
/// let reply = client.get("/msg").query(&[("delay", "100")]).send().await?;
/// println!("{} after {} attempts", reply.status(), reply.attempts().len());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct ResilientClient(Arc<Inner>);

/// What all handles share.
pub(crate) struct Inner {
    pub(crate) core: Arc<Core>,
    pub(crate) homes: Homes,
    pub(crate) actor: Addr<ClientActor>,
}

/// What has happened since a client started, and what is happening.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stats {
    /// Calls that were let in: all but those refused because they were malformed or the breaker was open.
    pub calls: u64,
    /// Retries that were granted.
    pub retries: u64,
    /// Times the breaker opened.
    pub opened: u64,
    /// Times it became half-open.
    pub half_opened: u64,
    /// Times it closed again.
    pub closed: u64,
    /// Calls under way, waiting ones included.
    pub in_flight: usize,
    /// Slots of the bulkhead that are free.
    pub available_slots: u32,
    /// Slots of the bulkhead in all.
    pub slots: u32,
}

impl ResilientClient {
    /// Starts a client: inside an actix system on the current arbiter, elsewhere on a thread of its own.
    ///
    /// Calls made on the arbiter that a client lives on cost the least: they change no thread.
    ///
    /// # Errors
    ///
    /// [`Config`](crate::ErrorKind::Config) when a setting is out of range; [`Closed`](crate::ErrorKind::Closed)
    /// when no thread could be started.
    #[allow(clippy::needless_pass_by_value, reason = "a configuration is written where it is used")]
    pub fn start(config: ClientConfig) -> Result<Self, Error> {
        start::start(&config, Place::default()).map(Self)
    }

    /// Starts a client on so many arbiters of its own, 1 to 1 024, over which its calls are spread.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start).
    #[allow(clippy::needless_pass_by_value, reason = "a configuration is written where it is used")]
    pub fn start_on(arbiters: usize, config: ClientConfig) -> Result<Self, Error> {
        start::start(&config, Place::Own(arbiters)).map(Self)
    }

    /// A GET. `url` is a path that is appended to the base URL, or an absolute URL.
    pub fn get(&self, url: impl Into<String>) -> Call<Self> {
        self.call(Method::Get, url)
    }

    /// A POST.
    pub fn post(&self, url: impl Into<String>) -> Call<Self> {
        self.call(Method::Post, url)
    }

    /// A PUT.
    pub fn put(&self, url: impl Into<String>) -> Call<Self> {
        self.call(Method::Put, url)
    }

    /// A PATCH.
    pub fn patch(&self, url: impl Into<String>) -> Call<Self> {
        self.call(Method::Patch, url)
    }

    /// A DELETE.
    pub fn delete(&self, url: impl Into<String>) -> Call<Self> {
        self.call(Method::Delete, url)
    }

    /// A HEAD.
    pub fn head(&self, url: impl Into<String>) -> Call<Self> {
        self.call(Method::Head, url)
    }

    /// An OPTIONS.
    pub fn options(&self, url: impl Into<String>) -> Call<Self> {
        self.call(Method::Options, url)
    }

    /// A call by any method.
    pub fn call(&self, method: Method, url: impl Into<String>) -> Call<Self> {
        Call::to(self.clone(), method, url)
    }

    /// Makes a call that was put together without a client.
    ///
    /// # Errors
    ///
    /// Everything in [`ErrorKind`](crate::ErrorKind).
    pub fn send(&self, call: Call) -> impl Future<Output = Result<Response, Error>> + Send + 'static {
        self.clone().make(call.parts)
    }

    /// The address of the client as an actor, to which any actor sends a [`Call`].
    ///
    /// It does not keep the client open: once the client has closed, sending to it fails.
    pub fn addr(&self) -> Addr<ClientActor> {
        self.0.actor.clone()
    }

    /// [`addr`](Self::addr), for those who care for the message alone.
    pub fn recipient(&self) -> Recipient<Call> {
        self.addr().recipient()
    }

    /// The state of the circuit breaker now.
    pub fn state(&self) -> BreakerState {
        self.0.core.supervisor.state()
    }

    /// Opens the circuit breaker until [`force_closed`](Self::force_closed) or [`reset`](Self::reset).
    ///
    /// # Errors
    ///
    /// [`Closed`](crate::ErrorKind::Closed) when the client has ended.
    pub async fn force_open(&self) -> Result<(), Error> {
        self.0.core.supervisor.force_open().await.map_err(unanswered)
    }

    /// Closes the circuit breaker, with no failures counted.
    ///
    /// # Errors
    ///
    /// [`Closed`](crate::ErrorKind::Closed) when the client has ended.
    pub async fn force_closed(&self) -> Result<(), Error> {
        self.0.core.supervisor.force_closed().await.map_err(unanswered)
    }

    /// Closes the circuit breaker and fills the retry budget, as after the start.
    ///
    /// # Errors
    ///
    /// [`Closed`](crate::ErrorKind::Closed) when the client has ended.
    pub async fn reset(&self) -> Result<(), Error> {
        self.0.core.supervisor.reset().await.map_err(unanswered)
    }

    /// Counters and gauges.
    pub fn stats(&self) -> Stats {
        let Core { supervisor, bulkhead, in_flight, .. } = &*self.0.core;
        let stats = supervisor.stats();
        Stats {
            calls: stats.calls,
            retries: stats.retries,
            opened: stats.opened,
            half_opened: stats.half_opened,
            closed: stats.closed,
            in_flight: in_flight.count(),
            available_slots: bulkhead.available(),
            slots: bulkhead.size(),
        }
    }

    /// Calls under way, those included that wait for a slot or between attempts.
    pub fn in_flight(&self) -> usize {
        self.0.core.in_flight.count()
    }

    /// Slots of the bulkhead that are free.
    pub fn available_slots(&self) -> u32 {
        self.0.core.bulkhead.available()
    }

    /// Closes the client for all its handles: calls under way end with [`Closed`](crate::ErrorKind::Closed), as do
    /// later ones. Done when the last call has ended.
    pub async fn close(&self) {
        let core = &self.0.core;
        if core.closing.begin() == Began::Now {
            core.journal.closed();
        }
        core.in_flight.none().await;
    }

    /// Whether the client has been closed.
    pub fn is_closed(&self) -> bool {
        self.0.core.closing.has_begun()
    }

    /// Stops the client's actor, and makes a handler of its supervisor panic; both start again. For tests.
    #[cfg(feature = "panic-injection")]
    #[doc(hidden)]
    pub async fn crash(&self) {
        self.0.actor.do_send(crate::actor::Crash);
        // Only the message that panics is lost.
        let _ = self.0.core.supervisor.panic_in_handler().await;
    }

    pub(crate) fn make(self, parts: Parts) -> impl Future<Output = Result<Response, Error>> + Send + 'static {
        self.0.make(parts)
    }
}

impl Inner {
    pub(crate) async fn make(self: Arc<Self>, parts: Parts) -> Result<Response, Error> {
        let started = Instant::now();
        let call = Box::new(engine::let_in(&self.core, parts)?);
        self.homes.make(Arc::clone(&self.core), call, started).await
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // Calls hold the core; the last handle has gone, so that there are none.
        if self.core.closing.begin() == Began::Now {
            self.core.journal.closed();
        }
    }
}

impl fmt::Debug for ResilientClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResilientClient")
            .field("base_url", &self.0.core.base_url)
            .field("state", &self.state())
            .field("in_flight", &self.in_flight())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Inner")
    }
}
