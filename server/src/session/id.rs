//! The id of a session: 1 to 64 of the characters `A-Z a-z 0-9 _ -`.

use uuid::Uuid;

/// The id of the session of every request that names no other.
pub const DEFAULT: &str = "default";

/// The ids that there are, as a regular expression.
pub const PATTERN: &str = "^[A-Za-z0-9_-]{1,64}$";

/// The longest id.
pub const MAX_LENGTH: usize = 64;

/// Whether a text can be the id of a session.
#[must_use]
pub fn is_valid(id: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    (1..=MAX_LENGTH).contains(&id.len()) && id.bytes().all(is_allowed)
}

/// An id that no session has.
#[must_use]
pub fn generate() -> String {
    Uuid::new_v4().simple().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_allowed_characters_and_a_bounded_length() {
        let longest = "x".repeat(64);
        for id in ["a", "A_z-9", longest.as_str(), &generate(), DEFAULT] {
            assert!(is_valid(id), "{id}");
        }
        let too_long = "x".repeat(65);
        for id in ["", " ", "a b", "a/b", "é", "a%20b", too_long.as_str(), "a.b"] {
            assert!(!is_valid(id), "{id}");
        }
    }
}
