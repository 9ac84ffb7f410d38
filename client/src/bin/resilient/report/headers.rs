//! The headers of a reply, as a report shows them. Pure.

use std::collections::BTreeMap;

use resilient_client::Headers;
use serde::Serialize;

/// Names in lower case, each with its value, or with a list of values in their order if it is repeated.
pub(super) type ByName<'a> = BTreeMap<&'a str, Values>;

#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(super) enum Values {
    One(String),
    Repeated(Vec<String>),
}

/// Groups headers by name. Secrets are hidden, because reports end up in logs.
pub(super) fn by_name(headers: &Headers) -> ByName<'_> {
    let mut by_name: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (name, value) in headers.redacted() {
        by_name.entry(name).or_default().push(value);
    }
    by_name.into_iter().map(|(name, values)| (name, Values::from(values))).collect()
}

impl From<Vec<String>> for Values {
    fn from(mut values: Vec<String>) -> Self {
        match values.pop() {
            Some(only) if values.is_empty() => Self::One(only),
            last => {
                values.extend(last);
                Self::Repeated(values)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_single_value_is_a_string_and_repeated_values_are_a_list() {
        let json = |values: &[&str]| {
            let values: Vec<_> = values.iter().map(ToString::to_string).collect();
            serde_json::to_string(&Values::from(values)).unwrap()
        };
        assert_eq!(json(&["a"]), r#""a""#);
        assert_eq!(json(&["b", "a", "b"]), r#"["b","a","b"]"#);
    }
}
