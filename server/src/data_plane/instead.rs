//! What comes instead of an answer, and what happens to an answer.

use std::time::{Duration, SystemTime};

use actix_web::body::{BodySize, MessageBody};
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use actix_web::web::Payload;
use actix_web::{HttpRequest, HttpResponse};

use super::injection::Injected;
use super::taken;
use crate::body;
use crate::connection::{Delivery, End, Exchange, Promise};
use crate::context::{CurrentSession, RequestContext, Slot};
use crate::error::{ApiError, AsIntended, detail};
use crate::fault::{Body, Fault, Framing, Loss, Pace, RetryAfter, StatusFault};

/// What follows an injection.
pub(super) enum Next {
    /// This answer, instead of the real one.
    Answer(HttpResponse),
    /// The request is executed, and this happens to its answer. It is in a box, so that requests without a fault do not
    /// carry its size about.
    Execute(Option<Box<Injected>>),
}

/// Decides whether an injected fault comes instead of an answer. The body of the request is read first, up to a bound,
/// but for an early answer.
///
/// # Errors
/// [`ApiError`] when the body of the request is malformed.
pub(super) async fn next(
    injected: Injected,
    session: &CurrentSession,
    request: &HttpRequest,
    payload: &mut Payload,
    slot: &mut Option<Slot>,
) -> Result<Next, ApiError> {
    let delivery = match injected.fault() {
        Some(Fault::Early { status }) => {
            deliver(request, Delivery::Early);
            return Ok(Next::Answer(answer_of(&plain(*status))));
        }
        Some(Fault::Status(_)) => None,
        Some(Fault::Hang { .. } | Fault::Close) => Some(Delivery::Instead(End::Close)),
        Some(Fault::Reset { after_bytes: None }) => Some(Delivery::Instead(End::Reset)),
        Some(Fault::Garbage) => Some(Delivery::Garbage),
        Some(Fault::Stale { status: Some(_) }) => Some(Delivery::Stale),
        _ => return Ok(Next::Execute(Some(Box::new(injected)))),
    };
    // The fault has been counted, so it happens, whatever else is still to come.
    taken::drain(session.context(), payload, body::DRAINED).await?;
    if let Some(delivery) = delivery {
        deliver(request, delivery);
    }
    let answer = match injected.fault() {
        Some(Fault::Status(fault)) => answer_of(fault),
        Some(Fault::Stale { status: Some(status) }) => answer_of(&plain(*status)),
        // Not a byte of these is sent.
        Some(Fault::Hang { lasts }) => {
            let lasts = lasts.unwrap_or(session.request_timeout);
            hold(injected, session, lasts, slot.take());
            HttpResponse::NoContent().finish()
        }
        _ => HttpResponse::NoContent().finish(),
    };
    Ok(Next::Answer(answer))
}

/// Holds the request: it keeps its slot until its time is over, its plan or session ends, or its client leaves. The
/// layer [`Timeout`](crate::middleware::timeout::Timeout) waits for that when the request timeout is over.
fn hold(injected: Injected, session: &CurrentSession, lasts: Duration, slot: Option<Slot>) {
    let ended = session.ended.clone();
    let held = async move {
        let _slot = slot;
        tokio::select! {
            () = actix_rt::time::sleep(lasts) => {}
            () = injected.plan_ended() => {}
            () = ended.cancelled() => {}
        }
    };
    session.context().hold(Box::pin(held));
}

/// Tells the connection what happens to the answer of a request that was executed. An answer that is lost in a hang
/// is held first.
pub(super) fn after(
    injected: Injected,
    session: &CurrentSession,
    request: &HttpRequest,
    answer: HttpResponse,
    slot: Option<Slot>,
) -> HttpResponse {
    let Some(fault) = injected.fault() else { return answer };
    if *fault == Fault::Lose(Loss::Hang) {
        deliver(request, Delivery::Instead(End::Close));
        hold(injected, session, session.request_timeout, slot);
    } else if let Some(delivery) = delivery_of(fault, answer.body().size()) {
        deliver(request, delivery);
    }
    answer
}

fn deliver(request: &HttpRequest, delivery: Delivery) {
    if let Some(exchange) = Exchange::of(request) {
        exchange.deliver(request, delivery, RequestContext::session_ended(request));
    }
}

