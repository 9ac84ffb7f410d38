//! References to other variables in a `.env`: `${NAME}` and `${NAME:-default}`. A name is looked up in the lines
//! above, then in the environment; one that is not set is empty.

use std::collections::HashMap;
use std::ffi::OsString;

use super::Entry;

/// The value of the last entry with its references replaced.
pub(super) fn value_of(entries: &[Entry], environment: &[(OsString, OsString)]) -> Option<String> {
    let mut known: HashMap<&str, Option<String>> = HashMap::new();
    for Entry { name, value, .. } in entries {
        let Ok(value) = value else { continue };
        let expanded = value.as_ref().map(|value| {
            expand(value, |name| match known.get(name) {
                Some(value) => Some(value.clone().unwrap_or_default()),
                None => from_environment(environment, name),
            })
        });
        known.insert(name, expanded);
    }
    known.remove(entries.last()?.name.as_str())?
}

fn from_environment(environment: &[(OsString, OsString)], name: &str) -> Option<String> {
    let (_, value) = environment.iter().find(|(found, _)| found == name)?;
    Some(value.to_string_lossy().into_owned())
}

/// Longer values are not expanded further, so that lines that double each other stay small.
const MAX_LENGTH: usize = 64 * 1024;

fn expand(mut text: &str, look_up: impl Fn(&str) -> Option<String>) -> String {
    let mut expanded = String::new();
    while let Some((before, behind)) = text.split_once("${") {
        expanded.push_str(before);
        let Some((name, default, rest)) = reference(behind).filter(|_| expanded.len() < MAX_LENGTH) else {
            expanded.push_str("${");
            text = behind;
            continue;
        };
        expanded.push_str(&look_up(name).unwrap_or_else(|| default.to_owned()));
        text = rest;
    }
    expanded + text
}

/// The name and the default of a reference whose `${` is read already, and the text behind it.
fn reference(text: &str) -> Option<(&str, &str, &str)> {
    let (inside, rest) = text.split_once('}')?;
    match inside.split_once(':') {
        None => Some((inside, "", rest)),
        Some((name, default)) => default.strip_prefix('-').map(|default| (name, default, rest)),
    }
}
