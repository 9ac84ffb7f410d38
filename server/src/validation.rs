//! Reads values out of a request, and describes what is wrong with them in the words of FastAPI.
//!
//! Whole numbers are read as pydantic reads them in its lax mode, so that every value that the Python server accepts
//! is accepted here: spaces around the number, a sign, single underscores between digits and a fraction of zeros.

use std::ops::RangeInclusive;

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::error::ErrorBody;

/// The body of a 422: one entry for every value that does not parse or is out of range.
#[derive(Serialize, ToSchema)]
#[schema(as = HTTPValidationError)]
pub(crate) struct HttpValidationError {
    detail: Vec<ValidationError>,
}

/// One value that is wrong.
#[derive(Serialize, ToSchema)]
struct ValidationError {
    /// Where the value is: `path`, `query`, `header` or `body`, then names and indices.
    loc: Vec<Step>,
    /// The broken rule in words.
    msg: String,
    /// The name of the broken rule.
    #[schema(example = "int_parsing")]
    r#type: String,
    /// The value as it was sent.
    input: Value,
    /// The parameter of the rule, if it has one.
    #[schema(nullable = false)]
    ctx: Option<std::collections::HashMap<String, Value>>,
}

/// One step on the way to a value.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = LocationStep)]
#[expect(dead_code, reason = "read by the derive alone")]
enum Step {
    /// A name.
    Name(String),
    /// The index of an element.
    Index(u64),
}

/// A request whose values are wrong, or whose idempotency key was used for another request.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = UnprocessableRequest)]
#[expect(dead_code, reason = "read by the derive alone")]
pub(crate) enum Unprocessable {
    /// Every value that is wrong.
    Values(HttpValidationError),
    /// What is wrong with the key.
    Key(ErrorBody),
}

/// One thing that is wrong with a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Which rule is broken.
    pub rule: Rule,
    /// Where the value is: `path`, `query` or `header`, then its name.
    pub location: [&'static str; 2],
    /// What was sent.
    pub input: String,
}

/// The rules that a value can break, and their parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// The value must be a whole number.
    IntParsing,
    /// The value must not be below this.
    GreaterThanEqual(u32),
    /// The value must not be above this.
    LessThanEqual(u32),
    /// The value must not be longer than this.
    StringTooLong(usize),
    /// The value must match the pattern of a key.
    StringPatternMismatch,
}

/// The length of the longest idempotency key.
pub const MAX_KEY_LENGTH: usize = 255;

/// The pattern of an idempotency key: visible ASCII characters.
pub const KEY_PATTERN: &str = "^[!-~]+$";

impl Rule {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::IntParsing => "int_parsing",
            Self::GreaterThanEqual(_) => "greater_than_equal",
            Self::LessThanEqual(_) => "less_than_equal",
            Self::StringTooLong(_) => "string_too_long",
            Self::StringPatternMismatch => "string_pattern_mismatch",
        }
    }

    pub(crate) fn in_words(self) -> String {
        match self {
            Self::IntParsing => {
                "Input should be a valid integer, unable to parse string as an integer".to_owned()
            }
            Self::GreaterThanEqual(low) => format!("Input should be greater than or equal to {low}"),
            Self::LessThanEqual(high) => format!("Input should be less than or equal to {high}"),
            Self::StringTooLong(max) => format!("String should have at most {max} characters"),
            Self::StringPatternMismatch => format!("String should match pattern '{KEY_PATTERN}'"),
        }
    }

    pub(crate) fn parameter(self) -> Option<Value> {
        match self {
            Self::IntParsing => None,
            Self::GreaterThanEqual(low) => Some(json!({ "ge": low })),
            Self::LessThanEqual(high) => Some(json!({ "le": high })),
            Self::StringTooLong(max) => Some(json!({ "max_length": max })),
            Self::StringPatternMismatch => Some(json!({ "pattern": KEY_PATTERN })),
        }
    }
}

impl Serialize for Fault {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("type", self.rule.name())?;
        map.serialize_entry("loc", &self.location)?;
        map.serialize_entry("msg", &self.rule.in_words())?;
        map.serialize_entry("input", &self.input)?;
        if let Some(parameter) = self.rule.parameter() {
            map.serialize_entry("ctx", &parameter)?;
        }
        map.end()
    }
}

