//! Which requests go through which proxy. Pure; the environment is a parameter.
//!
//! * `address`: a proxy, from its URL. `bypass`: the hosts that are reached directly.
//! * `environment`: the variables that name both for many programs.
//!
//! The decision depends on the origin alone, so a connection in the pool of an origin always leads the same way.

mod address;
mod bypass;
mod environment;

use std::ffi::OsString;

use http::Uri;

pub(crate) use self::address::{Proxy, without_brackets};
use self::bypass::Bypass;
use crate::{
    config::ProxyConfig,
    error::{Error, FieldError},
    redact,
};

/// The field of the configuration that is the URL of the proxy.
const URL: &str = "proxy.url";
const NO_PROXY: &str = "proxy.no_proxy";

/// The scheme of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    Http,
    Https,
}

/// The proxies of a client.
#[derive(Debug, Default)]
pub(crate) struct Proxies {
    http: Option<Proxy>,
    https: Option<Proxy>,
    bypass: Bypass,
}

impl Proxies {
    /// The proxies of a configuration. `variable` reads the environment.
    pub(crate) fn new(
        config: &ProxyConfig,
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Self, Error> {
        let variable = |name: &str| if config.from_env { variable(name) } else { None };
        let bypass = match &config.no_proxy {
            Some(text) => Bypass::parse(text).map_err(|why| Error::config(NO_PROXY, why))?,
            None => environment::bypass(&variable),
        };
        if let Some(url) = &config.url {
            let proxy = Proxy::parse(url).map_err(|why| refused(URL, why, url))?;
            return Ok(Self { http: Some(proxy.clone()), https: Some(proxy), bypass });
        }
        let named = |names: &[&'static str]| {
            let Some((name, url)) = environment::first(&variable, names)? else { return Ok(None) };
            Proxy::parse(&url).map(Some).map_err(|why| refused(name, why, &url))
        };
        Ok(Self {
            http: named(environment::for_http(&variable))?,
            https: named(&environment::FOR_HTTPS)?,
            bypass,
        })
    }

    /// The proxy for the origin of a URL; `None` when it is reached directly. Every call asks, so the URL is only looked
    /// at when there is a proxy for its scheme.
    pub(crate) fn find(&self, scheme: Scheme, uri: &Uri) -> Option<&Proxy> {
        let proxy = match scheme {
            Scheme::Http => &self.http,
            Scheme::Https => &self.https,
        };
        proxy.as_ref().filter(|_| {
            let (host, port) = origin(uri);
            !self.bypass.includes(host, port)
        })
    }
}

/// The host, without the brackets of an IPv6 address, and the port of a URL as awc has it.
pub(crate) fn origin(uri: &Uri) -> (&str, u16) {
    (without_brackets(uri.host().unwrap_or_default()), uri.port_u16().unwrap_or(80))
}

/// Checks the settings, without looking at the environment.
pub(crate) fn check(config: &ProxyConfig) -> Result<(), Error> {
    Proxies::new(&ProxyConfig { from_env: false, ..config.clone() }, |_| None).map(drop)
}

/// The error of a URL that is not one of a proxy. It shows no credentials.
fn refused(field: &'static str, why: &'static str, url: &str) -> Error {
    FieldError::new(field, why).with_value(format!("{:?}", redact::url(url.trim()))).into()
}

#[cfg(test)]
mod tests;
