//! One request forwarded to the upstream, and its answer.

use std::rc::Rc;

use actix_web::http::header::CONTENT_LENGTH;
use actix_web::http::{ConnectionType, Method, StatusCode, Version};
use actix_web::web::Payload;
use actix_web::{HttpRequest, HttpResponse};
use awc::ClientResponse;
use awc::error::SendRequestError;
use log::warn;

use super::answer_body::AnswerBody;
use super::connections::{Reuse, Upstream};
use super::exchange::{Connection, Exchange};
use super::failure::Failure;
use super::reply_head::{Asked, Framing};
use super::request_body::RequestBody;
use super::request_head::{is_hop_by_hop, request_head};
use crate::context::{RequestContext, Slot};
use crate::error::{ApiError, AsIntended};
use crate::journal::AnsweredBy;
use crate::logging::UPSTREAM;

/// Forwards a request, and answers with what the upstream answers. The extensions of the answer say who made it. The body of the answer takes over the slot.
///
/// # Errors
/// [`ApiError::UpstreamUnreachable`] when the upstream cannot be reached or its answer cannot be forwarded;
/// [`ApiError::BodyMalformed`] when the client has not sent the body that it promised.
pub async fn forward(
    request: &HttpRequest,
    payload: Payload,
    slot: &mut Option<Slot>,
) -> Result<HttpResponse, ApiError> {
    let upstream = request.app_data::<Rc<Upstream>>().ok_or(ApiError::NotFound)?;
    let client = request.peer_addr().map(|address| address.ip());
    let head = request_head(request.head(), client, &upstream.address);
    let asked = if request.method() == Method::HEAD { Asked::ForHeadAlone } else { Asked::ForBody };
    let body = RequestBody::of(request, payload);
    let may_repeat = body.is_none() && request.method().is_idempotent();
    let exchange = Exchange::new(head.clone(), body, asked);
    match upstream.send(&exchange, Reuse::Allowed).await {
        Ok(response) => answer(request, response, exchange, slot.take()),
        // The upstream had closed an idle connection (RFC 9112, 9.3.1).
        Err(_) if may_repeat && was_stale(&exchange) => {
            let exchange = Exchange::new(head, None, asked);
            let response = upstream.send(&exchange, Reuse::Forbidden).await;
            answer(
                request,
                response.map_err(|error| unreachable(request, &exchange, &error))?,
                exchange,
                slot.take(),
            )
        }
        Err(error) => Err(unreachable(request, &exchange, &error)),
    }
}

fn was_stale(exchange: &Exchange) -> bool {
    exchange.failure.get() == Some(Failure::NoReply) && exchange.connection.get() == Connection::Reused
}

fn unreachable(request: &HttpRequest, exchange: &Exchange, error: &SendRequestError) -> ApiError {
    let failure = exchange.failure.get();
    if failure == Some(Failure::Client) {
        return ApiError::BodyMalformed;
    }
    let reason = failure.map_or_else(|| error.to_string(), |failure| failure.to_string());
    let correlation_id = RequestContext::correlation_id(request);
    warn!(target: UPSTREAM, correlation_id:%, reason; "Upstream unreachable");
    ApiError::UpstreamUnreachable
}

/// The answer of the upstream, without what concerned its connection alone.
fn answer(
    request: &HttpRequest,
    response: ClientResponse,
    exchange: Rc<Exchange>,
    slot: Option<Slot>,
) -> Result<HttpResponse, ApiError> {
    let Some(reply) = exchange.reply.take() else { return Err(ApiError::UpstreamUnreachable) };
    let mut answer = HttpResponse::build(reply.status);
    for (name, value) in &reply.headers {
        if !is_hop_by_hop(name, &reply.headers) && *name != CONTENT_LENGTH {
            answer.append_header((name.clone(), value.clone()));
        }
    }
    let mut framing = reply.framing;
    if let Framing::Absent(Some(length)) = framing
        && reply.status == StatusCode::NOT_MODIFIED
    {
        answer.insert_header((CONTENT_LENGTH, length));
        framing = Framing::Absent(None);
    }
    let body = AnswerBody::new(framing, response, exchange, request, slot);
    let mut answer = answer.body(body);
    let is_endless = matches!(framing, Framing::Chunked | Framing::UntilEnd);
    if is_endless && request.version() < Version::HTTP_11 {
        // There are no chunks in HTTP/1.0: the body ends with the connection.
        answer.head_mut().no_chunking(true);
        answer.head_mut().set_connection_type(ConnectionType::Close);
    }
    answer.extensions_mut().insert(AsIntended);
    answer.extensions_mut().insert(AnsweredBy::Upstream);
    Ok(answer)
}
