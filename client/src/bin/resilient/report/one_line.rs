//! Puts JSON on one line. Pure.

/// Removes the white space between the tokens of a JSON text. Numbers and strings stay as they are written.
pub(super) fn compact(json: &str) -> String {
    let mut compact = String::with_capacity(json.len());
    let mut place = Place::BetweenTokens;
    for c in json.chars() {
        if place == Place::BetweenTokens && matches!(c, ' ' | '\t' | '\n' | '\r') {
            continue;
        }
        compact.push(c);
        place = match (place, c) {
            (Place::BetweenTokens, '"') | (Place::AfterBackslash, _) => Place::InString,
            (Place::InString, '"') => Place::BetweenTokens,
            (Place::InString, '\\') => Place::AfterBackslash,
            (place, _) => place,
        };
    }
    compact
}

/// Escapes the characters that JSON allows in a string and that some readers take for the end of a line.
pub(super) fn escape_line_ends(json: String) -> String {
    if !json.contains(LINE_ENDS) {
        return json;
    }
    let mut escaped = String::with_capacity(json.len());
    for c in json.chars() {
        if LINE_ENDS.contains(&c) {
            escaped.push_str(&format!("\\u{:04x}", u32::from(c)));
        } else {
            escaped.push(c);
        }
    }
    escaped
}

/// NEXT LINE, LINE SEPARATOR, PARAGRAPH SEPARATOR.
const LINE_ENDS: [char; 3] = ['\u{85}', '\u{2028}', '\u{2029}'];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    BetweenTokens,
    InString,
    AfterBackslash,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_between_tokens_goes_and_everything_else_stays() {
        for (json, expected) in [
            ("{\n  \"a b\": [1.50,\r\n\t2]\n}", r#"{"a b":[1.50,2]}"#),
            (r#"{"quote \" and \\": " x "}"#, r#"{"quote \" and \\":" x "}"#),
            (r#"["\\" , "\\\" " , 12345678901234567890123]"#, r#"["\\","\\\" ",12345678901234567890123]"#),
            ("\"\"", "\"\""),
        ] {
            assert_eq!(compact(json), expected);
        }
    }

    #[test]
    fn characters_that_end_a_line_for_some_readers_are_escaped() {
        assert_eq!(escape_line_ends("\"a\u{2028}b\u{2029}\u{85}\"".into()), r#""a\u2028b\u2029\u0085""#);
        assert_eq!(escape_line_ends("\"é\"".into()), "\"é\"");
    }
}
