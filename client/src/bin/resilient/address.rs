//! Turns what people type as an address into a URL or a path. Pure.

use std::borrow::Cow;

/// Puts `http://` before an address without a scheme. A path, which begins with `/` or `?`, stays as it is, and so
/// does what has a scheme: whether that is a good one is for the library to say.
pub(crate) fn with_scheme(typed: &str) -> Cow<'_, str> {
    let before_path = typed.split(['/', '?', '#']).next().unwrap_or_default();
    let has_scheme = ["http:", "https:"].iter().any(|scheme| before_path.eq_ignore_ascii_case(scheme))
        || typed[before_path.len()..].starts_with("//");
    if before_path.is_empty() || has_scheme {
        return Cow::Borrowed(typed);
    }
    Cow::Owned(format!("http://{typed}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_without_a_scheme_is_http() {
        for (typed, url) in [
            ("localhost:8000/msg", "http://localhost:8000/msg"),
            ("localhost", "http://localhost"),
            ("127.0.0.1:8000", "http://127.0.0.1:8000"),
            ("[::1]:8000/x", "http://[::1]:8000/x"),
            ("host?to=http://other/", "http://host?to=http://other/"),
            ("host/a//b", "http://host/a//b"),
            ("host#part", "http://host#part"),
            ("me:secret@host", "http://me:secret@host"),
        ] {
            assert_eq!(with_scheme(typed), url);
        }
    }

    #[test]
    fn a_path_and_an_address_with_a_scheme_stay_as_they_are() {
        for typed in [
            "",
            "/msg",
            "//host/msg",
            "?a=1",
            "#part",
            "http://host/",
            "HTTPS://host/",
            "ftp://host/",
            "://host",
            "http:/host",
            "http:",
        ] {
            assert_eq!(with_scheme(typed), typed);
        }
    }
}
