//! The `Retry-After` header (RFC 9110, 10.2.3): seconds, or a date. Pure.

use std::time::{Duration, SystemTime};

/// Returns how long the server asks to wait; `None` for a value that is neither a number nor a date.
///
/// A date that has passed is a wait of zero; a number that is too large is the longest duration.
pub(crate) fn parse(value: &[u8], now: SystemTime) -> Option<Duration> {
    let text = std::str::from_utf8(value).ok()?.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(text.parse().map_or(Duration::MAX, Duration::from_secs));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_dates_are_read_and_anything_else_is_not() {
        let now = httpdate::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
        let seconds = |n| Some(Duration::from_secs(n));
        for (value, expected) in [
            ("0", seconds(0)),
            ("120", seconds(120)),
            (" 7 ", seconds(7)),
            ("007", seconds(7)),
            ("18446744073709551615", seconds(u64::MAX)),
            ("99999999999999999999999999", Some(Duration::MAX)),
            ("Sun, 06 Nov 1994 08:49:42 GMT", seconds(5)),
            ("Sunday, 06-Nov-94 08:49:42 GMT", seconds(5)),
            ("Sun Nov  6 08:49:42 1994", seconds(5)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", seconds(0)),
            ("Sat, 05 Nov 1994 08:49:37 GMT", seconds(0)),
            ("", None),
            ("-1", None),
            ("+1", None),
            ("1.5", None),
            ("1e3", None),
            ("soon", None),
            ("Sun, 06 Nov 1994 08:49:42 CET", None),
            ("\u{661}", None),
        ] {
            assert_eq!(parse(value.as_bytes(), now), expected, "{value:?}");
        }
        assert_eq!(parse(b"\xff\xfe", now), None);
    }
}
