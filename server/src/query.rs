//! The parameters of a query. \[pure\]
//!
//! Form decoding replaces what is not UTF-8, so that it cannot fail.

use std::borrow::Cow;

/// Returns the last value of a parameter: of repeated ones it counts, as it does in FastAPI.
#[must_use]
pub fn last<'a>(query: &'a str, name: &str) -> Option<Cow<'a, str>> {
    values(query, name).last()
}

/// Returns every value of a parameter.
pub fn values<'a>(query: &'a str, name: &str) -> impl Iterator<Item = Cow<'a, str>> {
    let pairs = url::form_urlencoded::parse(query.as_bytes());
    pairs.filter(move |(found, _)| found == name).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_value_of_a_parameter_counts_decoded() {
        let table = [
            ("", None),
            ("b=1", None),
            ("a=1", Some("1")),
            ("a=1&b=2&a=3&c=4", Some("3")),
            ("a=1&a", Some("")),
            ("%61=x%20y+z", Some("x y z")),
            ("a=%FF", Some("\u{fffd}")),
        ];
        for (query, expected) in table {
            assert_eq!(last(query, "a").as_deref(), expected, "{query}");
        }
    }
}
