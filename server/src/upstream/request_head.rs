//! The head that the upstream gets. \[pure\]

use std::net::IpAddr;

use actix_web::dev::RequestHead;
use actix_web::http::header::{
    AUTHORIZATION, CONNECTION, EXPECT, HOST, HeaderMap, HeaderName, HeaderValue, PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};

use super::UpstreamAddress;
use crate::headers::{FAULT, TEST_CALL, TEST_SESSION};

const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// The headers that concern one connection alone (RFC 9110, 7.6.1), besides those that `Connection` names.
const HOP_BY_HOP: [HeaderName; 9] = [
    CONNECTION,
    KEEP_ALIVE,
    PROXY_CONNECTION,
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// The head of a request as the upstream gets it. `Expect` has been answered by this server.
pub(super) fn request_head(head: &RequestHead, client: Option<IpAddr>, to: &UpstreamAddress) -> Vec<u8> {
    let headers = &head.headers;
    let path_and_query = head.uri.path_and_query().map_or("/", |target| target.as_str());
    let mut out = Vec::with_capacity(1024);
    for part in [head.method.as_str(), " ", &to.target(path_and_query), " HTTP/1.1\r\n"] {
        out.extend_from_slice(part.as_bytes());
    }
    write(&mut out, &HOST, to.host().as_bytes());
    let ours = [
        &HOST,
        &EXPECT,
        &TEST_SESSION,
        &TEST_CALL,
        &FAULT,
        &FORWARDED_FOR,
        &FORWARDED_PROTO,
        &FORWARDED_HOST,
    ];
    for (name, value) in headers {
        if !ours.contains(&name) && !is_hop_by_hop(name, headers) {
            write(&mut out, name, value.as_bytes());
        }
    }
    if headers.contains_key(TRANSFER_ENCODING) {
        write(&mut out, &TRANSFER_ENCODING, b"chunked");
    }
    if let Some(credentials) = to.authorization().filter(|_| !headers.contains_key(AUTHORIZATION)) {
        write(&mut out, &AUTHORIZATION, credentials.as_bytes());
    }
    let client = client.map(|client| client.to_string());
    append(&mut out, &FORWARDED_FOR, headers, client.as_ref().map(String::as_bytes));
    append(&mut out, &FORWARDED_PROTO, headers, Some(b"http"));
    append(&mut out, &FORWARDED_HOST, headers, headers.get(HOST).map(HeaderValue::as_bytes));
    out.extend_from_slice(b"\r\n");
    out
}

/// Whether a header concerns one connection alone.
pub(super) fn is_hop_by_hop(name: &HeaderName, headers: &HeaderMap) -> bool {
    HOP_BY_HOP.contains(name) || options(headers).any(|option| option.eq_ignore_ascii_case(name.as_str()))
}

/// The options that `Connection` names.
pub(super) fn options(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let values = headers.get_all(CONNECTION).filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim)
}

fn write(out: &mut Vec<u8>, name: &HeaderName, value: &[u8]) {
    out.extend_from_slice(name.as_str().as_bytes());
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

/// Writes the values of a list in one line, with ours behind those that the client has sent.
fn append(out: &mut Vec<u8>, name: &HeaderName, headers: &HeaderMap, ours: Option<&[u8]>) {
    let sent = headers.get_all(name).map(HeaderValue::as_bytes).filter(|value| !value.is_empty());
    let all: Vec<&[u8]> = sent.chain(ours).collect();
    if !all.is_empty() {
        write(out, name, &all.join(&b", "[..]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn lines(request: TestRequest, address: &str) -> Vec<String> {
        let request = request.to_http_request();
        let client = Some("192.0.2.7".parse().unwrap());
        let head = request_head(request.head(), client, &UpstreamAddress::parse(address).unwrap());
        let text = String::from_utf8(head).unwrap();
        let mut lines: Vec<_> = text.trim_end().split("\r\n").map(str::to_owned).collect();
        lines[1..].sort_unstable();
        lines
    }

    #[test]
    fn a_head_loses_what_concerns_the_connection_and_what_is_ours() {
        let request = TestRequest::post()
            .uri("/s/x/orders?a=%2F&b")
            .insert_header(("Host", "front"))
            .insert_header(("Connection", "close, X-Hop"))
            .append_header(("Connection", "keep-alive"))
            .insert_header(("X-Hop", "1"))
            .insert_header(("Keep-Alive", "timeout=5"))
            .insert_header(("TE", "trailers"))
            .insert_header(("Upgrade", "h2c"))
            .insert_header(("Transfer-Encoding", "chunked"))
            .insert_header(("Expect", "100-continue"))
            .insert_header(("X-Test-Session", "a"))
            .insert_header(("X-Test-Call", "a"))
            .insert_header(("X-Fault", "ok"))
            .insert_header(("Idempotency-Key", "k"))
            .append_header(("Accept", "a"))
            .append_header(("Accept", "b"));
        let expected = [
            "POST /v1/s/x/orders?a=%2F&b HTTP/1.1",
            "accept: a",
            "accept: b",
            "host: api:81",
            "idempotency-key: k",
            "transfer-encoding: chunked",
            "x-forwarded-for: 192.0.2.7",
            "x-forwarded-host: front",
            "x-forwarded-proto: http",
        ];
        assert_eq!(lines(request, "http://api:81/v1"), expected);
    }

    #[test]
    fn what_was_forwarded_before_is_kept_in_front_and_credentials_give_way() {
        let request = TestRequest::get()
            .insert_header(("Host", "front"))
            .append_header(("X-Forwarded-For", "198.51.100.1"))
            .append_header(("X-Forwarded-For", "198.51.100.2"))
            .insert_header(("X-Forwarded-Proto", "https"))
            .insert_header(("Authorization", "Bearer x"));
        let expected = [
            "GET / HTTP/1.1",
            "authorization: Bearer x",
            "host: api",
            "x-forwarded-for: 198.51.100.1, 198.51.100.2, 192.0.2.7",
            "x-forwarded-host: front",
            "x-forwarded-proto: https, http",
        ];
        assert_eq!(lines(request, "http://u:p@api:80"), expected);
        let without = lines(TestRequest::get(), "http://u:p@api");
        assert!(without.contains(&"authorization: Basic dTpw".to_owned()), "{without:?}");
    }
}
