//! Where a redirect leads, and what goes along (RFC 9110, 15.4). Pure.
//!
//! It must never lead from https to http, and never hand credentials to another origin.

use http::{
    Uri,
    header::{self, HeaderName},
};

use crate::{
    method::Method,
    origin::Origin,
    request_id,
    transport::{Reply, Request},
};

/// The most redirects of one attempt.
pub(crate) const MAX_REDIRECTS: u8 = 10;

/// Headers that are meant for one origin alone.
const SECRET: [&str; 9] = [
    "authorization",
    "proxy-authorization",
    "cookie",
    "cookie2",
    "x-api-key",
    "x-auth-token",
    "x-csrf-token",
    "x-xsrf-token",
    request_id::HEADER,
];

/// Why a redirect is not followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotFollowed {
    /// The caller wants redirects as they are.
    NotWanted,
    /// It would be the eleventh.
    TooMany,
    /// It would be the eleventh, to a place that has been visited.
    Loop,
    /// It leads from https to http.
    Downgrade,
    /// It has no `Location`.
    NoLocation,
    /// Its `Location` is not the URL of an http or https server.
    BadLocation,
    /// There are credentials in its `Location`.
    Credentials,
}

/// The request to which a reply redirects; `None` for a reply that is not a redirect.
pub(crate) fn next(request: &Request, reply: &Reply) -> Result<Option<Request>, NotFollowed> {
    let Some(method) = method_after(reply.status, request.method) else { return Ok(None) };
    let location = reply.headers.raw("location").next().ok_or(NotFollowed::NoLocation)?;
    let location = std::str::from_utf8(location).map_err(|_| NotFollowed::BadLocation)?;
    let target = target(&request.uri, location)?;
    let mut next =
        Request { method, uri: target, headers: request.headers.clone(), body: request.body.clone() };
    if method != request.method {
        next.body.clear();
        next.headers.retain(|(name, _)| !describes_body(name));
    }
    if Origin(&request.uri) != Origin(&next.uri) {
        next.headers.retain(|(name, _)| !SECRET.contains(&name.as_str()) && name != header::HOST);
    }
    Ok(Some(next))
}

/// Whether a reply of this status is a redirect that clients follow. A 304 is not, nor is a choice (300).
pub(crate) fn is_redirect(status: u16) -> bool {
    matches!(status, 301..=303 | 307 | 308)
}

fn method_after(status: u16, method: Method) -> Option<Method> {
    match (status, method) {
        (307 | 308, method) | (301..=303, method @ (Method::Get | Method::Head)) => Some(method),
        // As browsers do, and as RFC 9110 allows: a POST that is redirected by 301 or 302 becomes a GET.
        (301 | 302, Method::Post) | (303, _) => Some(Method::Get),
        (301 | 302, method) => Some(method),
        _ => None,
    }
}

fn target(from: &Uri, location: &str) -> Result<Uri, NotFollowed> {
    let bad = NotFollowed::BadLocation;
    if location.bytes().any(|byte| byte.is_ascii_control()) || has_empty_host(location) {
        return Err(bad);
    }
    let from_url = url::Url::parse(&from.to_string()).map_err(|_| bad)?;
    // A browser takes a backslash for a slash, which would make a host of a path. RFC 3986 does not allow it.
    let mut to = from_url.join(&location.replace('\\', "%5C")).map_err(|_| bad)?;
    to.set_fragment(None);
    if !matches!(to.scheme(), "http" | "https") || to.host_str().is_none_or(str::is_empty) {
        return Err(bad);
    }
    if !to.username().is_empty() || to.password().is_some() {
        return Err(NotFollowed::Credentials);
    }
    if to.scheme() == "http" && from.scheme_str() == Some("https") {
        return Err(NotFollowed::Downgrade);
    }
    to.as_str().parse().map_err(|_| bad)
}

/// Whether a URL has no host where it must have one. A browser would take the first segment of the path for it.
fn has_empty_host(location: &str) -> bool {
    let after_scheme = ["http:", "https:"].iter().find_map(|scheme| {
        let head = location.get(..scheme.len())?;
        head.eq_ignore_ascii_case(scheme).then(|| &location[scheme.len()..])
    });
    let rest = after_scheme.unwrap_or(location);
    match rest.strip_prefix("//") {
        Some(rest) => rest.is_empty() || rest.starts_with(['/', '\\', '?', '#']),
        None => after_scheme.is_some(),
    }
}

