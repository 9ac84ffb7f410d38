//! Where a call goes: the base URL, a path or an absolute URL, and a query. Pure.
//!
//! A path is appended to the base, so it can never lead to another host. What awc would misread (a port beyond
//! 65535 becomes 80) is refused here.

use bytes::Bytes;
use http::Uri;

use crate::redact;

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
    if path.contains("://") && !path.starts_with(['/', '?']) {
        return Err(format!("must start with http:// or https://, got {:?}", redact::url(path)));
    }
    if base.is_empty() {
        return Err(format!("is relative ({:?}) and the client has no base_url", redact::url(path)));
    }
    let mut target = String::with_capacity(base.len() + path.len() + query.len() + 2);
    target.push_str(base.trim_end_matches('/'));
    if !path.starts_with('/') {
        target.push('/');
    }
    parse(with_query(target, path, query))
}

fn with_query(mut target: String, path: &str, query: &str) -> String {
    // A fragment never leaves the client; a query must not be hidden behind one.
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

fn absolute(text: &str) -> Result<Uri, String> {
    if !is_absolute(text) {
        return Err(format!("must start with http:// or https://, got {:?}", redact::url(text)));
    }
    // A browser would take the first segment of the path for the host; that helps nobody here.
    if text
        .split_once("://")
        .is_none_or(|(_, rest)| rest.is_empty() || rest.starts_with(['/', '\\', '?', '#']))
    {
        return Err("has no host".to_owned());
    }
    let uri = parse(text.to_owned())?;
    let Some(authority) = uri.authority() else {
        return Err("has no host".to_owned());
    };
    if authority.as_str().contains('@') {
        return Err("must not contain credentials; send an Authorization header".to_owned());
    }
    if authority.host().is_empty() {
        return Err("has no host".to_owned());
    }
    let after_host = &authority.as_str()[authority.host().len()..];
    if !after_host.is_empty() && authority.port_u16().is_none_or(|port| port == 0) {
        // What stands there is not shown: it is a password if an `@` follows later.
        return Err("has a port that is not 1 to 65535".to_owned());
    }
    Ok(uri)
}

/// Characters that a URL cannot have are percent-encoded, as a browser does; control characters are refused.
fn parse(text: String) -> Result<Uri, String> {
    if text.bytes().any(|byte| byte.is_ascii_control()) {
        return Err("contains a control character".to_owned());
    }
    let bytes = Bytes::from(text);
    if bytes.is_ascii()
        && let Ok(uri) = Uri::from_maybe_shared(bytes.clone())
    {
        return Ok(uri);
    }
    let text = String::from_utf8_lossy(&bytes);
    let encoded = url::Url::parse(&text).map_err(|why| format!("is not a URL: {why}"))?;
    Uri::from_maybe_shared(Bytes::from(String::from(encoded))).map_err(|why| format!("is not a URL: {why}"))
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
            ("http://h:1", "//evil.example/x", "", "http://h:1//evil.example/x"),
            ("http://h:1", "/x?to=ftp://y", "", "http://h:1/x?to=ftp://y"),
            ("http://h:1", "@evil.example", "", "http://h:1/@evil.example"),
            ("http://h:1", "/a b/é", "", "http://h:1/a%20b/%C3%A9"),
            ("http://h:1", "/a#part", "b=2", "http://h:1/a?b=2"),
            ("http://h:1", "http://other:2/x", "b=2", "http://other:2/x?b=2"),
            ("http://h:1", "HTTPS://other/x", "", "https://other/x"),
            ("", "http://[::1]:8080/x", "", "http://[::1]:8080/x"),
        ] {
            assert_eq!(resolve(base, path, query).unwrap().to_string(), expected, "{base} + {path}");
        }
    }

    #[test]
    fn what_is_no_http_url_is_refused() {
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
}
