//! Masks the user information of URLs in messages. Pure.
//!
//! The library hides secrets in its own messages. These are masked for what comes from elsewhere: the parser of the
//! command line repeats arguments.

use std::borrow::Cow;

/// Stands for a secret.
const MASKED: &str = "***";

/// Replaces what stands between `//` and the last `@` of an authority.
pub(crate) fn without_userinfo(text: &str) -> Cow<'_, str> {
    let mut masked = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("//") {
        masked.push_str(before);
        masked.push_str("//");
        let authority = after.split(ends_authority).next().unwrap_or_default();
        rest = match authority.rfind('@') {
            Some(at) => {
                masked.push_str(MASKED);
                &after[at..]
            }
            None => after,
        };
    }
    if masked.is_empty() {
        return Cow::Borrowed(text);
    }
    masked.push_str(rest);
    Cow::Owned(masked)
}

fn ends_authority(c: char) -> bool {
    matches!(c, '/' | '?' | '#' | '"' | '\'' | '<' | '>') || c.is_whitespace() || c.is_control()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_information_is_masked_and_everything_else_stays() {
        for (text, expected) in [
            ("ftp://user:password@host/", "ftp://***@host/"),
            (
                "got \"http://u:p@ss@host:1/x@y\" and //u@h?a=b@c",
                "got \"http://***@host:1/x@y\" and //***@h?a=b@c",
            ),
            ("http://host/a@b", "http://host/a@b"),
            ("http://host/?next=//u:p@h", "http://host/?next=//***@h"),
            ("mail me@example.com, see //", "mail me@example.com, see //"),
            ("", ""),
        ] {
            assert_eq!(without_userinfo(text), expected);
        }
    }
}