/// What a fault does to the answer of a request that was executed, and whose body has this size.
fn delivery_of(fault: &Fault, body: BodySize) -> Option<Delivery> {
    Some(match fault {
        Fault::Reset { after_bytes: Some(bytes) } => Delivery::ResetAfter(*bytes),
        Fault::Truncate { after_bytes, framing } => Delivery::Truncate {
            after_bytes: *after_bytes,
            framing: match framing {
                Framing::Length => Promise::Length,
                Framing::Chunked => Promise::Chunked,
            },
        },
        Fault::MalformedChunk => Delivery::MalformedChunk,
        Fault::Extra { bytes } => Delivery::Extra(bytes.clone().map(Into::into)),
        Fault::Http10 => Delivery::Http10,
        Fault::Drip(pace) => Delivery::Drip { bytes_per_second: speed(*pace, body) },
        Fault::Interim { status, count } => Delivery::Interim { status: *status, count: *count },
        Fault::Stale { status: None } => Delivery::Stale,
        Fault::Lose(Loss::Reset) => Delivery::Instead(End::Reset),
        Fault::Lose(Loss::Close) => Delivery::Instead(End::Close),
        Fault::Lose(Loss::Truncate) => Delivery::Truncate { after_bytes: None, framing: Promise::Length },
        Fault::Lose(Loss::Hang)
        | Fault::Status(_)
        | Fault::Hang { .. }
        | Fault::Reset { after_bytes: None }
        | Fault::Close
        | Fault::Garbage
        | Fault::Stale { status: Some(_) }
        | Fault::Early { .. } => return None,
    })
}

/// How many bytes a second make a pace, for an answer whose body has this size.
fn speed(pace: Pace, body: BodySize) -> u32 {
    /// About the length of a head.
    const HEAD: u64 = 200;
    let lasts = match pace {
        Pace::BytesPerSecond(speed) => return speed,
        Pace::Lasts(lasts) => lasts,
    };
    let bytes = match body {
        BodySize::Sized(bytes) => bytes.saturating_add(HEAD),
        BodySize::None | BodySize::Stream => HEAD,
    };
    let speed = u128::from(bytes) * 1000 / lasts.as_millis().max(1);
    u32::try_from(speed).unwrap_or(u32::MAX).max(1)
}

/// An answer with this status and the default body.
fn plain(status: u16) -> StatusFault {
    StatusFault { status, headers: Vec::new(), body: Body::Default, retry_after: None }
}

/// The injected answer.
fn answer_of(fault: &StatusFault) -> HttpResponse {
    let status = StatusCode::from_u16(fault.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut answer = HttpResponse::build(status);
    answer.extensions_mut().insert(AsIntended);
    for header in &fault.headers {
        answer.append_header(header.clone());
    }
    if let Some(retry_after) = fault.retry_after {
        answer.insert_header((RETRY_AFTER, value_of(retry_after, SystemTime::now())));
    }
    let (content_type, body) = match &fault.body {
        Body::Default => ("application/json", detail("Induced server failure")),
        Body::Json(json) => ("application/json", json.clone()),
        Body::Text(text) => ("text/plain; charset=utf-8", text.clone()),
    };
    // These have no body (RFC 9110, 15.3.5, 15.3.6 and 15.4.5).
    if matches!(fault.status, 204 | 205 | 304) {
        return answer.finish();
    }
    if !fault.headers.iter().any(|(name, _)| name == CONTENT_TYPE) {
        answer.insert_header((CONTENT_TYPE, content_type));
    }
    answer.body(body)
}

fn value_of(retry_after: RetryAfter, now: SystemTime) -> HeaderValue {
    let text = match retry_after {
        RetryAfter::Seconds(seconds) => seconds.to_string(),
        RetryAfter::DateIn(duration) => httpdate::fmt_http_date(now + duration),
    };
    HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static("0"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drip_of_a_given_length_is_as_fast_as_the_size_of_the_answer_demands() {
        let two_seconds = Pace::Lasts(Duration::from_secs(2));
        let table = [
            (Pace::BytesPerSecond(7), BodySize::Sized(1 << 20), 7),
            (two_seconds, BodySize::Sized(200), 200),
            (two_seconds, BodySize::Sized(1 << 20), 524_388),
            (two_seconds, BodySize::None, 100),
            (Pace::Lasts(Duration::ZERO), BodySize::Sized(0), 200_000),
            (Pace::Lasts(Duration::ZERO), BodySize::Sized(u64::MAX), u32::MAX),
            (Pace::Lasts(Duration::from_secs(300)), BodySize::None, 1),
        ];
        for (pace, body, expected) in table {
            assert_eq!(speed(pace, body), expected, "{pace:?} {body:?}");
        }
    }
}
