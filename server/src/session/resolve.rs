//! Which session a request belongs to: the one in its path, else the one in its header, else the default one.

use std::time::Instant;

use actix_web::dev::ServiceRequest;
use actix_web::http::Uri;
use actix_web::http::header::HeaderValue;
use actix_web::http::uri::PathAndQuery;

use super::{SessionInUse, Sessions, id};
use crate::error::ApiError;
use crate::headers::{Interpreted, TEST_SESSION};
use crate::json::{Place, Problem};
use crate::state::AppState;
use crate::upstream::own_paths::{self, Unrouted};

/// The prefix of all paths of a session.
const PREFIX: &str = "/s/";

/// What is known of a request before it is routed.
pub struct Resolved {
    /// Its session.
    pub session: SessionInUse,
    /// What becomes of it if no own route has its path.
    pub unrouted: Unrouted,
}

/// Begins a use of the request's session at `now`, and takes its prefix from the path, as that of own paths.
///
/// # Errors
/// [`ApiError`] when the session does not exist, when the header is sent twice, and for a path that no session has.
pub fn resolve(
    request: &mut ServiceRequest,
    interpreted: Interpreted,
    state: &AppState,
    now: Instant,
) -> Result<Resolved, ApiError> {
    let (config, sessions) = (&state.config, &state.sessions);
    let prefix = config.own_prefix();
    let Some(own) = own_paths::below(request.uri().path(), prefix) else {
        let session = by_header(request, interpreted, sessions, now)?;
        hide_from_routes(request);
        return Ok(Resolved { session, unrouted: Unrouted::Forwarded });
    };
    match split(own) {
        Some((id, rest)) => {
            let session = find(id, sessions, now)?;
            let length = prefix.len() + PREFIX.len() + id.len();
            // Below the session as at the root: with an upstream, own paths have the prefix there too.
            let Some(own) = own_paths::below(rest, prefix) else {
                take_prefix(request, length)?;
                hide_from_routes(request);
                return Ok(Resolved { session, unrouted: Unrouted::Forwarded });
            };
            if is_outside(own) {
                return Err(ApiError::NotFound);
            }
            take_prefix(request, length + prefix.len())?;
            Ok(Resolved { session, unrouted: Unrouted::Unknown })
        }
        None => {
            let session = by_header(request, interpreted, sessions, now)?;
            if !prefix.is_empty() {
                take_prefix(request, prefix.len())?;
            }
            Ok(Resolved { session, unrouted: Unrouted::Unknown })
        }
    }
}

/// Makes a path one that no own route has, whatever it is.
fn hide_from_routes(request: &mut ServiceRequest) {
    request.match_info_mut().get_mut().update(&Uri::from_static("*"));
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

fn by_header(
    request: &ServiceRequest,
    interpreted: Interpreted,
    sessions: &Sessions,
    now: Instant,
) -> Result<SessionInUse, ApiError> {
    if interpreted == Interpreted::None || !request.headers().contains_key(&TEST_SESSION) {
        return Ok(sessions.registry.use_permanent(now));
    }
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
