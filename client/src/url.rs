//! The target of a call: the base URL, a path or an absolute URL, and a query. Pure.
//!
//! A path is appended to the base, so that it can never lead to another host, nor with `..` out of the base's path.
//! What is not allowed in a URL is percent-encoded, and nothing else changes. What awc would misread (a port beyond
//! 65535 becomes 80, an empty path an empty target) is refused or completed here.

mod encode;
mod segments;

use bytes::Bytes;
use http::Uri;

use self::{
    encode::{encoded, is_allowed},
    segments::climbs_out,
};

/// Checks a base URL, and says what is wrong with it.
pub(crate) fn check_base(base: &str) -> Result<(), String> {
    let uri = absolute(base)?;
    if uri.query().is_some() || base.contains('#') {
        return Err("must have neither query nor fragment".to_owned());
    }
    Ok(())
}

/// The target of a call: `path` below `base`, or `path` itself when it is an absolute URL.
pub(crate) fn resolve(base: &str, path: &str, query: &str) -> Result<Uri, String> {
    if is_absolute(path) {
        return absolute(&with_query(String::new(), path, query));
    }
    if !path.starts_with(['/', '?']) && scheme_end(path).is_some() {
        return Err("must start with http:// or https://".to_owned());
    }
    if base.is_empty() {
        return Err("is relative and the client has no base_url".to_owned());
    }
    let base = base.trim_end_matches('/');
    if authority_end(base) < base.len() && climbs_out(path) {
        return Err("leaves the path of the base_url with \"..\"".to_owned());
    }
    let mut target = String::with_capacity(base.len() + path.len() + query.len() + 2);
    target.push_str(base);
    if !path.starts_with('/') {
        target.push('/');
    }
    parse(with_query(target, path, query))
}

/// Adds a query. A fragment never leaves the client, and a query must not be hidden behind one.
fn with_query(mut target: String, path: &str, query: &str) -> String {
    let path = path.split_once('#').map_or(path, |(before, _)| before);
    target.push_str(path);
    if !query.is_empty() {
        target.push(if path.contains('?') { '&' } else { '?' });
        target.push_str(query);
    }
    target
}

fn is_absolute(path: &str) -> bool {
    let starts =
        |scheme: &str| path.get(..scheme.len()).is_some_and(|head| head.eq_ignore_ascii_case(scheme));
    starts("http://") || starts("https://")
}

/// Where the scheme of an absolute URL ends. The scan is over bytes: every call makes it, and a search for a string
/// costs more to set up than a URL takes to scan.
fn scheme_end(url: &str) -> Option<usize> {
    url.as_bytes().windows(3).position(|three| three == b"://")
}

/// Where the authority of an absolute URL ends.
fn authority_end(url: &str) -> usize {
    let start = scheme_end(url).map_or(0, |at| at + 3);
    let end = url.as_bytes()[start..].iter().position(|byte| matches!(byte, b'/' | b'?' | b'#'));
    end.map_or(url.len(), |at| start + at)
}

fn absolute(text: &str) -> Result<Uri, String> {
    if !is_absolute(text) {
        return Err("must start with http:// or https://".to_owned());
    }
    let text = text.split_once('#').map_or(text, |(before, _)| before);
    let uri = parse(text.to_owned())?;
    let Some(authority) = uri.authority() else {
        return Err("has no host".to_owned());
    };
    let host = authority.host();
    if host.is_empty() {
        return Err("has no host".to_owned());
    }
    // `port_u16` would search for the host once more.
    let port = || authority.as_str()[host.len()..].strip_prefix(':')?.parse::<u16>().ok();
    if authority.as_str().len() > host.len() && port().is_none_or(|port| port == 0) {
        // What stands there is not shown: it is a password if an `@` follows later.
        return Err("has a port that is not 1 to 65535".to_owned());
    }
    Ok(uri)
}

