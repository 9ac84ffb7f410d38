//! The kind of setting that lists origins, each in the form in which browsers send it.

use serde_json::Value as Json;
use url::{Host, Url};

use super::host::is_host_name;
use super::kind::Kind;

/// Which origins may call the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AllowedOrigins {
    /// Any origin, without credentials.
    Any,
    /// These origins, with credentials.
    Listed(Vec<String>),
}

/// Origins, separated by commas; `*` and `null` mean any.
pub(super) struct Origins;

impl Kind for Origins {
    type Value = AllowedOrigins;

    fn parse(&self, text: &str) -> Option<AllowedOrigins> {
        let origins: Vec<_> = text.split(',').map(str::trim).filter(|origin| !origin.is_empty()).collect();
        if origins.is_empty() || origins == ["null"] || origins.contains(&"*") {
            return Some(AllowedOrigins::Any);
        }
        origins.into_iter().map(normalised).collect::<Option<_>>().map(AllowedOrigins::Listed)
    }

    fn expected(&self) -> String {
        "* or origins like https://example.com:8443 (scheme, host and port, no path), separated by commas"
            .to_owned()
    }

    fn json(&self, value: &AllowedOrigins) -> Json {
        match value {
            AllowedOrigins::Any => serde_json::json!(["*"]),
            AllowedOrigins::Listed(origins) => serde_json::json!(origins),
        }
    }
}

/// An origin as browsers send it: lower case, no default port, no slash at its end; `None` when it is invalid.
fn normalised(text: &str) -> Option<String> {
    let (scheme, rest) = text.split_once("://")?;
    let authority = rest.strip_suffix('/').unwrap_or(rest);
    // The parser of URLs repairs much that is no origin, so that it would be accepted in silence.
    let is_authority = !authority.is_empty()
        && !authority.ends_with(':')
        && !authority.contains(|c: char| {
            matches!(c, '/' | '\\' | '?' | '#' | '@' | '%') || c.is_whitespace() || c.is_control()
        });
    let is_web = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    if !is_web || !is_authority {
        return None;
    }
    let url = Url::parse(&format!("{scheme}://{authority}")).ok()?;
    let is_host = match url.host()? {
        Host::Domain(name) => is_host_name(name),
        Host::Ipv4(_) | Host::Ipv6(_) => true,
    };
    is_host.then(|| url.origin().ascii_serialization())
}
