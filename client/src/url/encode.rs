//! Percent-encodes what is not allowed in the path and the query of a URL (RFC 3986, 3.3 and 3.4). Pure.

use std::fmt::Write;

/// Whether a path and query have only what is allowed in them.
pub(super) fn is_allowed(target: &str) -> bool {
    let bytes = target.as_bytes();
    (0..bytes.len()).all(|at| may_stay(bytes, at))
}

/// A path and query in which everything that is not allowed is encoded, as UTF-8. What is encoded already stays.
pub(super) fn encoded(target: &str) -> String {
    let bytes = target.as_bytes();
    let mut out = String::with_capacity(target.len() + 16);
    for (at, byte) in bytes.iter().enumerate() {
        if may_stay(bytes, at) {
            out.push(char::from(*byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

fn may_stay(bytes: &[u8], at: usize) -> bool {
    match bytes[at] {
        b'%' => bytes.get(at + 1..at + 3).is_some_and(|pair| pair.iter().all(u8::is_ascii_hexdigit)),
        byte => ALLOWED[usize::from(byte)],
    }
}

/// Which bytes may stand for themselves: unreserved ones, sub-delimiters, and `:`, `@`, `/`, `?`.
const ALLOWED: [bool; 256] = {
    let marks = b"-._~!$&'()*+,;=:@/?";
    let mut allowed = [false; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        allowed[byte as usize] = byte.is_ascii_alphanumeric();
        byte += 1;
    }
    let mut at = 0;
    while at < marks.len() {
        allowed[marks[at] as usize] = true;
        at += 1;
    }
    allowed
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_not_allowed_is_encoded() {
        for (target, expected) in [
            ("/a-z_A~Z.0/!$&'()*+,;=:@?a/b?c=%2F%2f", "/a-z_A~Z.0/!$&'()*+,;=:@?a/b?c=%2F%2f"),
            ("/a b\"<>\\^`{|}", "/a%20b%22%3C%3E%5C%5E%60%7B%7C%7D"),
            ("/é/😀", "/%C3%A9/%F0%9F%98%80"),
            ("/100%", "/100%25"),
            ("/%4/%zz/%41", "/%254/%25zz/%41"),
            ("/x?a[]=1", "/x?a%5B%5D=1"),
        ] {
            assert_eq!(encoded(target), expected);
            assert_eq!(is_allowed(target), target == expected, "{target}");
        }
    }
}
