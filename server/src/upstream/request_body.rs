//! The body of a request, framed for the upstream as the client sends it.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use actix_web::HttpRequest;
use actix_web::http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use actix_web::web::Payload;
use futures::Stream;

use super::failure::Failure;
use crate::context::RequestContext;

/// A body that is still being sent.
pub(super) struct RequestBody {
    payload: Payload,
    coding: Coding,
    request: HttpRequest,
}

/// How a body is framed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Coding {
    Length,
    Chunked,
}

impl RequestBody {
    /// The body of a request; `None` when it announces none.
    pub(super) fn of(request: &HttpRequest, payload: Payload) -> Option<Self> {
        let headers = request.headers();
        let coding = if headers.contains_key(TRANSFER_ENCODING) {
            Coding::Chunked
        } else if headers.get(CONTENT_LENGTH).is_some_and(|length| length != "0") {
            Coding::Length
        } else {
            return None;
        };
        Some(Self { payload, coding, request: request.clone() })
    }

    /// Writes the next bytes to `out`, which is empty. Ready with false behind the last byte. While a body is being
    /// sent the request does not time out.
    pub(super) fn poll_next(
        &mut self,
        context: &mut Context<'_>,
        out: &mut Vec<u8>,
    ) -> Poll<Result<bool, Failure>> {
        loop {
            let next = ready!(Pin::new(&mut self.payload).poll_next(context));
            RequestContext::restart_clock(&self.request);
            match next {
                Some(Ok(data)) if data.is_empty() => {}
                Some(Ok(data)) => {
                    match self.coding {
                        Coding::Length => out.extend_from_slice(&data),
                        Coding::Chunked => {
                            out.extend_from_slice(format!("{:x}\r\n", data.len()).as_bytes());
                            out.extend_from_slice(&data);
                            out.extend_from_slice(b"\r\n");
                        }
                    }
                    return Poll::Ready(Ok(true));
                }
                Some(Err(_)) => return Poll::Ready(Err(Failure::Client)),
                None => {
                    if self.coding == Coding::Chunked {
                        out.extend_from_slice(b"0\r\n\r\n");
                    }
                    return Poll::Ready(Ok(false));
                }
            }
        }
    }
}
