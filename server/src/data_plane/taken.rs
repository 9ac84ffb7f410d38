//! Reads the bodies of requests to the data plane, and notes them in the journal.

use actix_web::HttpRequest;
use actix_web::web::{Bytes, Payload};
use sha2::{Digest, Sha256};

use crate::body;
use crate::context::RequestContext;
use crate::error::ApiError;
use crate::journal::Body;

/// The SHA-256 of nothing, which is the body of most requests.
const OF_NOTHING: [u8; 32] = [
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27,
    0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
];

/// Reads a body of up to `limit` bytes.
///
/// # Errors
/// [`ApiError`] when the body is larger or breaks the rules of HTTP.
pub(super) async fn read(
    context: &RequestContext,
    request: &HttpRequest,
    payload: &mut Payload,
    limit: usize,
) -> Result<Bytes, ApiError> {
    let body = body::read(request, payload, limit).await?;
    context.note(|entry| entry.body = Some(body_of(&body)));
    Ok(body)
}

/// Reads a body of up to `limit` bytes and drops it.
///
/// # Errors
/// As [`read`].
pub(super) async fn ignore(
    context: &RequestContext,
    payload: &mut Payload,
    limit: usize,
) -> Result<(), ApiError> {
    if !context.is_recorded() {
        return body::ignore(payload, limit).await;
    }
    let (mut hash, mut bytes) = (Sha256::new(), 0);
    let see = |chunk: &[u8]| {
        hash.update(chunk);
        bytes += chunk.len() as u64;
    };
    body::look_at(payload, limit, see).await?;
    let sha256 = hash.finalize().into();
    context.note(|entry| entry.body = Some(Body { bytes, sha256 }));
    Ok(())
}

/// Reads a body and drops it, up to `limit` bytes of it. The rest is left, and the body is not noted.
///
/// # Errors
/// [`ApiError`] when the body breaks the rules of HTTP.
pub(super) async fn drain(
    context: &RequestContext,
    payload: &mut Payload,
    limit: usize,
) -> Result<(), ApiError> {
    match ignore(context, payload, limit).await {
        Ok(()) | Err(ApiError::BodyTooLarge) => Ok(()),
        Err(error) => Err(error),
    }
}

fn body_of(body: &[u8]) -> Body {
    let sha256 = if body.is_empty() { OF_NOTHING } else { Sha256::digest(body).into() };
    Body { bytes: body.len() as u64, sha256 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_without_bytes_is_hashed_as_every_other() {
        assert_eq!(body_of(b"").sha256, <[u8; 32]>::from(Sha256::digest(b"")));
        assert_ne!(body_of(b"a").sha256, OF_NOTHING);
    }
}
