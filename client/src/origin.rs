//! The origin of a URL: scheme, host and port (RFC 6454, 4). Pure.

use std::fmt::{self, Write};

use http::Uri;

/// The origin of an absolute URL. It is written with a lower-case host, and without the port that its scheme has by
/// default: `http://host:8000`, `https://host`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin<'a>(pub(crate) &'a Uri);

impl Origin<'_> {
    /// Writes the origin into a string, with one allocation.
    pub(crate) fn name(&self) -> String {
        // Room for `https://` and `:65535`.
        let mut name = String::with_capacity(self.host().len() + 14);
        // A string takes whatever is written.
        let _ = write!(name, "{self}");
        name
    }

    fn host(&self) -> &str {
        self.0.host().unwrap_or_default()
    }

    fn port(&self) -> u16 {
        self.0.port_u16().unwrap_or_else(|| self.default_port())
    }

    fn default_port(&self) -> u16 {
        if self.0.scheme_str() == Some("https") { 443 } else { 80 }
    }
}

impl PartialEq for Origin<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.0.scheme() == other.0.scheme()
            && self.host().eq_ignore_ascii_case(other.host())
            && self.port() == other.port()
    }
}

impl fmt::Display for Origin<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://", self.0.scheme_str().unwrap_or("http"))?;
        for letter in self.host().chars() {
            write!(f, "{}", letter.to_ascii_lowercase())?;
        }
        if self.port() == self.default_port() { Ok(()) } else { write!(f, ":{}", self.port()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_written_in_one_way() {
        for (url, expected) in [
            ("http://h", "http://h"),
            ("http://H.Example:80/a?b", "http://h.example"),
            ("HTTP://h:8000/", "http://h:8000"),
            ("https://h:443/", "https://h"),
            ("https://h:80/", "https://h:80"),
            ("http://h:443/", "http://h:443"),
            ("http://h:080/", "http://h"),
            ("http://[::1]:8000/", "http://[::1]:8000"),
        ] {
            let uri = url.parse().unwrap();
            let name = Origin(&uri).name();
            assert_eq!((name.as_str(), Origin(&uri).to_string().as_str()), (expected, expected), "{url}");
        }
    }

    #[test]
    fn origins_are_the_same_exactly_when_they_are_written_the_same() {
        let urls = ["http://h/", "http://H:80/x", "http://h:81/", "https://h/", "https://h:443", "http://i/"]
            .map(|url| url.parse::<Uri>().unwrap());
        for one in &urls {
            for other in &urls {
                let same = Origin(one).to_string() == Origin(other).to_string();
                assert_eq!(Origin(one) == Origin(other), same, "{one} {other}");
            }
        }
    }
}
