//! Where the upstream is. \[pure\]

use awc::http::Uri;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use url::Url;

/// The address of the upstream, checked and taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpstreamAddress {
    url: Url,
    origin: Uri,
}

impl UpstreamAddress {
    /// Reads an address: `http://host`, perhaps with user, password, port and path. `None` when it is invalid.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        // The parser of URLs repairs much that is no address, so that it would be accepted in silence.
        let is_odd = |c: char| c == '\\' || c.is_whitespace() || c.is_control();
        let url = Url::parse(text).ok().filter(|_| !text.contains(is_odd) && text.is_ascii())?;
        let authority = text.get(..7)?.eq_ignore_ascii_case("http://").then(|| &text[7..])?;
        if authority.starts_with('/') || url.query().is_some() || url.fragment().is_some() {
            return None;
        }
        let origin = url[url::Position::BeforeHost..url::Position::AfterPort].to_owned();
        let origin = Uri::builder().scheme("http").authority(origin).path_and_query("/").build().ok()?;
        (url.port() != Some(0)).then_some(Self { url, origin })
    }

    /// The address as it is shown: credentials are masked.
    #[must_use]
    pub fn shown(&self) -> String {
        masked(self.url.as_str()).trim_end_matches('/').to_owned()
    }

    /// Scheme, host and port alone.
    pub(super) fn origin(&self) -> &Uri {
        &self.origin
    }

    /// Host and port, without the default port.
    pub(super) fn host(&self) -> &str {
        &self.url[url::Position::BeforeHost..url::Position::AfterPort]
    }

    /// The target of a request, from the path and query that the client has asked for.
    pub(super) fn target(&self, path_and_query: &str) -> String {
        match path_and_query {
            "*" => path_and_query.to_owned(),
            _ => self.url.path().trim_end_matches('/').to_owned() + path_and_query,
        }
    }

    /// The value of `Authorization` that the credentials of the address ask for.
    pub(super) fn authorization(&self) -> Option<String> {
        if self.url.username().is_empty() && self.url.password().is_none() {
            return None;
        }
        let decoded = |text| percent_encoding::percent_decode_str(text).collect::<Vec<u8>>();
        let mut credentials = decoded(self.url.username());
        credentials.push(b':');
        credentials.extend(decoded(self.url.password().unwrap_or_default()));
        Some(format!("Basic {}", STANDARD.encode(credentials)))
    }
}

/// Replaces what stands before an `@` in the authority of an address, also of an invalid one.
#[must_use]
pub fn masked(text: &str) -> String {
    let start = text.find("//").map_or(0, |at| at + 2);
    let (scheme, rest) = text.split_at(start);
    // A password that is not encoded may hold a slash, so everything up to the last @ could belong to it.
    match rest.rfind('@') {
        Some(at) => format!("{scheme}***{}", &rest[at..]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_http_with_a_host_and_perhaps_a_path() {
        for text in [
            "http://localhost",
            "http://localhost:3000/",
            "HTTP://api.example.com/v1",
            "http://[::1]:80",
            "http://a:b@h:1/p/",
        ] {
            assert!(UpstreamAddress::parse(text).is_some(), "{text}");
        }
        for text in [
            "",
            "localhost:3000",
            "https://x",
            "ftp://x",
            "http://",
            "http:///x",
            "http:x",
            "http:/x",
            "http://x/?q",
            "http://x/#f",
            "http://x:0",
            "http://x:99999",
            "http://a b",
            "http://x\\y",
            "http://x/ü",
        ] {
            assert!(UpstreamAddress::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn the_target_is_what_was_asked_for_below_the_path_of_the_address() {
        let target = |address, path| UpstreamAddress::parse(address).unwrap().target(path);
        assert_eq!(target("http://h", "/a//b/../%2f?x=%zz&&"), "/a//b/../%2f?x=%zz&&");
        assert_eq!(target("http://h/", "/"), "/");
        assert_eq!(target("http://h/v1/", "/a?b"), "/v1/a?b");
        assert_eq!(target("http://h/v1", "*"), "*");
    }

    #[test]
    fn credentials_are_sent_and_never_shown() {
        let address = UpstreamAddress::parse("http://user:p%40ss@h:8080/v1").unwrap();
        assert_eq!(address.shown(), "http://***@h:8080/v1");
        assert_eq!(address.host(), "h:8080");
        assert_eq!(address.authorization().unwrap(), format!("Basic {}", STANDARD.encode("user:p@ss")));
        assert_eq!(UpstreamAddress::parse("http://h").unwrap().authorization(), None);
        assert_eq!(masked("https://user:pa/ss@h"), "https://***@h");
        assert_eq!(masked("user:pass@h"), "***@h");
        assert_eq!(masked("http://h/x"), "http://h/x");
    }
}
