//! The headers of a reply. They have a type of their own, so that no version of another crate is part of the API.

use std::fmt;

use http::header::{HeaderName, HeaderValue};

use crate::redact;

/// The headers of a reply, in the order in which they came. Names compare without regard to case.
///
/// The debug output hides the values of cookies and other secrets.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Headers(Vec<(HeaderName, HeaderValue)>);

impl Headers {
    /// The first value of a header that is text.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.raw(name).find_map(|value| std::str::from_utf8(value).ok())
    }

    /// All values of a header that are text.
    pub fn get_all<'a, 'n>(&'a self, name: &'n str) -> impl Iterator<Item = &'a str> + use<'a, 'n> {
        self.raw(name).filter_map(|value| std::str::from_utf8(value).ok())
    }

    /// Whether there is a header of this name.
    pub fn contains(&self, name: &str) -> bool {
        self.raw(name).next().is_some()
    }

    /// Every header: its name, in lower case, and its value.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_bytes()))
    }

    /// The number of headers.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no header.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Every header as text that may be logged: `***` stands for the value of a secret header, such as `Set-Cookie`, and
    /// for the secrets in a URL.
    pub fn redacted(&self) -> impl Iterator<Item = (&str, String)> {
        self.iter().map(|(name, value)| (name, redact::header(name, value)))
    }

    /// Removes the headers of these names, which are in lower case.
    pub(crate) fn remove(&mut self, names: &[&str]) {
        self.0.retain(|(name, _)| !names.contains(&name.as_str()));
    }

    /// All values of a header, as bytes.
    pub(crate) fn raw<'a, 'n>(&'a self, name: &'n str) -> impl Iterator<Item = &'a [u8]> + use<'a, 'n> {
        self.0
            .iter()
            .filter(|(n, _)| n.as_str().eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_bytes())
    }
}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        redact::Shown(&self.0).fmt(f)
    }
}

impl FromIterator<(HeaderName, HeaderValue)> for Headers {
    fn from_iter<I: IntoIterator<Item = (HeaderName, HeaderValue)>>(pairs: I) -> Self {
        Self(pairs.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_compare_without_regard_to_case_and_order_is_kept() {
        let pair = |name: &'static str, value: &'static [u8]| {
            (HeaderName::from_static(name), HeaderValue::from_bytes(value).unwrap())
        };
        let headers: Headers =
            [pair("set-cookie", b"a=1"), pair("x-odd", b"\xff"), pair("set-cookie", b"b=2")]
                .into_iter()
                .collect();
        assert_eq!(headers.redacted().next(), Some(("set-cookie", "***".to_owned())));
        assert_eq!(headers.get("Set-Cookie"), Some("a=1"));
        assert_eq!(headers.get_all("SET-COOKIE").collect::<Vec<_>>(), ["a=1", "b=2"]);
        assert_eq!(headers.get("x-odd"), None, "not text");
        assert!(headers.contains("X-Odd"));
        assert_eq!((headers.len(), headers.is_empty()), (3, false));
        assert_eq!(headers.iter().nth(1), Some(("x-odd", &b"\xff"[..])));
        let shown = format!("{headers:?}");
        assert_eq!(shown, "{\"set-cookie\": \"***\", \"x-odd\": \"\u{fffd}\", \"set-cookie\": \"***\"}");
    }
}
