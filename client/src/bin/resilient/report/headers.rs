//! The headers of a reply, as a report shows them. Pure.

use std::{borrow::Cow, collections::BTreeMap};

use resilient_client::Headers;
use serde::Serialize;

use crate::secrets::{MASKED, without_userinfo};

/// Names in lower case, each with its value, or with a list of values in their order if it is repeated.
pub(super) type ByName<'a> = BTreeMap<&'a str, Values<'a>>;

#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(super) enum Values<'a> {
    One(Cow<'a, str>),
    Repeated(Vec<Cow<'a, str>>),
}

/// Groups headers by name. Bytes that are not UTF-8 are replaced.
pub(super) fn by_name(headers: &Headers) -> ByName<'_> {
    let mut by_name: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (name, value) in headers.iter() {
        by_name.entry(name).or_default().push(shown(name, String::from_utf8_lossy(value)));
    }
    by_name.into_iter().map(|(name, values)| (name, Values::from(values))).collect()
}

impl<'a> From<Vec<Cow<'a, str>>> for Values<'a> {
    fn from(mut values: Vec<Cow<'a, str>>) -> Self {
        match values.pop() {
            Some(only) if values.is_empty() => Self::One(only),
            last => {
                values.extend(last);
                Self::Repeated(values)
            }
        }
    }
}

/// The value with its secrets masked: reports end up in logs.
fn shown<'a>(name: &str, value: Cow<'a, str>) -> Cow<'a, str> {
    match name {
        "set-cookie" | "set-cookie2" => Cow::Owned(masked_cookie(&value)),
        "authorization" | "proxy-authorization" | "authentication-info" | "cookie" => Cow::Borrowed(MASKED),
        _ => match value {
            Cow::Borrowed(text) => without_userinfo(text),
            Cow::Owned(text) => Cow::Owned(without_userinfo(&text).into_owned()),
        },
    }
}

/// A cookie without its value. Its name and its attributes stay.
fn masked_cookie(cookie: &str) -> String {
    let (pair, attributes) = cookie.split_at(cookie.find(';').unwrap_or(cookie.len()));
    match pair.split_once('=') {
        Some((name, _)) => format!("{name}={MASKED}{attributes}"),
        None => format!("{MASKED}{attributes}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_value_of_a_cookie_is_masked_and_its_attributes_stay() {
        for (cookie, expected) in [
            ("session=secret; Path=/; HttpOnly", "session=***; Path=/; HttpOnly"),
            ("session=sec=ret", "session=***"),
            ("secret", "***"),
            ("secret; Secure", "***; Secure"),
        ] {
            assert_eq!(shown("set-cookie", cookie.into()), expected);
        }
        assert_eq!(shown("authorization", "Basic c2VjcmV0".into()), "***");
        assert_eq!(shown("content-type", "text/plain".into()), "text/plain");
        assert_eq!(shown("location", "http://u:p@host/".into()), "http://***@host/");
    }

    #[test]
    fn a_single_value_is_a_string_and_repeated_values_are_a_list() {
        let json = |values: &[&'static str]| {
            let values: Vec<_> = values.iter().map(|value| Cow::Borrowed(*value)).collect();
            serde_json::to_string(&Values::from(values)).unwrap()
        };
        assert_eq!(json(&["a"]), r#""a""#);
        assert_eq!(json(&["b", "a", "b"]), r#"["b","a","b"]"#);
    }
}