fn describes_body(name: &HeaderName) -> bool {
    name.as_str().starts_with("content-")
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::HeaderValue;

    use super::*;

    fn request(method: Method, uri: &str) -> Request {
        let headers = ["authorization", "cookie", "x-request-id", "content-type", "host", "accept"]
            .map(|name| (HeaderName::from_static(name), HeaderValue::from_static("x")));
        let body = Bytes::from_static(b"body");
        Request { method, uri: uri.parse().unwrap(), headers: headers.to_vec(), body }
    }

    fn reply(status: u16, location: &'static str) -> Reply {
        let headers = [(header::LOCATION, HeaderValue::from_bytes(location.as_bytes()).unwrap())];
        Reply { status, headers: headers.into_iter().collect(), body: Bytes::new() }
    }

    fn names(request: &Request) -> Vec<&str> {
        request.headers.iter().map(|(name, _)| name.as_str()).collect()
    }

    #[test]
    fn the_location_is_resolved_against_the_url() {
        for (location, expected) in [
            ("/b", "http://h:1/b"),
            ("b?x=1", "http://h:1/a/b?x=1"),
            ("../b", "http://h:1/b"),
            ("//other/b", "http://other/b"),
            ("http://other:2", "http://other:2/"),
            ("https://h:1/b#part", "https://h:1/b"),
            ("?x", "http://h:1/a/?x"),
            ("/a b", "http://h:1/a%20b"),
            ("/\\other/b", "http://h:1/%5Cother/b"),
            ("\\\\other/b", "http://h:1/a/%5C%5Cother/b"),
            ("", "http://h:1/a/"),
        ] {
            let next = next(&request(Method::Get, "http://h:1/a/"), &reply(302, location)).unwrap().unwrap();
            assert_eq!(next.uri.to_string(), expected, "{location}");
        }
    }

    #[test]
    fn a_redirect_that_may_not_be_followed_has_its_reason() {
        use NotFollowed::{BadLocation, Credentials, Downgrade};
        for (from, status, location, why) in [
            ("https://h/", 302, "http://h/", Downgrade),
            ("https://h/", 308, "http://other/", Downgrade),
            ("http://h/", 302, "ftp://h/", BadLocation),
            ("http://h/", 302, "javascript:alert(1)", BadLocation),
            ("http://h/", 302, "http://", BadLocation),
            ("http://h/", 302, "http:///echo/x", BadLocation),
            ("http://h/", 302, "http:/echo", BadLocation),
            ("http://h/", 302, "http:echo", BadLocation),
            ("http://h/", 302, "HTTPS:\\\\echo", BadLocation),
            ("http://h/", 302, "///echo", BadLocation),
            ("http://h/", 302, "http://h:99999/", BadLocation),
            ("http://h/", 302, "http://me:secret@h/", Credentials),
            ("http://h/", 302, "//me@h/", Credentials),
        ] {
            let next = next(&request(Method::Get, from), &reply(status, location));
            assert_eq!(next.unwrap_err(), why, "{status} {location}");
        }
        let mut silent = reply(302, "/b");
        silent.headers = std::iter::empty().collect();
        assert_eq!(next(&request(Method::Get, "http://h/"), &silent).unwrap_err(), NotFollowed::NoLocation);
    }

    #[test]
    fn a_status_that_is_not_a_redirect_leads_nowhere() {
        for status in [200, 300, 304, 305, 306, 404] {
            assert!(next(&request(Method::Get, "http://h/"), &reply(status, "/b")).unwrap().is_none());
            assert!(!is_redirect(status));
        }
    }

    #[test]
    fn the_method_follows_the_status() {
        use Method::{Delete, Get, Head, Patch, Post, Put};
        for (status, method, expected) in [
            (301, Get, Get),
            (301, Head, Head),
            (301, Post, Get),
            (302, Post, Get),
            (302, Put, Put),
            (301, Delete, Delete),
            (303, Post, Get),
            (303, Put, Get),
            (303, Delete, Get),
            (303, Head, Head),
            (307, Post, Post),
            (308, Patch, Patch),
        ] {
            let next = next(&request(method, "http://h/"), &reply(status, "/b")).unwrap().unwrap();
            assert_eq!(next.method, expected, "{status} {method}");
            let keeps = method == expected;
            assert_eq!(next.body.is_empty(), !keeps, "{status} {method}");
            assert_eq!(names(&next).contains(&"content-type"), keeps, "{status} {method}");
        }
    }

    #[test]
    fn credentials_and_the_request_id_stay_on_their_origin() {
        let from = request(Method::Get, "http://h/");
        for same in ["/b", "http://h/b", "http://H:80/b"] {
            assert_eq!(names(&next(&from, &reply(307, same)).unwrap().unwrap()), names(&from), "{same}");
        }
        for other in ["http://h:81/", "https://h/", "http://sub.h/"] {
            assert_eq!(
                names(&next(&from, &reply(307, other)).unwrap().unwrap()),
                ["content-type", "accept"],
                "{other}"
            );
        }
    }
}
