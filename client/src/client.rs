//! The handle of a client: what applications hold.

use std::{fmt, sync::Arc};

use actix::{Addr, Recipient};
pub use resilience_actors::supervisor::BreakerState;
use tokio::time::Instant;

use crate::{
    actor::ClientActor,
    call::{Call, Parts},
    dispatch::{WorkerPool, timer::bounded},
    engine::{self, unanswered},
    error::Error,
    method::Method,
    observe::Observer,
    origin::Origin,
    response::Response,
    state::ClientState,
    stats::Stats,
};

/// A resilient HTTP client: retries, circuit breaker, bulkhead, idempotency and deadlines over awc.
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
pub struct ResilientClient(pub(crate) Arc<Inner>);

/// What all handles share. Dropping the last one closes the client.
pub(crate) struct Inner {
    pub(crate) state: Arc<ClientState>,
    pub(crate) workers: WorkerPool,
    pub(crate) actor: Addr<ClientActor>,
}

impl ResilientClient {
    /// Makes a GET request (RFC 9110, 9.3.1). `url` is a path that is appended to the base URL, or an absolute URL.
    pub fn get(&self, url: impl Into<String>) -> Call<Self> {
        self.call(Method::Get, url)
    }

    /// Makes a POST request (RFC 9110, 9.3.3).
    pub fn post(&self, url: impl Into<String>) -> Call<Self> {
        self.call(Method::Post, url)
    }

    /// Makes a PUT request (RFC 9110, 9.3.4).
    pub fn put(&self, url: impl Into<String>) -> Call<Self> {
        self.call(Method::Put, url)
    }

    /// Makes a PATCH request (RFC 5789).
    pub fn patch(&self, url: impl Into<String>) -> Call<Self> {
        self.call(Method::Patch, url)
    }

    /// Makes a DELETE request (RFC 9110, 9.3.5).
    pub fn delete(&self, url: impl Into<String>) -> Call<Self> {
        self.call(Method::Delete, url)
    }

    /// Makes a HEAD request (RFC 9110, 9.3.2).
    pub fn head(&self, url: impl Into<String>) -> Call<Self> {
        self.call(Method::Head, url)
    }

    /// Makes an OPTIONS request (RFC 9110, 9.3.7).
    pub fn options(&self, url: impl Into<String>) -> Call<Self> {
        self.call(Method::Options, url)
    }

    /// Makes a request of any method. It is sent by [`Call::send`].
    pub fn call(&self, method: Method, url: impl Into<String>) -> Call<Self> {
        Call::to(self.clone(), method, url)
    }

