//! What the layers know about the request at hand and pass on to what is inside them.
//!
//! It is one value in the request's extensions, so that a request pays for one allocation, whatever is added here.

use std::future::{Ready, ready};
use std::ops::Deref;
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use uuid::Uuid;

use crate::error::ApiError;
use crate::session::Session;

/// The session of the request at hand, as handlers ask for it.
pub struct CurrentSession(Arc<Session>);

/// The right of one request to be processed. Dropping it gives it to the next request that waits.
pub type Slot = OwnedSemaphorePermit;

/// What is known about one request.
pub struct RequestContext {
    correlation_id: Uuid,
    session: Arc<Session>,
    deadline: Option<Instant>,
    slot: Option<Slot>,
}

impl RequestContext {
    /// Attaches a context to a request that has just come in.
    pub fn attach(request: &impl HttpMessage, correlation_id: Uuid, session: Arc<Session>) {
        request.extensions_mut().insert(Self { correlation_id, session, deadline: None, slot: None });
    }

    /// The correlation id of the request; nil if it has no context.
    pub fn correlation_id(request: &HttpRequest) -> Uuid {
        request.extensions().get::<Self>().map_or(Uuid::nil(), |context| context.correlation_id)
    }

    /// The session of the request; `None` if it has no context.
    pub fn session(request: &HttpRequest) -> Option<Arc<Session>> {
        request.extensions().get::<Self>().map(|context| Arc::clone(&context.session))
    }

    /// When the request times out; `None` before its clock is started.
    pub fn deadline(request: &HttpRequest) -> Option<Instant> {
        request.extensions().get::<Self>().and_then(|context| context.deadline)
    }

    /// Starts the clock of the request at `now`, and returns when it times out; `None` if it has no context.
    pub fn start_clock(request: &HttpRequest, now: Instant) -> Option<Instant> {
        let mut extensions = request.extensions_mut();
        let context = extensions.get_mut::<Self>()?;
        context.deadline = Some(now + context.session.request_timeout);
        context.deadline
    }

    /// The slots of the request's session; `None` if it has no context.
    pub fn slots(request: &HttpRequest) -> Option<Arc<Semaphore>> {
        request.extensions().get::<Self>().map(|context| Arc::clone(&context.session.slots))
    }

    /// Keeps the slot of the request until it is taken.
    pub fn put_slot(request: &HttpRequest, slot: Slot) {
        if let Some(context) = request.extensions_mut().get_mut::<Self>() {
            context.slot = Some(slot);
        }
    }

    /// Takes the slot of the request, either to give it back or to keep it for longer than the request lasts.
    pub fn take_slot(request: &HttpRequest) -> Option<Slot> {
        request.extensions_mut().get_mut::<Self>().and_then(|context| context.slot.take())
    }
}

impl Deref for CurrentSession {
    type Target = Session;

    fn deref(&self) -> &Session {
        &self.0
    }
}

impl FromRequest for CurrentSession {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(RequestContext::session(request).map(Self).ok_or(ApiError::NotFound))
    }
}
