//! A proxy: where it is, and what the client authenticates with. Pure.

use std::fmt;

use http::HeaderValue;
use percent_encoding::percent_decode_str;
use url::Url;

use crate::call::auth;

/// A proxy that speaks HTTP.
///
/// Its name in messages is its host and port, without credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Proxy {
    /// Without the brackets of an IPv6 address.
    pub(crate) host: String,
    pub(crate) port: u16,
    /// The value of `Proxy-Authorization`; its debug output hides it.
    pub(crate) credentials: Option<HeaderValue>,
}

impl Proxy {
    /// Reads `http://user:password@host:port`. Without a scheme it is `http://`. The error repeats nothing of it.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let form = "must be http://[user:password@]host[:port]";
        let text = text.trim();
        let with_scheme = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
        let url = Url::parse(&with_scheme).map_err(|_| form)?;
        match url.scheme() {
            "http" => {}
            "https" => return Err("must be http://: a proxy that is reached over TLS is not supported"),
            scheme if scheme.starts_with("socks") => {
                return Err("must be http://: a SOCKS proxy is not supported");
            }
            _ => return Err(form),
        }
        let only_an_origin =
            matches!(url.path(), "" | "/") && url.query().is_none() && url.fragment().is_none();
        let host = url.host_str().filter(|_| only_an_origin).ok_or(form)?;
        let port = url.port_or_known_default().filter(|port| *port != 0).ok_or(form)?;
        Ok(Self { host: without_brackets(host).to_owned(), port, credentials: credentials(&url)? })
    }
}

/// The host and the port.
impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

fn credentials(url: &Url) -> Result<Option<HeaderValue>, &'static str> {
    let password = url.password();
    if url.username().is_empty() && password.is_none() {
        return Ok(None);
    }
    let decoded = |text: &str| {
        let text = percent_decode_str(text).decode_utf8();
        text.map(std::borrow::Cow::into_owned).map_err(|_| "must have credentials that are UTF-8")
    };
    let (user, password) = (decoded(url.username())?, decoded(password.unwrap_or_default())?);
    let value = auth::basic(&user, &password);
    value
        .map(Some)
        .map_err(|_| "must have credentials without control characters, and no ':' in the user name")
}

/// A host without the brackets of an IPv6 address.
pub(crate) fn without_brackets(host: &str) -> &str {
    host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host)
}
