//! Where a redirect leads, and what goes along (RFC 9110, 15.4). Pure.
//!
//! It must never lead from https to http, and never hand credentials to another origin.

use http::{
    Uri,
    header::{self, HeaderName},
};

use crate::{
    method::Method,
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

/// The request that a reply redirects to; `None` when it redirects nowhere that may be gone to.
pub(crate) fn next(request: &Request, reply: &Reply) -> Option<Request> {
    let method = method_after(reply.status, request.method)?;
    let target = target(&request.uri, reply.headers.get("location")?)?;
    let mut next =
        Request { method, uri: target, headers: request.headers.clone(), body: request.body.clone() };
    if method != request.method {
        next.body.clear();
        next.headers.retain(|(name, _)| !describes_body(name));
    }
    if !same_origin(&request.uri, &next.uri) {
        next.headers.retain(|(name, _)| !SECRET.contains(&name.as_str()) && name != header::HOST);
    }
    Some(next)
}

fn method_after(status: u16, method: Method) -> Option<Method> {
    match (status, method) {
        (307 | 308, method) | (301..=303, method @ (Method::Get | Method::Head)) => Some(method),
        // What everybody does, and RFC 9110 allows: a POST that moved becomes a GET.
        (301 | 302, Method::Post) | (303, _) => Some(Method::Get),
        (301 | 302, method) => Some(method),
        _ => None,
    }
}

fn target(from: &Uri, location: &str) -> Option<Uri> {
    if location.bytes().any(|byte| byte.is_ascii_control()) {
        return None;
    }
    let mut to = url::Url::parse(&from.to_string()).ok()?.join(location).ok()?;
    to.set_fragment(None);
    let allowed = match to.scheme() {
        "https" => true,
        "http" => from.scheme_str() == Some("http"),
        _ => false,
    };
    let anonymous = to.username().is_empty() && to.password().is_none();
    if !allowed || !anonymous || to.host_str().is_none_or(str::is_empty) {
        return None;
    }
    to.as_str().parse().ok()
}

fn same_origin(one: &Uri, other: &Uri) -> bool {
    let port = |uri: &Uri| uri.port_u16().unwrap_or(if uri.scheme_str() == Some("https") { 443 } else { 80 });
    let host = |uri: &Uri| uri.host().unwrap_or_default().to_ascii_lowercase();
    one.scheme() == other.scheme() && host(one) == host(other) && port(one) == port(other)
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
            ("", "http://h:1/a/"),
        ] {
            let next = next(&request(Method::Get, "http://h:1/a/"), &reply(302, location)).unwrap();
            assert_eq!(next.uri.to_string(), expected, "{location}");
        }
    }

    #[test]
    fn what_may_not_be_followed_is_not() {
        for (from, status, location) in [
            ("https://h/", 302, "http://h/"),
            ("https://h/", 308, "http://other/"),
            ("http://h/", 302, "ftp://h/"),
            ("http://h/", 302, "javascript:alert(1)"),
            ("http://h/", 302, "http://"),
            ("http://h/", 302, "http://me:secret@h/"),
            ("http://h/", 302, "http://h:99999/"),
            ("http://h/", 300, "/b"),
            ("http://h/", 304, "/b"),
            ("http://h/", 305, "/b"),
            ("http://h/", 200, "/b"),
        ] {
            assert!(
                next(&request(Method::Get, from), &reply(status, location)).is_none(),
                "{status} {location}"
            );
        }
        let mut silent = reply(302, "/b");
        silent.headers = std::iter::empty().collect();
        assert!(next(&request(Method::Get, "http://h/"), &silent).is_none());
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
            let next = next(&request(method, "http://h/"), &reply(status, "/b")).unwrap();
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
            assert_eq!(names(&next(&from, &reply(307, same)).unwrap()), names(&from), "{same}");
        }
        for other in ["http://h:81/", "https://h/", "http://sub.h/"] {
            assert_eq!(
                names(&next(&from, &reply(307, other)).unwrap()),
                ["content-type", "accept"],
                "{other}"
            );
        }
    }
}
