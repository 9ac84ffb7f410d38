//! The body of a forwarded answer, streamed to the client as fast as it reads.

use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use actix_web::HttpRequest;
use actix_web::body::{BodySize, MessageBody};
use actix_web::web::Bytes;
use awc::ClientResponse;
use futures::Stream;
use futures::future::LocalBoxFuture;
use log::warn;

use super::exchange::Exchange;
use super::failure::Failure;
use super::reply_head::Framing;
use crate::connection::{self, Streaming};
use crate::context::{RequestContext, Slot};
use crate::logging::UPSTREAM;

/// A body that holds the slot of its request, and its session, until its last byte has been passed on.
pub(super) struct AnswerBody {
    framing: Framing,
    flow: Option<Flow>,
    /// Why the rest of the body is missing.
    cut: Option<Failure>,
}

/// What a body holds while it flows.
struct Flow {
    response: ClientResponse,
    exchange: Rc<Exchange>,
    session_ended: LocalBoxFuture<'static, ()>,
    request: HttpRequest,
    _slot: Option<Slot>,
    _streaming: Option<Streaming>,
}

impl AnswerBody {
    /// The body of the answer to `request`.
    pub(super) fn new(
        framing: Framing,
        response: ClientResponse,
        exchange: Rc<Exchange>,
        request: &HttpRequest,
        slot: Option<Slot>,
    ) -> Self {
        let flow = Flow {
            response,
            exchange,
            session_ended: RequestContext::session_ended(request),
            request: request.clone(),
            _slot: slot,
            _streaming: connection::Exchange::of(request).map(connection::Exchange::stream),
        };
        Self { framing, flow: Some(flow), cut: None }
    }
}

impl Flow {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Failure>>> {
        if self.session_ended.as_mut().poll(context).is_ready() {
            return Poll::Ready(Some(Err(Failure::SessionEnded)));
        }
        let next = Pin::new(&mut self.response).poll_next(context);
        next.map(|next| {
            next.map(|next| next.map_err(|_| self.exchange.failure.get().unwrap_or(Failure::Truncated)))
        })
    }
}

impl MessageBody for AnswerBody {
    type Error = Failure;

    fn size(&self) -> BodySize {
        match self.framing {
            Framing::Absent(Some(length)) | Framing::Length(length) => BodySize::Sized(length),
            Framing::Absent(None) => BodySize::None,
            Framing::Chunked | Framing::UntilEnd => BodySize::Stream,
        }
    }

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Failure>>> {
        let this = self.get_mut();
        if let Some(failure) = this.cut.take() {
            this.flow = None;
            return Poll::Ready(Some(Err(failure)));
        }
        let Some(flow) = &mut this.flow else { return Poll::Ready(None) };
        match ready!(flow.poll(context)) {
            Some(Ok(data)) => Poll::Ready(Some(Ok(data))),
            Some(Err(failure)) => {
                let correlation_id = RequestContext::correlation_id(&flow.request);
                warn!(target: UPSTREAM, correlation_id:%, reason:% = failure; "Upstream answer cut off");
                this.cut = Some(failure);
                // An error drops the connection at once: what has come before is written first.
                context.waker().wake_by_ref();
                Poll::Pending
            }
            None => {
                this.flow = None;
                Poll::Ready(None)
            }
        }
    }
}
