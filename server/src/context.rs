//! What the layers know about the request at hand and pass on to what is inside them.
//!
//! It is one value in the request's extensions, whatever is added here. A layer or a handler looks it up once and keeps
//! it: a look-up costs more than what is done with most of its fields.

use std::cell::{Cell, RefCell};
use std::future::{Ready, ready};
use std::ops::Deref;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use futures::future::LocalBoxFuture;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;
use uuid::Uuid;

use crate::connection::Exchange;
use crate::error::ApiError;
use crate::headers::Interpreted;
use crate::journal::{Entry, Journal, Recording};
use crate::session::resolve::Resolved;
use crate::session::{Session, SessionInUse, SessionState};
use crate::upstream::own_paths::Unrouted;

/// The session of the request at hand, as handlers ask for it: its state at the time when the request came.
pub struct CurrentSession(Rc<RequestContext>);

/// The right of one request to be processed. Dropping it gives it to the next request that waits.
pub type Slot = OwnedSemaphorePermit;

/// What is known about one request.
pub struct RequestContext {
    correlation_id: Uuid,
    exchange: Option<Rc<Exchange>>,
    session: SessionInUse,
    state: Arc<SessionState>,
    deadline: Cell<Instant>,
    held: Cell<Option<LocalBoxFuture<'static, ()>>>,
    unrouted: Unrouted,
    recording: RefCell<Option<Recording>>,
}

impl RequestContext {
    /// Attaches a context to a request that has come in at `now`, on the connection of `exchange`.
    pub fn attach(
        request: &impl HttpMessage,
        exchange: Option<&Rc<Exchange>>,
        correlation_id: Uuid,
        Resolved { session, unrouted }: Resolved,
        now: Instant,
    ) {
        let state = session.member.state();
        let deadline = Cell::new(now + state.request_timeout);
        request.extensions_mut().insert(Rc::new(Self {
            correlation_id,
            exchange: exchange.cloned(),
            session,
            state,
            deadline,
            held: Cell::new(None),
            unrouted,
            recording: RefCell::new(None),
        }));
    }

    /// The context of a request; `None` for one that has no session.
    pub fn of(request: &HttpRequest) -> Option<Rc<Self>> {
        request.extensions().get::<Rc<Self>>().cloned()
    }

    fn look<T>(request: &HttpRequest, look: impl FnOnce(&Self) -> T) -> Option<T> {
        request.extensions().get::<Rc<Self>>().map(|context| look(context))
    }

    /// What becomes of the request if no own route has its path.
    pub fn unrouted(request: &HttpRequest) -> Unrouted {
        Self::look(request, |context| context.unrouted).unwrap_or(Unrouted::Unknown)
    }

    /// The correlation id of the request; nil if it has no context.
    pub fn correlation_id(request: &HttpRequest) -> Uuid {
        Self::look(request, |context| context.correlation_id).unwrap_or(Uuid::nil())
    }

    /// Looks at the session of a request itself; `None` if the request has no context.
    pub fn with_session<T>(request: &HttpRequest, look: impl FnOnce(&str, &Session) -> T) -> Option<T> {
        let context = Self::of(request)?;
        Some(look(&context.session.id, &context.session.member))
    }

    /// Completes when the session of the request ends or is reset. The session is in use until this is dropped.
    pub fn session_ended(request: &HttpRequest) -> LocalBoxFuture<'static, ()> {
        let Some(context) = Self::of(request) else { return Box::pin(std::future::pending()) };
        let (ended, session) = (context.state.ended.clone(), context.session.clone());
        Box::pin(async move {
            ended.cancelled().await;
            drop(session);
        })
    }

    /// Starts the clock of a request anew: it makes progress.
    pub fn restart_clock(request: &HttpRequest) {
        Self::look(request, |context| {
            context.deadline.set(Instant::now() + context.state.request_timeout);
        });
    }

    /// Gives a request more time than the request timeout of its session.
    pub fn allow_longer(request: &HttpRequest, by: Duration) {
        Self::look(request, |context| context.deadline.set(context.deadline.get() + by));
    }

    /// The connection of the request; `None` in a test without connections.
    #[must_use]
    pub fn exchange(&self) -> Option<&Exchange> {
        self.exchange.as_deref()
    }

    /// Whether the request has headers of ours.
    #[must_use]
    pub fn interpreted(&self) -> Interpreted {
        self.exchange().map_or(Interpreted::Perhaps, Exchange::interpreted)
    }

    /// The state of the request's session.
    #[must_use]
    pub fn session(&self) -> &Arc<SessionState> {
        &self.state
    }

    /// When the request times out.
    #[must_use]
    pub fn deadline(&self) -> Instant {
        self.deadline.get()
    }

    /// Counts the request among those to the data plane of its session.
    pub fn count(&self) {
        self.session.member.count_request();
    }

    /// Begins to record the request, if its session has a journal. `begin` gets the journal, and when the request came.
    /// A request that is dropped before its answer is made leaves the entry of a client that left.
    pub fn record(&self, begin: impl FnOnce(&Journal, std::time::Instant) -> Recording) {
        if let Some(journal) = &self.state.journal {
            let came = self.deadline.get() - self.state.request_timeout;
            self.recording.replace(Some(begin(journal, came.into_std())));
        }
    }

    /// Takes the recording of the request.
    pub fn take_recording(&self) -> Option<Recording> {
        self.recording.take()
    }

    /// Whether the request is recorded.
    #[must_use]
    pub fn is_recorded(&self) -> bool {
        self.recording.borrow().is_some()
    }

    /// Adds what has become known of the request to its entry in the journal, if it is recorded.
    pub fn note(&self, add: impl FnOnce(&mut Entry)) {
        if let Some(entry) = self.recording.borrow_mut().as_mut().and_then(Recording::entry) {
            add(entry);
        }
    }

    /// Holds the answer back until `held` is done.
    pub fn hold(&self, held: LocalBoxFuture<'static, ()>) {
        self.held.set(Some(held));
    }

    /// Takes what holds the answer back.
    pub fn take_held(&self) -> Option<LocalBoxFuture<'static, ()>> {
        self.held.take()
    }
}

impl CurrentSession {
    /// The state of the session, to be kept.
    #[must_use]
    pub fn state(&self) -> &Arc<SessionState> {
        &self.0.state
    }

    /// What is known about the request at hand.
    #[must_use]
    pub fn context(&self) -> &RequestContext {
        &self.0
    }
}

impl Deref for CurrentSession {
    type Target = SessionState;

    fn deref(&self) -> &SessionState {
        &self.0.state
    }
}

impl FromRequest for CurrentSession {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(RequestContext::of(request).map(Self).ok_or(ApiError::NoSuchSession))
    }
}
