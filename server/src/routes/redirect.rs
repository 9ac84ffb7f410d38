//! Requests to paths that no route has: a redirect if the path without the slashes at its end has one, else the answer
//! of the data plane, which forwards to the upstream, or answers with a 404 unless a fault concerns the path.
//!
//! Starlette redirects to an absolute address that it makes from the `Host` header, and removes all slashes at the
//! end. The address here is relative to the request's, so that it works behind a path prefix of a reverse proxy.

use std::rc::Rc;

use actix_web::dev::ResourceDef;
use actix_web::http::Method;
use actix_web::http::header::{HeaderValue, LOCATION};
use actix_web::web::Payload;
use actix_web::{HttpRequest, HttpResponse};

use super::Route;
use crate::body;
use crate::context::{CurrentSession, RequestContext};
use crate::data_plane::{self, Endpoint};
use crate::error::ApiError;
use crate::upstream::own_paths::Unrouted;

/// The patterns of all paths that have a route.
pub(super) struct Paths(Rc<[ResourceDef]>);

impl Paths {
    /// The paths of these routes.
    pub(super) fn of(routes: &[Route]) -> Self {
        Self(routes.iter().map(|route| ResourceDef::new(route.path())).collect())
    }

    fn contain(&self, path: &str) -> bool {
        self.0.iter().any(|known| known.is_match(path))
    }
}

/// Answers a request whose path has no route.
pub(super) async fn fallback(
    session: CurrentSession,
    request: HttpRequest,
    mut payload: Payload,
) -> Result<HttpResponse, ApiError> {
    if request.method() == Method::CONNECT {
        // Its target is an authority, and there is no other method to allow.
        return Err(ApiError::MethodNotAllowed(HeaderValue::from_static("")));
    }
    let unrouted = RequestContext::unrouted(&request);
    let paths = request.app_data::<Paths>().ok_or(ApiError::NotFound)?;
    let endpoint = match unrouted {
        Unrouted::Unknown => Endpoint::Unknown,
        Unrouted::Forwarded => Endpoint::Upstream,
    };
    // The path that is routed: a path that is forwarded whatever it is has no own path to lead to.
    let Some(target) = without_slashes(request.match_info().as_str(), |path| paths.contain(path)) else {
        return data_plane::serve(endpoint, &session, &request, payload).await;
    };
    body::ignore(&mut payload, body::IGNORED).await?;
    let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
    Ok(HttpResponse::TemporaryRedirect().insert_header((LOCATION, target + &query)).finish())
}

/// The address, relative to `path`, of the route that is meant by a path with slashes at its end.
fn without_slashes(path: &str, is_known: impl Fn(&str) -> bool) -> Option<String> {
    let meant = path.trim_end_matches('/');
    if meant == path || !is_known(meant) {
        return None;
    }
    let up = "../".repeat(path.len() - meant.len());
    let (_, last) = meant.rsplit_once('/')?;
    Some(up + last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_path_that_exists_without_its_slashes_is_redirected() {
        let cases = [
            ("/msg/", Some("../msg")),
            ("/fail/count/3/", Some("../3")),
            ("/msg//", Some("../../msg")),
            ("/msg", None),
            ("/nope/", None),
            ("/", None),
            ("//", None),
            ("/msg/x/", None),
        ];
        let is_known = |path: &str| path == "/msg" || path == "/fail/count/3";
        for (path, expected) in cases {
            assert_eq!(without_slashes(path, is_known).as_deref(), expected, "{path}");
        }
    }
}
