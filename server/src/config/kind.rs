//! The kinds of values that a setting can have: how the text is read, which range is valid, how the value is shown.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value as Json;

/// A kind of value.
pub(crate) trait Kind {
    /// The type of the value.
    type Value;

    /// Reads a value from text without white space around it; `None` when the text is invalid or out of range.
    fn parse(&self, text: &str) -> Option<Self::Value>;

    /// The valid values, in words that follow "expected".
    fn expected(&self) -> String;

    /// Text that may be no valid value, as it is shown in an error. A secret is masked here.
    fn masked(&self, text: String) -> String {
        text
    }

    /// The value as it is shown in the log and by `config-info`. A secret is masked here.
    fn json(&self, value: &Self::Value) -> Json;
}

/// A whole number in a range.
pub(super) struct Whole<T>(pub(super) RangeInclusive<T>);

impl<T: FromStr + PartialOrd + Display + Serialize> Kind for Whole<T> {
    type Value = T;

    fn parse(&self, text: &str) -> Option<T> {
        text.parse().ok().filter(|value| self.0.contains(value))
    }

    fn expected(&self) -> String {
        format!("a whole number from {} to {}", self.0.start(), self.0.end())
    }

    fn json(&self, value: &T) -> Json {
        serde_json::json!(value)
    }
}

/// A duration in whole seconds.
pub(super) struct Seconds(pub(super) RangeInclusive<u64>);

impl Kind for Seconds {
    type Value = Duration;

    fn parse(&self, text: &str) -> Option<Duration> {
        text.parse().ok().filter(|value| self.0.contains(value)).map(Duration::from_secs)
    }

    fn expected(&self) -> String {
        format!("a whole number of seconds from {} to {}", self.0.start(), self.0.end())
    }

    fn json(&self, value: &Duration) -> Json {
        value.as_secs().into()
    }
}

/// A number of bytes, with or without a unit.
pub(super) struct Size(pub(super) RangeInclusive<u64>);

/// The units, largest first.
const UNITS: [(&str, u64); 5] =
    [("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];

impl Kind for Size {
    type Value = u64;

    fn parse(&self, text: &str) -> Option<u64> {
        let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
        let factor = match &text[digits.len()..] {
            "" => 1,
            unit => UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit))?.1,
        };
        let number: u64 = digits.trim_end().parse().ok()?;
        number.checked_mul(factor).filter(|value| self.0.contains(value))
    }

    fn expected(&self) -> String {
        format!(
            "a size from {} to {}, such as 65536, 512KiB, 64MiB or 1GiB",
            size(*self.0.start()),
            size(*self.0.end())
        )
    }

    fn json(&self, value: &u64) -> Json {
        size(*value).into()
    }
}

/// A size in the largest unit that gives a whole number.
fn size(bytes: u64) -> String {
    let unit = UNITS.iter().find(|(_, factor)| bytes >= *factor && bytes.is_multiple_of(*factor));
    unit.map_or_else(|| format!("{bytes}B"), |(name, factor)| format!("{}{name}", bytes / factor))
}

/// True or false, in the words that pydantic reads.
pub(crate) struct Boolean;

impl Kind for Boolean {
    type Value = bool;

    fn parse(&self, text: &str) -> Option<bool> {
        match text.to_ascii_lowercase().as_str() {
            "true" | "t" | "yes" | "y" | "on" | "1" => Some(true),
            "false" | "f" | "no" | "n" | "off" | "0" => Some(false),
            _ => None,
        }
    }

    fn expected(&self) -> String {
        "true or false".to_owned()
    }

    fn json(&self, value: &bool) -> Json {
        (*value).into()
    }
}

/// One of a few words, in any case.
pub(super) struct OneOf<T: 'static>(pub(super) &'static [(&'static str, T)]);

impl<T: Copy + Serialize> Kind for OneOf<T> {
    type Value = T;

    fn parse(&self, text: &str) -> Option<T> {
        self.0.iter().find(|(word, _)| word.eq_ignore_ascii_case(text)).map(|(_, value)| *value)
    }

    fn expected(&self) -> String {
        let words: Vec<_> = self.0.iter().map(|(word, _)| *word).collect();
        format!("one of {}", words.join(", "))
    }

    fn json(&self, value: &T) -> Json {
        serde_json::json!(value)
    }
}

/// A value that may be absent. Empty text is no value.
pub(super) struct Optional<K>(pub(super) K);

impl<K: Kind> Kind for Optional<K> {
    type Value = Option<K::Value>;

    fn parse(&self, text: &str) -> Option<Self::Value> {
        if text.is_empty() { Some(None) } else { self.0.parse(text).map(Some) }
    }

    fn expected(&self) -> String {
        self.0.expected()
    }

    fn masked(&self, text: String) -> String {
        self.0.masked(text)
    }

    fn json(&self, value: &Self::Value) -> Json {
        value.as_ref().map_or(Json::Null, |value| self.0.json(value))
    }
}
