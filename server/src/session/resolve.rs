//! Which session a request belongs to: the one in its path, else the one in its header, else the default one.

use std::time::Instant;

use actix_web::dev::ServiceRequest;
use actix_web::http::Uri;
use actix_web::http::header::HeaderValue;
use actix_web::http::uri::PathAndQuery;

use super::{SessionInUse, Sessions, id};
use crate::error::ApiError;
use crate::headers::TEST_SESSION;
use crate::json::{Place, Problem};

/// The prefix of all paths of a session.
const PREFIX: &str = "/s/";

/// Begins a use of the request's session at `now`, and takes its prefix from the path.
///
/// # Errors
/// [`ApiError`] when the session does not exist, when the header is sent twice, and for a path that no session has.
pub fn resolve(
    request: &mut ServiceRequest,
    sessions: &Sessions,
    now: Instant,
) -> Result<SessionInUse, ApiError> {
    match split(request.uri().path()) {
        Some((id, rest)) => {
            let session = find(id, sessions, now)?;
            if is_outside(rest) {
                return Err(ApiError::NotFound);
            }
            let length = PREFIX.len() + id.len();
            take_prefix(request, length)?;
            Ok(session)
        }
        None if request.headers().contains_key(&TEST_SESSION) => by_header(request, sessions, now),
        None => Ok(sessions.registry.use_permanent(now)),
    }
}

/// The id and the rest of a path in a session.
fn split(path: &str) -> Option<(&str, &str)> {
    let inner = path.strip_prefix(PREFIX)?;
    Some(inner.find('/').map_or((inner, ""), |slash| inner.split_at(slash)))
}

/// What belongs to the server as a whole, and so to no session.
fn is_outside(path: &str) -> bool {
    ["/sessions", "/s", "/metrics"].iter().any(|outside| {
        path.strip_prefix(outside).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}

fn find(id: &str, sessions: &Sessions, now: Instant) -> Result<SessionInUse, ApiError> {
    if id == id::DEFAULT {
        return Ok(sessions.registry.use_permanent(now));
    }
    sessions.registry.use_member(id, now).ok_or(ApiError::NoSuchSession)
}

fn by_header(request: &ServiceRequest, sessions: &Sessions, now: Instant) -> Result<SessionInUse, ApiError> {
    let mut values = request.headers().get_all(&TEST_SESSION).map(HeaderValue::as_bytes);
    let first = values.next().unwrap_or_default();
    if values.next().is_some() {
        let input = String::from_utf8_lossy(first).into_owned().into();
        let place = vec![Place::from("header"), Place::from("X-Test-Session")];
        return Err(ApiError::Invalid(vec![Problem::invalid_value(place, input, "should be sent once")]));
    }
    match std::str::from_utf8(first).map(str::trim) {
        Ok("") => Ok(sessions.registry.use_permanent(now)),
        Ok(id) => find(id, sessions, now),
        Err(_) => Err(ApiError::NoSuchSession),
    }
}

/// Takes `length` bytes from the beginning of the path, so that routes and handlers see the path as it is at the root.
fn take_prefix(request: &mut ServiceRequest, length: usize) -> Result<(), ApiError> {
    let uri = request.uri();
    let path_and_query = uri.path_and_query().map_or("/", PathAndQuery::as_str);
    let rest = &path_and_query[length..];
    let rest = if rest.starts_with('/') { rest.to_owned() } else { format!("/{rest}") };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(rest.parse().map_err(|_| ApiError::NotFound)?);
    let uri = Uri::from_parts(parts).map_err(|_| ApiError::NotFound)?;
    request.match_info_mut().get_mut().update(&uri);
    request.head_mut().uri = uri;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_a_session_is_split_into_id_and_rest() {
        let table = [
            ("/s/a/msg", Some(("a", "/msg"))),
            ("/s/a", Some(("a", ""))),
            ("/s/a/", Some(("a", "/"))),
            ("/s/", Some(("", ""))),
            ("/s", None),
            ("/sessions", None),
            ("/msg", None),
            ("/x/s/a/msg", None),
        ];
        for (path, expected) in table {
            assert_eq!(split(path), expected, "{path}");
        }
    }

    #[test]
    fn there_are_no_sessions_within_a_session() {
        for path in ["/sessions", "/sessions/a", "/s/b", "/s/b/msg", "/s", "/metrics"] {
            assert!(is_outside(path), "{path}");
        }
        for path in ["/msg", "/sessionsx", "/scale", "/", ""] {
            assert!(!is_outside(path), "{path}");
        }
    }
}
