//! The one place that sees every request begin and end, and tells it to its listeners.
//!
//! A listener takes what it needs when the request begins, and gets it back with the [`Outcome`] when the request
//! ends, however it ends. Two listeners are one: `Observe((first, second))`. While no listener is interested, a
//! request costs one question to each.

pub mod recorder;
mod request_log;

use actix_web::HttpRequest;
use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};

use crate::error::ApiError;
use crate::middleware::layer::{Answered, Layer};
use crate::middleware::spent;

pub use recorder::{Journals, Recorder};
pub use request_log::RequestLog;

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// An answer with this status was made.
    Answered(u16),
    /// The client left before there was an answer.
    ClientLeft,
    /// The request timed out and was answered with this status.
    TimedOut(u16),
}

/// Something that wants to know of requests.
pub trait Listener: 'static {
    /// What the listener keeps of a request until it ends.
    type Begun;

    /// Whether the listener wants to know of the request that begins now.
    fn is_interested(&self) -> bool;

    /// A request begins. Its answer is not known yet.
    fn begun(&self, request: &HttpRequest) -> Self::Begun;

    /// The request has ended.
    fn ended(&self, begun: Self::Begun, end: &End<'_>);
}

/// The end of a request.
pub struct End<'a> {
    /// How it ended.
    pub outcome: Outcome,
    /// Its answer, if one was made.
    pub answer: Option<&'a ServiceResponse<BoxBody>>,
}

/// The layer that tells a listener of every request.
pub struct Observe<L>(pub L);

impl<L: Listener> Layer for Observe<L> {
    async fn call(
        &self,
        request: ServiceRequest,
        inner: impl AsyncFnOnce(ServiceRequest) -> Answered,
    ) -> Answered {
        if !self.0.is_interested() {
            return spent::pass_on(request, inner).await;
        }
        let begun = Some(self.0.begun(request.request()));
        let mut watch = Watch { listener: &self.0, begun };
        let result = spent::pass_on(request, inner).await;
        watch.end(&match &result {
            Ok(answer) => End { outcome: outcome_of(answer), answer: Some(answer) },
            Err(error) => {
                let status = error.as_response_error().status_code().as_u16();
                End { outcome: Outcome::Answered(status), answer: None }
            }
        });
        result
    }
}

fn outcome_of<B>(response: &ServiceResponse<B>) -> Outcome {
    let status = response.status().as_u16();
    let error = response.response().error().and_then(|error| error.as_error::<ApiError>());
    match error {
        Some(ApiError::Timeout) => Outcome::TimedOut(status),
        _ => Outcome::Answered(status),
    }
}

/// A request that has begun. Dropping it before its end means that the client has left.
struct Watch<'a, L: Listener> {
    listener: &'a L,
    begun: Option<L::Begun>,
}

impl<L: Listener> Watch<'_, L> {
    fn end(&mut self, end: &End<'_>) {
        if let Some(begun) = self.begun.take() {
            self.listener.ended(begun, end);
        }
    }
}

impl<L: Listener> Drop for Watch<'_, L> {
    fn drop(&mut self) {
        self.end(&End { outcome: Outcome::ClientLeft, answer: None });
    }
}

impl<A: Listener, B: Listener> Listener for (A, B) {
    type Begun = (Option<A::Begun>, Option<B::Begun>);

    fn is_interested(&self) -> bool {
        self.0.is_interested() || self.1.is_interested()
    }

    fn begun(&self, request: &HttpRequest) -> Self::Begun {
        let (first, second) = self;
        (
            first.is_interested().then(|| first.begun(request)),
            second.is_interested().then(|| second.begun(request)),
        )
    }

    fn ended(&self, begun: Self::Begun, end: &End<'_>) {
        if let Some(begun) = begun.0 {
            self.0.ended(begun, end);
        }
        if let Some(begun) = begun.1 {
            self.1.ended(begun, end);
        }
    }
}
