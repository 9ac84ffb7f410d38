//! Variables that begin with `RESILIENT_` and do not exist: a typing error that would otherwise go unnoticed.

use std::{collections::BTreeMap, ffi::OsString};

use super::PREFIX;
use crate::error::Error;

/// Refuses the first variable that is not one of `known`, and names the nearest one that is. No value is shown.
pub(super) fn refuse(variables: &BTreeMap<String, OsString>, known: &[String]) -> Result<(), Error> {
    let unknown = variables.iter().find(|(name, value)| {
        name.starts_with(PREFIX) && !known.contains(name) && !is_service_link(name, value)
    });
    let Some((name, _)) = unknown else { return Ok(()) };
    let nearest = known.iter().max_by(|one, other| likeness(one, name).total_cmp(&likeness(other, name)));
    let rule = match nearest {
        Some(nearest) => format!("does not exist; did you mean {nearest}?"),
        None => "does not exist".to_owned(),
    };
    Err(Error::config(name.escape_debug().to_string(), rule))
}

/// How much two names are alike, from 0 to 1, by the pairs of letters that they share. A number of edits would prefer a
/// short name that has nothing in common with what was typed to a long one of which a word was left out.
fn likeness(one: &str, other: &str) -> f64 {
    strsim::sorensen_dice(one, other)
}

/// Whether the variable is one of those that Kubernetes sets in every container for a service whose name begins with
/// `resilient`: `RESILIENT_SERVICE_HOST`, `RESILIENT_PORT=tcp://10.0.0.1:80`, `RESILIENT_PORT_80_TCP_PORT`.
fn is_service_link(name: &str, value: &OsString) -> bool {
    let is_port = |text: &str| text.split_once('_').is_some_and(|(port, _)| port.parse::<u16>().is_ok());
    let is_address = || {
        let value = value.to_string_lossy();
        ["tcp://", "udp://", "sctp://"].iter().any(|protocol| value.starts_with(protocol))
    };
    name.ends_with("_SERVICE_HOST")
        || name.contains("_SERVICE_PORT")
        || (name.ends_with("_PORT") && is_address())
        || name.split("_PORT_").skip(1).any(is_port)
}
