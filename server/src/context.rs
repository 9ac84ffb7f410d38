//! What the layers know about the request at hand and pass on to what is inside them.
//!
//! It is one value in the request's extensions, so that a request pays for one allocation, whatever is added here.

use std::future::{Ready, ready};
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use futures::future::LocalBoxFuture;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;
use uuid::Uuid;

use crate::error::ApiError;
use crate::journal::{Entry, Journal, Recording};
use crate::session::resolve::Resolved;
use crate::session::{Session, SessionInUse, SessionState};
use crate::upstream::own_paths::Unrouted;

/// The session of the request at hand, as handlers ask for it: its state at the time when the request came.
pub struct CurrentSession(Arc<SessionState>);

/// The right of one request to be processed. Dropping it gives it to the next request that waits.
pub type Slot = OwnedSemaphorePermit;

/// What is known about one request.
pub struct RequestContext {
    correlation_id: Uuid,
    session: SessionInUse,
    state: Arc<SessionState>,
    deadline: Instant,
    held: Option<LocalBoxFuture<'static, ()>>,
    unrouted: Unrouted,
    recording: Option<Recording>,
}

impl RequestContext {
    /// Attaches a context to a request that has come in at `now`.
    pub fn attach(
        request: &impl HttpMessage,
        correlation_id: Uuid,
        Resolved { session, unrouted }: Resolved,
        now: Instant,
    ) {
        let state = session.member.state();
        let deadline = now + state.request_timeout;
        request.extensions_mut().insert(Self {
            correlation_id,
            session,
            state,
            deadline,
            held: None,
            unrouted,
            recording: None,
        });
    }

    /// What becomes of the request if no own route has its path.
    pub fn unrouted(request: &HttpRequest) -> Unrouted {
        request.extensions().get::<Self>().map_or(Unrouted::Unknown, |context| context.unrouted)
    }

    /// The correlation id of the request; nil if it has no context.
    pub fn correlation_id(request: &HttpRequest) -> Uuid {
        request.extensions().get::<Self>().map_or(Uuid::nil(), |context| context.correlation_id)
    }

    /// The state of the request's session; `None` if it has no context.
    pub fn session(request: &HttpRequest) -> Option<Arc<SessionState>> {
        request.extensions().get::<Self>().map(|context| Arc::clone(&context.state))
    }

    /// Looks at the session itself; `None` if the request has no context.
    pub fn with_session<T>(request: &HttpRequest, look: impl FnOnce(&str, &Session) -> T) -> Option<T> {
        let extensions = request.extensions();
        let session = &extensions.get::<Self>()?.session;
        Some(look(&session.id, &session.member))
    }

    /// Completes when the session of the request ends or is reset. The session is in use until this is dropped.
    pub fn session_ended(request: &HttpRequest) -> LocalBoxFuture<'static, ()> {
        let extensions = request.extensions();
        let Some(context) = extensions.get::<Self>() else { return Box::pin(std::future::pending()) };
        let (ended, session) = (context.state.ended.clone(), context.session.clone());
        Box::pin(async move {
            ended.cancelled().await;
            drop(session);
        })
    }

    /// When the request times out; `None` if it has no context.
    pub fn deadline(request: &HttpRequest) -> Option<Instant> {
        request.extensions().get::<Self>().map(|context| context.deadline)
    }

    /// Starts the clock of the request anew: it makes progress.
    pub fn restart_clock(request: &HttpRequest) {
        if let Some(context) = request.extensions_mut().get_mut::<Self>() {
            context.deadline = Instant::now() + context.state.request_timeout;
        }
    }

    /// Gives the request more time than the request timeout of its session.
    pub fn allow_longer(request: &HttpRequest, by: Duration) {
        if let Some(context) = request.extensions_mut().get_mut::<Self>() {
            context.deadline += by;
        }
    }

    /// Begins to record the request, if its session has a journal. `begin` gets the journal, and when the request came.
    /// A request that is dropped before its answer is made leaves the entry of a client that left.
    pub fn record(request: &HttpRequest, begin: impl FnOnce(&Journal, std::time::Instant) -> Recording) {
        let mut extensions = request.extensions_mut();
        let Some(context) = extensions.get_mut::<Self>() else { return };
        if let Some(journal) = &context.state.journal {
            let came = context.deadline - context.state.request_timeout;
            context.recording = Some(begin(journal, came.into_std()));
        }
    }

    /// Takes the recording of the request.
    pub fn take_recording(request: &HttpRequest) -> Option<Recording> {
        request.extensions_mut().get_mut::<Self>().and_then(|context| context.recording.take())
    }

    /// Whether the request is recorded.
    pub fn is_recorded(request: &HttpRequest) -> bool {
        request.extensions().get::<Self>().is_some_and(|context| context.recording.is_some())
    }

    /// Adds what has become known of the request to its entry in the journal, if it is recorded.
    pub fn note(request: &HttpRequest, add: impl FnOnce(&mut Entry)) {
        let mut extensions = request.extensions_mut();
        let recording = extensions.get_mut::<Self>().and_then(|context| context.recording.as_mut());
        if let Some(entry) = recording.and_then(Recording::entry) {
            add(entry);
        }
    }

    /// Holds the answer back until `held` is done.
    pub fn hold(request: &HttpRequest, held: LocalBoxFuture<'static, ()>) {
        if let Some(context) = request.extensions_mut().get_mut::<Self>() {
            context.held = Some(held);
        }
    }

    /// Takes what holds the answer back.
    pub fn take_held(request: &HttpRequest) -> Option<LocalBoxFuture<'static, ()>> {
        request.extensions_mut().get_mut::<Self>().and_then(|context| context.held.take())
    }
}

impl CurrentSession {
    /// The state of the session, to be kept.
    #[must_use]
    pub fn state(&self) -> &Arc<SessionState> {
        &self.0
    }
}

impl Deref for CurrentSession {
    type Target = SessionState;

    fn deref(&self) -> &SessionState {
        &self.0
    }
}

impl FromRequest for CurrentSession {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(RequestContext::session(request).map(Self).ok_or(ApiError::NoSuchSession))
    }
}
