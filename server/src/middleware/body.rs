//! Bodies sent to routes that take none. A small one is read and ignored, because many clients send an empty object.
//! A large one is refused, without being read if its length was announced.

use actix_web::HttpMessage;
use actix_web::dev::{Payload, ServiceRequest};
use actix_web::http::Method;
use actix_web::http::header::{CONTENT_LENGTH, HeaderMap};
use futures::StreamExt;

use crate::error::ApiError;

/// The largest body that is ignored, in bytes.
pub const MAX_IGNORED: usize = 16 * 1024;

/// Reads the body to its end.
///
/// # Errors
/// [`ApiError`] when the body is too large or breaks the rules of HTTP.
pub async fn ignore(request: &mut ServiceRequest) -> Result<(), ApiError> {
    let mut body = request.take_payload();
    // What follows CONNECT is not a body, and the connection ends after the answer.
    if matches!(body, Payload::None) || request.method() == Method::CONNECT {
        return Ok(());
    }
    if is_too_large(request.headers()) {
        return Err(ApiError::BodyTooLarge);
    }
    let mut size = 0;
    while let Some(chunk) = body.next().await {
        size += chunk.map_err(|_| ApiError::BodyMalformed)?.len();
        if size > MAX_IGNORED {
            return Err(ApiError::BodyTooLarge);
        }
    }
    Ok(())
}

/// Whether a request announces a body that is refused, so that none of it has to be read.
pub fn is_too_large(headers: &HeaderMap) -> bool {
    let length = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    length.is_some_and(|length| length > MAX_IGNORED as u64)
}
