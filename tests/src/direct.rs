//! The configuration of a client that reaches the servers of the tests also where the environment names a proxy.

use resilient_client::{ClientConfig, ProxyConfig};

/// The default configuration with this base URL, but for the proxies of the environment, which are not read.
#[must_use]
pub fn direct(base_url: impl Into<String>) -> ClientConfig {
    let proxy = ProxyConfig { from_env: false, ..ProxyConfig::default() };
    ClientConfig { proxy, ..ClientConfig::new(base_url) }
}