    /// Sends a call that was made without a client.
    ///
    /// # Errors
    ///
    /// Any [`ErrorKind`](crate::ErrorKind).
    pub fn send(&self, call: Call) -> impl Future<Output = Result<Response, Error>> + Send + 'static {
        self.clone().make(call.parts)
    }

    /// The address of the client as an actor, to which any actor can send a [`Call`].
    ///
    /// An address does not keep the client open: once the client is closed, sending to it fails.
    pub fn addr(&self) -> Addr<ClientActor> {
        self.0.actor.clone()
    }

    /// [`addr`](Self::addr) as a recipient of [`Call`] messages.
    pub fn recipient(&self) -> Recipient<Call> {
        self.addr().recipient()
    }

    /// The current state of the circuit breaker. Where each origin has its own, this is the worst of their states.
    pub fn state(&self) -> BreakerState {
        self.0.state.supervisor.state()
    }

    /// The current state of the circuit breaker for one URL: of the breaker of its origin, or of the client's only one.
    ///
    /// `url` is a path that is appended to the base URL, or an absolute URL. The breaker of an origin that has not been
    /// called is closed.
    ///
    /// ```no_run
    /// use resilient_client::{BreakerScope, BreakerState, ClientConfig, ResilientClient};
    ///
    /// # fn example() -> Result<(), resilient_client::Error> {
    /// let mut config = ClientConfig::default();
    /// config.circuit_breaker.scope = BreakerScope::Origin;
    /// let client = ResilientClient::start(config)?;
    /// assert_eq!(client.state_of("https://payments.example/v1")?, BreakerState::Closed);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`InvalidUrl`](crate::ErrorKind::InvalidUrl) when no call could be made to it.
    pub fn state_of(&self, url: &str) -> Result<BreakerState, Error> {
        let uri = self.0.state.defaults.resolve(url, "")?;
        Ok(self.0.state.supervisor.state_of(|| Origin(&uri).name()))
    }

    /// Opens the circuit breaker, for all origins, until [`force_closed`](Self::force_closed) or
    /// [`reset`](Self::reset).
    ///
    /// # Errors
    ///
    /// [`Closed`](crate::ErrorKind::Closed) when the client has ended.
    pub async fn force_open(&self) -> Result<(), Error> {
        self.0.state.supervisor.force_open().await.map_err(unanswered)
    }

    /// Closes the circuit breaker, or all of them, and resets the counts of failures.
    ///
    /// # Errors
    ///
    /// [`Closed`](crate::ErrorKind::Closed) when the client has ended.
    pub async fn force_closed(&self) -> Result<(), Error> {
        self.0.state.supervisor.force_closed().await.map_err(unanswered)
    }

    /// Closes the circuit breaker, or all of them, and resets the retry budget, as after the start.
    ///
    /// # Errors
    ///
    /// [`Closed`](crate::ErrorKind::Closed) when the client has ended.
    pub async fn reset(&self) -> Result<(), Error> {
        self.0.state.supervisor.reset().await.map_err(unanswered)
    }

    /// Adds an observer, which sees everything that happens in the client from now on.
    ///
    /// # Errors
    ///
    /// [`Config`](crate::ErrorKind::Config) when the client has 8 observers already.
    pub fn observe(&self, observer: Arc<dyn Observer>) -> Result<(), Error> {
        self.0.state.observers.add(observer)
    }

    /// The counters and gauges of the client.
    pub fn stats(&self) -> Stats {
        Stats::of(&self.0.state)
    }

    /// The calls in flight, including those that wait for a slot or between attempts.
    pub fn in_flight(&self) -> usize {
        self.0.state.lifetime.in_flight()
    }

    /// The free slots of the bulkhead.
    pub fn available_slots(&self) -> u32 {
        self.0.state.bulkhead.available()
    }

    /// Forgets all cookies, if the client keeps any.
    pub fn clear_cookies(&self) {
        if let Some(cookies) = &self.0.state.cookies {
            cookies.clear();
        }
    }

    /// Closes the client for all its handles: calls in flight and later ones end with
    /// [`Closed`](crate::ErrorKind::Closed).
    ///
    /// It returns when the last call in flight has ended, or after `timeout.pool` when a blocked thread does not let
    /// its calls end.
    pub async fn close(&self) {
        let state = &self.0.state;
        state.close();
        let longest = Instant::now() + state.defaults.timeout.pool;
        // Later than that, a call is on a thread that is blocked; it ends when the thread goes on.
        let _ = bounded(state.lifetime.ended(), longest).await;
    }

    /// Whether the client is closed.
    pub fn is_closed(&self) -> bool {
        self.0.state.lifetime.is_closed()
    }

    /// Stops the client's actor, and makes a handler of its supervisor panic; both start again. For tests.
    #[cfg(feature = "panic-injection")]
    #[doc(hidden)]
    pub async fn crash(&self) {
        self.0.actor.do_send(crate::actor::Crash);
        // Only the message that panics is lost.
        let _ = self.0.state.supervisor.panic_in_handler().await;
    }

    pub(crate) fn make(self, parts: Parts) -> impl Future<Output = Result<Response, Error>> + Send + 'static {
        self.0.make(parts)
    }
}

impl Call<ResilientClient> {
    /// Sends the call. Dropping the future before it is done ends the call and frees everything that it holds.
    ///
    /// # Errors
    ///
    /// Any [`ErrorKind`](crate::ErrorKind).
    pub fn send(self) -> impl Future<Output = Result<Response, Error>> + Send + 'static {
        self.to.make(self.parts)
    }
}

impl Inner {
    pub(crate) async fn make(self: Arc<Self>, parts: Parts) -> Result<Response, Error> {
        let call = engine::admit(&self.state, parts)?;
        self.workers.run(Arc::clone(&self.state), call).await
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // Every call in flight holds a handle, so no call is in flight any more.
        self.state.close();
    }
}

impl fmt::Debug for ResilientClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResilientClient")
            .field("base_url", &self.0.state.defaults.base_url)
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
