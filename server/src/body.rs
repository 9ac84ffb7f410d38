//! Bodies of requests: how large each may be, and how they are read.

use actix_web::HttpRequest;
use actix_web::error::PayloadError;
use actix_web::http::header::{CONTENT_LENGTH, HeaderMap};
use actix_web::web::{Bytes, BytesMut, Payload};
use futures::{Stream, StreamExt};

use crate::config::Config;
use crate::error::ApiError;
use crate::upstream::own_paths;

/// The largest body that is read and ignored, in bytes: many clients send an empty object to routes that take no body.
pub const IGNORED: usize = 16 * 1024;

/// The largest body of `/echo`, in bytes.
pub const ECHO: usize = 1 << 20;

/// The largest body that is read before a fault comes instead of an answer, in bytes.
pub const DRAINED: usize = 1 << 20;

/// The largest fault plan, in bytes of compact JSON.
pub const PLAN: usize = 256 * 1024;

/// The largest JSON body, in bytes.
pub const JSON: usize = 512 * 1024;

/// Reads the body of a request, of up to `limit` bytes. One that is announced as larger is not read.
///
/// # Errors
/// [`ApiError`] when the body is larger or breaks the rules of HTTP.
pub async fn read(request: &HttpRequest, body: &mut Payload, limit: usize) -> Result<Bytes, ApiError> {
    if is_too_large(request.headers(), limit) {
        return Err(ApiError::BodyTooLarge);
    }
    read_stream(body, limit).await
}

async fn read_stream(
    body: &mut (impl Stream<Item = Result<Bytes, PayloadError>> + Unpin),
    limit: usize,
) -> Result<Bytes, ApiError> {
    // A body in one piece, which is the rule, is not copied.
    let mut first = Bytes::new();
    let mut all = BytesMut::new();
    while let Some(chunk) = body.next().await {
        let chunk = chunk.map_err(|_| ApiError::BodyMalformed)?;
        if first.len().max(all.len()) + chunk.len() > limit {
            return Err(ApiError::BodyTooLarge);
        }
        if first.is_empty() {
            first = chunk;
        } else {
            if all.is_empty() {
                all.extend_from_slice(&first);
            }
            all.extend_from_slice(&chunk);
        }
    }
    Ok(if all.is_empty() { first } else { all.freeze() })
}

/// Reads a body of up to `limit` bytes and drops it.
///
/// # Errors
/// As [`read`].
pub async fn ignore(
    body: &mut (impl Stream<Item = Result<Bytes, PayloadError>> + Unpin),
    limit: usize,
) -> Result<(), ApiError> {
    look_at(body, limit, |_| ()).await
}

/// Reads a body of up to `limit` bytes, shows each piece of it to `see`, and drops it.
///
/// # Errors
/// As [`read`].
pub async fn look_at(
    body: &mut (impl Stream<Item = Result<Bytes, PayloadError>> + Unpin),
    limit: usize,
    mut see: impl FnMut(&[u8]),
) -> Result<(), ApiError> {
    let mut size = 0;
    while let Some(chunk) = body.next().await {
        let chunk = chunk.map_err(|_| ApiError::BodyMalformed)?;
        size += chunk.len();
        if size > limit {
            return Err(ApiError::BodyTooLarge);
        }
        see(&chunk);
    }
    Ok(())
}

/// Reads a body and drops it, up to `limit` bytes of it. The rest is left.
///
/// # Errors
/// [`ApiError`] when the body breaks the rules of HTTP.
pub async fn drain(
    body: &mut (impl Stream<Item = Result<Bytes, PayloadError>> + Unpin),
    limit: usize,
) -> Result<(), ApiError> {
    match ignore(body, limit).await {
        Ok(()) | Err(ApiError::BodyTooLarge) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Whether a request announces a body of more than `limit` bytes, so that none of it has to be read.
pub fn is_too_large(headers: &HeaderMap, limit: usize) -> bool {
    let length = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    length.is_some_and(|length| length > limit as u64)
}

/// The largest body that any method of a path takes. It is known before the request is routed, for clients that ask
/// before they send a body (RFC 9110, 10.1.1).
pub fn limit_of(path: &str, config: &Config) -> usize {
    let Some(path) = own_paths::below(path, config.own_prefix()) else { return usize::MAX };
    let inner = path.strip_prefix("/s/").map(|rest| rest.find('/').map_or("", |slash| &rest[slash..]));
    let Some(path) = inner.map_or(Some(path), |inner| own_paths::below(inner, config.own_prefix())) else {
        return usize::MAX;
    };
    match path {
        "/sessions" | "/faults" | "/faults/preview" => JSON,
        echo if echo == "/echo" || echo.starts_with("/echo/") => ECHO,
        _ => IGNORED,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Layers;
    use futures::stream;

    fn body(chunks: &[&'static str]) -> impl Stream<Item = Result<Bytes, PayloadError>> + Unpin {
        stream::iter(chunks.iter().map(|chunk| Ok(Bytes::from_static(chunk.as_bytes()))).collect::<Vec<_>>())
    }

    #[actix_rt::test]
    async fn a_body_is_read_up_to_its_limit_however_it_is_cut() {
        for chunks in [&["abcdef"][..], &["abc", "def"], &["", "a", "bcde", "", "f"]] {
            assert_eq!(read_stream(&mut body(chunks), 6).await.unwrap(), "abcdef", "{chunks:?}");
            assert!(
                matches!(read_stream(&mut body(chunks), 5).await, Err(ApiError::BodyTooLarge)),
                "{chunks:?}"
            );
            assert!(ignore(&mut body(chunks), 6).await.is_ok());
            assert!(matches!(ignore(&mut body(chunks), 5).await, Err(ApiError::BodyTooLarge)));
            assert!(drain(&mut body(chunks), 5).await.is_ok());
        }
        assert_eq!(read_stream(&mut body(&[]), 0).await.unwrap(), "");
    }

    fn config(flags: &[(&'static str, &str)]) -> Config {
        let flags = flags.iter().map(|(flag, value)| (*flag, (*value).to_owned())).collect();
        Config::load(&Layers { flags, ..Layers::default() }).unwrap().config
    }

    #[test]
    fn every_path_has_its_limit() {
        let table = [
            ("/msg", IGNORED),
            ("/echo", ECHO),
            ("/echo/a/b", ECHO),
            ("/echoes", IGNORED),
            ("/sessions", JSON),
            ("/faults", JSON),
            ("/s/a/faults", JSON),
            ("/s/a/echo", ECHO),
            ("/s/echo", IGNORED),
        ];
        for (path, limit) in table {
            assert_eq!(limit_of(path, &config(&[])), limit, "{path}");
        }
    }

    #[test]
    fn what_is_forwarded_has_no_limit() {
        let with_upstream = config(&[("upstream", "http://localhost:3000"), ("control-prefix", "/own")]);
        let table = [
            ("/faults", usize::MAX),
            ("/s/a/faults", usize::MAX),
            ("/own/faults", JSON),
            ("/own/msg", IGNORED),
            ("/own/s/a/faults", usize::MAX),
            ("/own/s/a/own/faults", JSON),
            ("/own/s/a/own/msg", IGNORED),
            ("/own/s/a/orders", usize::MAX),
            ("/own/s/a", usize::MAX),
        ];
        for (path, limit) in table {
            assert_eq!(limit_of(path, &with_upstream), limit, "{path}");
        }
    }
}
