//! The settings of a proxy.

use serde::{Deserialize, Serialize};

use crate::redact;

/// The proxy through which requests go: plain ones as they are, https through a tunnel (CONNECT).
///
/// Requests to the loopback address go through the proxy too, unless `no_proxy` or `NO_PROXY` has it. The debug output
/// hides credentials.
#[derive(Clone, derive_more::Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProxyConfig {
    /// The proxy for all requests: `http://user:password@host:port`. Default none.
    #[debug("{:?}", url.as_deref().map(redact::url))]
    pub url: Option<String>,
    /// The hosts that are reached directly: names (with those below them), addresses, networks such as `10.0.0.0/8`, each
    /// with a port or without, or `*`; separated by commas. Default none, which means those of `NO_PROXY`.
    pub no_proxy: Option<String>,
    /// Whether `HTTP_PROXY`, `HTTPS_PROXY` and `ALL_PROXY`, where `url` is not set, and `NO_PROXY`, where `no_proxy` is not
    /// set, are read when the client starts; in lower case too. Default true.
    pub from_env: bool,
}

impl Default for ProxyConfig {
    fn default() -> Self {
        Self { url: None, no_proxy: None, from_env: true }
    }
}