/// Reads an absolute URL. What its path and query cannot hold is percent-encoded; control characters are refused.
fn parse(text: String) -> Result<Uri, String> {
    if text.bytes().any(|byte| byte.is_ascii_control()) {
        return Err("contains a control character".to_owned());
    }
    let (origin, target) = text.split_at(authority_end(&text));
    let (scheme, authority) = match scheme_end(origin) {
        Some(at) => (&origin[..at], &origin[at + 3..]),
        None => ("http", origin),
    };
    if authority.is_empty() || authority.starts_with('\\') {
        return Err("has no host".to_owned());
    }
    // The message must not repeat them.
    if authority.contains('@') {
        return Err("must not contain credentials; send an Authorization header".to_owned());
    }
    let url = if target.starts_with('/') && authority.is_ascii() && is_allowed(target) {
        text
    } else {
        let slash = if target.starts_with('/') { "" } else { "/" };
        format!("{scheme}://{}{slash}{}", ascii_authority(authority)?, encoded(target))
    };
    Uri::from_maybe_shared(Bytes::from(url)).map_err(|why| format!("is not a URL: {why}"))
}

/// An authority with an international domain name in its ASCII form.
fn ascii_authority(authority: &str) -> Result<String, String> {
    if authority.is_ascii() {
        return Ok(authority.to_owned());
    }
    let url =
        url::Url::parse(&format!("http://{authority}/")).map_err(|why| format!("is not a URL: {why}"))?;
    let port = authority.rsplit_once(':').map_or(String::new(), |(_, port)| format!(":{port}"));
    Ok(format!("{}{port}", url.host_str().unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_appended_to_the_base() {
        for (base, path, query, expected) in [
            ("http://h:1", "/msg", "", "http://h:1/msg"),
            ("http://h:1/", "/msg", "", "http://h:1/msg"),
            ("http://h:1/api/", "msg", "", "http://h:1/api/msg"),
            ("http://h:1/api", "/msg?a=1", "b=2", "http://h:1/api/msg?a=1&b=2"),
            ("http://h:1", "", "", "http://h:1/"),
            ("http://h:1", "?a=1", "", "http://h:1/?a=1"),
            ("http://h:1/api", "?a=1", "", "http://h:1/api/?a=1"),
            ("http://h:1", "//evil.example/x", "", "http://h:1//evil.example/x"),
            ("http://h:1", "/x?to=ftp://y", "", "http://h:1/x?to=ftp://y"),
            ("http://h:1", "@evil.example", "", "http://h:1/@evil.example"),
            ("http://h:1", "/a b/é", "", "http://h:1/a%20b/%C3%A9"),
            ("http://h:1", "/a#part", "b=2", "http://h:1/a?b=2"),
            ("http://h:1", "http://other:2/x", "b=2", "http://other:2/x?b=2"),
            ("http://h:1", "http://other:2?x=1", "", "http://other:2/?x=1"),
            ("http://h:1", "http://other:2", "x=1", "http://other:2/?x=1"),
            ("http://h:1", "http://other:2#part", "x=1", "http://other:2/?x=1"),
            ("http://h:1", "HTTPS://other/x", "", "https://other/x"),
            ("", "http://[::1]:8080/x", "", "http://[::1]:8080/x"),
            ("", "http://bücher.example:8080/x", "", "http://xn--bcher-kva.example:8080/x"),
        ] {
            assert_eq!(resolve(base, path, query).unwrap().to_string(), expected, "{base} + {path}");
        }
    }

    #[test]
    fn one_space_changes_nothing_but_itself() {
        for (path, expected) in [
            ("/a b/%2e%2e/c", "/api/a%20b/%2e%2e/c"),
            ("/a b/../c", "/api/a%20b/../c"),
            ("/a b/./%7e%41//c", "/api/a%20b/./%7e%41//c"),
            ("/a?q= %2f+&r", "/api/a?q=%20%2f+&r"),
        ] {
            let uri = resolve("http://h/api", path, "").unwrap();
            assert_eq!(uri.path_and_query().unwrap().as_str(), expected);
        }
    }

    #[test]
    fn two_dots_never_leave_the_path_of_the_base() {
        for path in
            ["/..", "..", "/../c", "/%2e%2e/c", "/.%2E/c", "/a/../../c", "/a b/../../c", "//../c", "/./../c"]
        {
            assert!(resolve("http://h/api", path, "").is_err(), "{path}");
            assert!(resolve("http://h/api/", path, "x=1").is_err(), "{path}");
            // There is nothing above the root.
            assert!(resolve("http://h", path, "").is_ok(), "{path}");
        }
        for path in ["/a/../c", "/a?b=/../../c", "/...", "/a..", "/..a/c", "/a#/../.."] {
            assert!(resolve("http://h/api", path, "").is_ok(), "{path}");
        }
    }

    #[test]
    fn what_is_not_an_http_url_is_refused() {
        for (base, path) in [
            ("", "/msg"),
            ("http://h", "ftp://h/x"),
            ("http://h", "http:///x"),
            ("http://h", "http://?x"),
            ("http://h", "http://"),
            ("http://h", "http://\\\\x"),
            ("http://h", "http://h:99999/"),
            ("http://h", "http://h:0/"),
            ("http://h", "http://u:p@h/"),
            ("http://h", "/a\nb"),
            ("http://h", "http://[::1/"),
            ("http://h", "http://h ost/"),
        ] {
            assert!(resolve(base, path, "").is_err(), "{base} + {path}");
        }
    }

    #[test]
    fn no_message_repeats_a_secret() {
        for url in [
            "ftp://user:password@host/",
            "http://user:password@host/",
            "http://user:pass@word@host:99999/",
            "HTTP://password@/",
            "http://password@[::1",
            "mailto://user:password@host?token=password",
            "http://pass word@host/",
        ] {
            for base in ["", "http://h"] {
                let why = resolve(base, url, "token=password").unwrap_err();
                assert!(!why.contains("pass") && !why.contains("user"), "{url}: {why}");
            }
            let why = check_base(url).unwrap_err();
            assert!(!why.contains("pass") && !why.contains("user"), "{url}: {why}");
        }
    }

    /// RFC 3986, 5.2.4, after decoding what needs no encoding.
    fn normalised(path: &str) -> String {
        url::Url::parse(&format!("http://h{path}")).unwrap().path().to_owned()
    }

    #[test]
    fn no_path_leaves_the_base_and_no_allowed_byte_changes() {
        let mut random = crate::seed::rng();
        let pieces = [
            "/", "..", ".", "%2e", "%2E", "%2f", "%5c", "\\", "a", "%", "%4", "%41", " ", "é", "[", "]", "|",
            "~", ":@", "//", "{", "\"", "^", ";", "😀", "+", "&=",
        ];
        for _ in 0..20_000 {
            let count = random.usize(0..8);
            let path: String = (0..count).map(|_| pieces[random.usize(..pieces.len())]).collect();
            let Ok(uri) = resolve("http://h/api", &path, "") else {
                assert!(
                    path.contains('.') || path.to_ascii_lowercase().contains("%2e"),
                    "{path:?} is refused"
                );
                continue;
            };
            let sent = uri.path_and_query().unwrap().as_str();
            let below = normalised(sent);
            assert!(
                below == "/api" || below.starts_with("/api/"),
                "{path:?} became {sent:?}, which is {below:?}"
            );
            assert!(sent.bytes().all(|byte| byte.is_ascii_graphic()), "{sent:?}");
            let expected = path.strip_prefix('/').unwrap_or(&path);
            let decoded = decode(sent.strip_prefix("/api/").unwrap());
            assert_eq!(decoded, decode(expected), "{path:?} became {sent:?}");
            let again = resolve("http://h/api", sent.strip_prefix("/api").unwrap(), "").unwrap();
            assert_eq!(again, uri, "what is encoded is not encoded again");
        }
    }

    /// Undoes what encoding does, and leaves `%` alone where it is no encoding.
    fn decode(text: &str) -> Vec<u8> {
        let (bytes, mut out, mut at) = (text.as_bytes(), Vec::new(), 0);
        while at < bytes.len() {
            let digits = bytes.get(at + 1..at + 3).filter(|pair| pair.iter().all(u8::is_ascii_hexdigit));
            let pair = digits.and_then(|pair| std::str::from_utf8(pair).ok());
            match pair.and_then(|pair| u8::from_str_radix(pair, 16).ok()).filter(|_| bytes[at] == b'%') {
                Some(byte) => {
                    out.push(byte);
                    at += 3;
                }
                None => {
                    out.push(bytes[at]);
                    at += 1;
                }
            }
        }
        out
    }
}
