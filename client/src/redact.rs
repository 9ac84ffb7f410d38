//! Hides secrets in what people read: messages, log lines and debug output. Pure.
//!
//! It hides too much rather than too little. What is sent is never changed.

use std::fmt;

use http::header::{HeaderName, HeaderValue};

const HIDDEN: &str = "***";

/// Parts of names that say that the value is a secret.
const TELLING: [&str; 15] = [
    "authoriz",
    "authent",
    "oauth",
    "cookie",
    "token",
    "secret",
    "passw",
    "passphrase",
    "credential",
    "session",
    "signature",
    "apikey",
    "accesskey",
    "privatekey",
    "csrf",
];
/// Whole words of names that do.
const WORDS: [&str; 9] = ["auth", "key", "pwd", "pass", "sig", "sid", "jwt", "code", "otp"];

/// Headers whose value is a URL or contains one.
const URLS: [&str; 4] = ["location", "content-location", "link", "refresh"];

/// Whether a header or a query parameter of this name has a secret value.
pub(crate) fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let letters: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    TELLING.iter().any(|part| letters.contains(part))
        || name.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| WORDS.contains(&word))
}

/// A URL, or a path with its query, without user information and without the values of secret parameters.
pub(crate) fn url(text: &str) -> String {
    let mut pieces = text.split_inclusive(['?', '&', '#']);
    let mut shown = without_userinfo(pieces.next().unwrap_or_default());
    for piece in pieces {
        match piece.split_once('=') {
            Some((name, value)) if is_secret(name) => {
                let end = if value.ends_with(['?', '&', '#']) { &value[value.len() - 1..] } else { "" };
                shown.extend([name, "=", HIDDEN, end]);
            }
            _ => shown.push_str(piece),
        }
    }
    shown
}

fn without_userinfo(text: &str) -> String {
    let (scheme, rest) = match text.find("://") {
        Some(at) => text.split_at(at + 3),
        None => ("", text),
    };
    match rest.rsplit_once('@') {
        // A path has no user information.
        Some((_, host)) if !rest.starts_with('/') => format!("{scheme}{HIDDEN}@{host}"),
        _ => text.to_owned(),
    }
}

/// The value of a header as text, hidden if it is a secret, and with its secrets hidden if it is a URL.
pub(crate) fn header(name: &str, value: &[u8]) -> String {
    if is_secret(name) {
        return HIDDEN.to_owned();
    }
    let text = String::from_utf8_lossy(value);
    if URLS.contains(&name) { url(&text) } else { text.into_owned() }
}

/// Headers for debug output.
pub(crate) struct Shown<'a>(pub(crate) &'a [(HeaderName, HeaderValue)]);

impl fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown =
            self.0.iter().map(|(name, value)| (name.as_str(), header(name.as_str(), value.as_bytes())));
        f.debug_map().entries(shown).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_information_and_secret_parameters_are_hidden_and_nothing_else() {
        for (text, expected) in [
            ("ftp://user:password@host/", "ftp://***@host/"),
            ("http://user:pass/word@host/x", "http://***@host/x"),
            ("http://token@host", "http://***@host"),
            ("user:password@host", "***@host"),
            ("http://host/users/a?b=c", "http://host/users/a?b=c"),
            ("/users/@me?x=1", "/users/@me?x=1"),
            ("/x?api_key=1&page=2", "/x?api_key=***&page=2"),
            ("/x?page=2&X-Amz-Signature=abc", "/x?page=2&X-Amz-Signature=***"),
            ("/x?a=1#access_token=2&b=3", "/x?a=1#access_token=***&b=3"),
            ("http://host?password=a=b", "http://host?password=***"),
            ("/x?author=me&keyboard=de", "/x?author=me&keyboard=de"),
            ("", ""),
        ] {
            assert_eq!(url(text), expected);
        }
    }

    #[test]
    fn names_of_secrets_are_recognised() {
        for secret in [
            "Authorization",
            "Proxy-Authorization",
            "Cookie",
            "Set-Cookie",
            "X-Api-Key",
            "apiKey",
            "X-Auth-Token",
            "X-CSRF-Token",
            "client_secret",
            "pwd",
            "sessionid",
            "sig",
        ] {
            assert!(is_secret(secret), "{secret}");
        }
        for open in ["accept", "content-type", "x-request-id", "idempotency-id", "page", "delay", "author"] {
            assert!(!is_secret(open), "{open}");
        }
    }
}
