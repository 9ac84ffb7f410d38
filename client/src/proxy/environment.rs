//! The variables that name a proxy for many programs: `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`. Pure.
//!
//! Each is read in lower case first, then in upper case. An empty one counts as not set.

use std::ffi::OsString;

use super::bypass::Bypass;
use crate::error::Error;

/// Set where the program is run by a web server (CGI): `HTTP_PROXY` is then the `Proxy` header of a request.
const CGI: &str = "REQUEST_METHOD";

const FOR_HTTP: [&str; 4] = ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"];
const FOR_HTTP_IN_CGI: [&str; 3] = ["http_proxy", "all_proxy", "ALL_PROXY"];
/// The variables for https, the most specific first.
pub(super) const FOR_HTTPS: [&str; 4] = ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];

/// The variables for http, the most specific first.
pub(super) fn for_http(variable: &impl Fn(&str) -> Option<OsString>) -> &'static [&'static str] {
    if variable(CGI).is_some() { &FOR_HTTP_IN_CGI } else { &FOR_HTTP }
}

/// The first of the variables that is set, with its value.
pub(super) fn first(
    variable: &impl Fn(&str) -> Option<OsString>,
    names: &[&'static str],
) -> Result<Option<(&'static str, String)>, Error> {
    let set = names.iter().find_map(|name| Some((*name, variable(name).filter(|value| !value.is_empty())?)));
    let Some((name, value)) = set else { return Ok(None) };
    let value = value.into_string().map_err(|_| Error::config(name, "must be UTF-8"))?;
    Ok(Some((name, value)))
}

/// The hosts that are reached directly.
pub(super) fn bypass(variable: &impl Fn(&str) -> Option<OsString>) -> Bypass {
    let list =
        ["no_proxy", "NO_PROXY"].iter().find_map(|name| variable(name).filter(|value| !value.is_empty()));
    list.map_or_else(Bypass::default, |list| Bypass::parse_leniently(&list.to_string_lossy()))
}