/// Reads a whole number within a range.
///
/// # Errors
/// [`Fault`] when the value breaks a rule.
pub fn whole_number(
    location: [&'static str; 2],
    input: &str,
    range: &RangeInclusive<u32>,
) -> Result<u32, Fault> {
    let (low, high) = (*range.start(), *range.end());
    let rule = match parse_integer(input) {
        None => Rule::IntParsing,
        Some(value) if value < i64::from(low) => Rule::GreaterThanEqual(low),
        Some(value) => match u32::try_from(value) {
            Ok(value) if value <= high => return Ok(value),
            _ => Rule::LessThanEqual(high),
        },
    };
    Err(Fault { rule, location, input: input.to_owned() })
}

/// Checks an idempotency key. In the fault, bytes that are not UTF-8 become replacement characters.
///
/// # Errors
/// [`Fault`] when the value breaks a rule.
pub fn idempotency_key<'a>(location: [&'static str; 2], input: &'a [u8]) -> Result<&'a str, Fault> {
    let rule = match std::str::from_utf8(input) {
        _ if input.len() > MAX_KEY_LENGTH => Rule::StringTooLong(MAX_KEY_LENGTH),
        Ok(key) if key.bytes().all(|byte| byte.is_ascii_graphic()) => return Ok(key),
        _ => Rule::StringPatternMismatch,
    };
    Err(Fault { rule, location, input: String::from_utf8_lossy(input).into_owned() })
}

/// Parses a number of any length. A number that does not fit an `i64` becomes its largest or smallest value.
pub(crate) fn parse_integer(input: &str) -> Option<i64> {
    let text = input.trim();
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let digits = match digits.split_once('.') {
        Some((whole, zeros)) if !zeros.is_empty() && zeros.bytes().all(|byte| byte == b'0') => whole,
        Some(_) => return None,
        None => digits,
    };
    let well_formed =
        digits.split('_').all(|group| !group.is_empty() && group.bytes().all(|byte| byte.is_ascii_digit()));
    if !well_formed {
        return None;
    }
    let magnitude = digits
        .bytes()
        .filter(u8::is_ascii_digit)
        .fold(0i64, |value, digit| value.saturating_mul(10).saturating_add(i64::from(digit - b'0')));
    Some(if negative { -magnitude } else { magnitude })
}

#[cfg(test)]
mod tests {
    use super::*;

    const COUNT: [&str; 2] = ["path", "count"];

    #[test]
    fn whole_numbers_are_read_as_pydantic_reads_them() {
        let valid = [
            ("0", 0),
            ("5", 5),
            ("1000", 1000),
            ("007", 7),
            ("+5", 5),
            (" 5 ", 5),
            ("5.0", 5),
            ("5.000", 5),
            ("1_000", 1000),
            ("-0", 0),
        ];
        for (input, expected) in valid {
            assert_eq!(whole_number(COUNT, input, &(0..=1000)), Ok(expected), "{input:?}");
        }
        let forty_nines = "9".repeat(40);
        let invalid = [
            ("", "int_parsing"),
            ("x", "int_parsing"),
            ("1e3", "int_parsing"),
            ("1.5", "int_parsing"),
            ("1.", "int_parsing"),
            (".0", "int_parsing"),
            ("１", "int_parsing"),
            ("0x10", "int_parsing"),
            ("--1", "int_parsing"),
            ("+", "int_parsing"),
            ("1__0", "int_parsing"),
            ("_1", "int_parsing"),
            ("1 0", "int_parsing"),
            ("\u{fffd}", "int_parsing"),
            ("٣", "int_parsing"),
            ("-1", "greater_than_equal"),
            ("1001", "less_than_equal"),
            (forty_nines.as_str(), "less_than_equal"),
            ("-9999999999999999999999", "greater_than_equal"),
        ];
        for (input, rule) in invalid {
            assert_eq!(whole_number(COUNT, input, &(0..=1000)).unwrap_err().rule.name(), rule, "{input:?}");
        }
    }

    #[test]
    fn a_fault_has_the_form_that_fastapi_clients_parse() {
        let fault =
            |input| serde_json::to_value(whole_number(COUNT, input, &(0..=1000)).unwrap_err()).unwrap();
        assert_eq!(
            fault("x"),
            json!({
                "type": "int_parsing",
                "loc": ["path", "count"],
                "msg": "Input should be a valid integer, unable to parse string as an integer",
                "input": "x",
            })
        );
        assert_eq!(
            fault("1001"),
            json!({
                "type": "less_than_equal",
                "loc": ["path", "count"],
                "msg": "Input should be less than or equal to 1000",
                "input": "1001",
                "ctx": { "le": 1000 },
            })
        );
        assert_eq!(fault("-1")["ctx"], json!({ "ge": 0 }));
    }

    #[test]
    fn keys_are_visible_ascii_of_bounded_length() {
        let loc = ["header", "X-Request-ID"];
        let longest = [b'k'; MAX_KEY_LENGTH];
        for valid in [&b"a"[..], b"!~", &longest] {
            assert!(idempotency_key(loc, valid).is_ok());
        }
        let rule = |key: &[u8]| idempotency_key(loc, key).unwrap_err().rule.name();
        assert_eq!(rule(&[b'k'; MAX_KEY_LENGTH + 1]), "string_too_long");
        for invalid in [&b"a b"[..], b"a\tb", b"\xff", "ü".as_bytes(), b"\x7f"] {
            assert_eq!(rule(invalid), "string_pattern_mismatch", "{invalid:?}");
        }
    }
}
