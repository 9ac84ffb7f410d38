//! Which paths are the server's own, and which are the upstream's. \[pure\]
//!
//! Without an upstream all paths are ours, and those without a route are unknown. With one, the paths below the
//! prefix are ours, at the root and again below the address of a session: with the prefix `/__test`, the session `a` has
//! the own path `/__test/s/a/__test/faults`, and `/__test/s/a/faults` is the upstream's. So nothing of the upstream is
//! hidden, and the address of a session is all that a client under test needs.

/// What becomes of a path that no own route has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unrouted {
    /// It is unknown.
    Unknown,
    /// It is forwarded to the upstream.
    Forwarded,
}

/// The part of a path behind the prefix of own paths; `None` when it does not have the prefix.
#[must_use]
pub fn below<'a>(path: &'a str, prefix: &str) -> Option<&'a str> {
    path.strip_prefix(prefix).filter(|rest| prefix.is_empty() || rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_ends_where_a_segment_of_the_path_ends() {
        let table = [
            ("/msg", "", Some("/msg")),
            ("*", "", Some("*")),
            ("/__test/msg", "/__test", Some("/msg")),
            ("/__test", "/__test", Some("")),
            ("/__test/", "/__test", Some("/")),
            ("/__tests/msg", "/__test", None),
            ("/msg", "/__test", None),
            ("/a/b/msg", "/a/b", Some("/msg")),
        ];
        for (path, prefix, expected) in table {
            assert_eq!(below(path, prefix), expected, "{path} {prefix}");
        }
    }
}
