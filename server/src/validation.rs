//! Reads values out of a request, and says what is wrong with them in the words of FastAPI.
//!
//! Whole numbers are read as pydantic reads them in its lax mode, so that what the Python server took ours takes
//! too: spaces around them, a sign, single underscores between digits and a fraction of zeros are fine.

use std::ops::RangeInclusive;

use serde::Serialize;
use serde_json::{Value, json};

/// One thing that is wrong with a request.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Fault {
    /// Which rule is broken.
    #[serde(rename = "type")]
    pub rule: &'static str,
    /// Where: `path`, `query` or `header`, and the name.
    pub loc: [&'static str; 2],
    /// The rule in words.
    pub msg: String,
    /// What was sent.
    pub input: String,
    /// The rule's parameter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ctx: Option<Value>,
}

/// Longest idempotency key.
pub const MAX_KEY_LENGTH: usize = 255;

/// Visible ASCII: what an idempotency key is made of.
pub const KEY_PATTERN: &str = "^[!-~]+$";

/// Reads a whole number within a range.
///
/// # Errors
/// What is wrong with it.
pub fn whole_number(loc: [&'static str; 2], input: &str, range: &RangeInclusive<u32>) -> Result<u32, Fault> {
    let fault = |rule, msg, ctx| Fault { rule, loc, msg, input: input.to_owned(), ctx };
    let (low, high) = (*range.start(), *range.end());
    match parse_integer(input) {
        None => Err(fault(
            "int_parsing",
            "Input should be a valid integer, unable to parse string as an integer".to_owned(),
            None,
        )),
        Some(value) if value < i64::from(low) => Err(fault(
            "greater_than_equal",
            format!("Input should be greater than or equal to {low}"),
            Some(json!({ "ge": low })),
        )),
        Some(value) => u32::try_from(value).ok().filter(|value| *value <= high).ok_or_else(|| {
            fault(
                "less_than_equal",
                format!("Input should be less than or equal to {high}"),
                Some(json!({ "le": high })),
            )
        }),
    }
}

/// Checks an idempotency key. What is not UTF-8 is shown with replacement characters.
///
/// # Errors
/// What is wrong with it.
pub fn idempotency_key<'a>(loc: [&'static str; 2], input: &'a [u8]) -> Result<&'a str, Fault> {
    let fault = |rule, msg, ctx| Fault {
        rule,
        loc,
        msg,
        input: String::from_utf8_lossy(input).into_owned(),
        ctx: Some(ctx),
    };
    if input.len() > MAX_KEY_LENGTH {
        let msg = format!("String should have at most {MAX_KEY_LENGTH} characters");
        return Err(fault("string_too_long", msg, json!({ "max_length": MAX_KEY_LENGTH })));
    }
    match std::str::from_utf8(input) {
        Ok(key) if key.bytes().all(|byte| byte.is_ascii_graphic()) => Ok(key),
        _ => Err(pattern_mismatch(loc, String::from_utf8_lossy(input).into_owned())),
    }
}

/// A key that is none, whatever its characters: there were two of them, say.
#[must_use]
pub fn pattern_mismatch(loc: [&'static str; 2], input: String) -> Fault {
    Fault {
        rule: "string_pattern_mismatch",
        loc,
        msg: format!("String should match pattern '{KEY_PATTERN}'"),
        input,
        ctx: Some(json!({ "pattern": KEY_PATTERN })),
    }
}

/// A number of any length; what does not fit an `i64` becomes its largest or smallest value.
fn parse_integer(input: &str) -> Option<i64> {
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
            assert_eq!(whole_number(COUNT, input, &(0..=1000)).unwrap_err().rule, rule, "{input:?}");
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
        let rule = |key: &[u8]| idempotency_key(loc, key).unwrap_err().rule;
        assert_eq!(rule(&[b'k'; MAX_KEY_LENGTH + 1]), "string_too_long");
        for invalid in [&b"a b"[..], b"a\tb", b"\xff", "ü".as_bytes(), b"\x7f"] {
            assert_eq!(rule(invalid), "string_pattern_mismatch", "{invalid:?}");
        }
    }
}
