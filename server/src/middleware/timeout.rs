//! Bounds the whole of a request, its body and its wait for a slot included, and answers 408 when the time is up.
//!
//! The work is dropped then, which gives back everything that it holds, and the connection stays usable.

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::{HttpMessage, HttpRequest};
use futures::future::LocalBoxFuture;
use std::future::pending;
use std::pin::pin;
use std::task::Poll;
use tokio::time::error::Elapsed;
use tokio::time::timeout_at;

use super::envelope::catching_panics;
use super::layer::{Answered, Layer};
use crate::body;
use crate::connection::{Delivery, End, Exchange};
use crate::context::RequestContext;
use crate::error::ApiError;
use crate::journal::Execution;
use crate::logging::REQUEST;
use crate::observe::recorder;

/// Applies the request timeout of the request's session.
pub struct Timeout(pub Bounded);

/// What a request is bounded with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bounded {
    /// Its body, which is read and ignored first, and its work.
    BodyAndWork,
    /// Its work, which reads the body itself.
    Work,
    /// As `Work`; the work ends with its session, as does the connection, and its answer may be held back.
    WorkInSession,
}

impl Layer for Timeout {
    async fn call(
        &self,
        mut request: ServiceRequest,
        inner: impl AsyncFnOnce(ServiceRequest) -> Answered,
    ) -> Answered {
        let http_request = request.request().clone();
        let context = RequestContext::of(&http_request).ok_or(ApiError::NoSuchSession)?;
        if self.0 == Bounded::WorkInSession {
            recorder::begin(&context, &http_request);
        }
        let work = async {
            // What follows CONNECT is not a body, and the connection ends after the answer.
            if self.0 == Bounded::BodyAndWork && request.method() != Method::CONNECT {
                if body::is_too_large(request.headers(), body::IGNORED) {
                    return Err(ApiError::BodyTooLarge.into());
                }
                body::ignore(&mut request.take_payload(), body::IGNORED).await?;
            }
            catching_panics(inner(request)).await
        };
        let mut work = pin!(work);
        // Work that has nothing to wait for needs no clock, and does not carry the size of a wait about.
        let finished = match futures::poll!(work.as_mut()) {
            Poll::Ready(finished) => Some(Ok(finished)),
            Poll::Pending => Box::pin(self.wait(&context, work)).await,
        };
        match finished {
            Some(Ok(Ok(response))) => match self.held(&context) {
                None => Ok(response),
                Some(held) => Box::pin(answer_behind(held, response)).await,
            },
            Some(Ok(Err(error))) => Ok(ServiceResponse::from_err(error, http_request)),
            Some(Err(_elapsed)) => {
                Ok(ServiceResponse::from_err(timed_out(&context, &http_request), http_request))
            }
            None => Ok(ServiceResponse::from_err(session_ended(&http_request), http_request)),
        }
    }
}

/// Answers when what holds the answer back is done. A hang is not cut by the request timeout.
async fn answer_behind(held: LocalBoxFuture<'static, ()>, response: ServiceResponse<BoxBody>) -> Answered {
    held.await;
    Ok(response)
}

fn timed_out(context: &RequestContext, request: &HttpRequest) -> ApiError {
    log(context, request);
    context.note(|entry| entry.execution = Execution::None);
    ApiError::Timeout
}

fn session_ended(request: &HttpRequest) -> ApiError {
    if let Some(exchange) = Exchange::of(request) {
        exchange.deliver(request, Delivery::Instead(End::Close), Box::pin(pending()));
    }
    ApiError::NoSuchSession
}

impl Timeout {
    /// What holds the answer back.
    fn held(&self, context: &RequestContext) -> Option<LocalBoxFuture<'static, ()>> {
        (self.0 == Bounded::WorkInSession).then(|| context.take_held()).flatten()
    }

    /// Waits for `work`: until the deadline, and for a request to the data plane until its session ends (`None`).
    async fn wait<T>(
        &self,
        context: &RequestContext,
        work: impl Future<Output = T>,
    ) -> Option<Result<T, Elapsed>> {
        let bounded = in_time(context, work);
        match self.0 {
            Bounded::WorkInSession => until_session_ends(context, bounded).await,
            Bounded::BodyAndWork | Bounded::Work => Some(bounded.await),
        }
    }
}

/// Runs `work` until the deadline of the request, which the work itself may postpone.
async fn in_time<T>(context: &RequestContext, work: impl Future<Output = T>) -> Result<T, Elapsed> {
    let mut work = pin!(work);
    loop {
        let deadline = context.deadline();
        match timeout_at(deadline, &mut work).await {
            Err(_) if context.deadline() > deadline => {}
            finished => return finished,
        }
    }
}

/// Runs `work` until the session of the request ends or is reset; `None` if that comes first.
async fn until_session_ends<T>(context: &RequestContext, work: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        finished = work => Some(finished),
        () = context.session().ended.cancelled() => None,
    }
}

fn log(context: &RequestContext, request: &HttpRequest) {
    let timeout = context.session().request_timeout;
    log::warn!(
        target: REQUEST,
        method:% = request.method(), path = request.path(),
        correlation_id:% = RequestContext::correlation_id(request), timeout_seconds = timeout.as_secs();
        "Request timeout"
    );
}
