//! Whether a relative path climbs above where it starts. Pure.
//!
//! Servers differ in what they take for a segment of two dots: some decode `%2e`, `%2f` and `%5c` first, take `\` for
//! `/`, merge slashes or cut a segment at `;`. A path that leaves the base by any of these readings climbs out.

/// Whether the path of a relative reference leaves the place that it is appended to.
pub(super) fn climbs_out(reference: &str) -> bool {
    let path = reference.split(['?', '#']).next().unwrap_or_default();
    // Most paths hold neither.
    let bytes = path.as_bytes();
    if !bytes.contains(&b'%') && !bytes.windows(2).any(|two| two == b"..") {
        return false;
    }
    let path = path.to_ascii_lowercase().replace("%2e", ".").replace("%2f", "/").replace("%5c", "/");
    let mut depth = 0_usize;
    for segment in path.split(['/', '\\']) {
        let name = segment.split(';').next().unwrap_or_default();
        depth = match name {
            ".." if depth == 0 => return true,
            ".." => depth - 1,
            "" | "." => depth,
            _ => depth + 1,
        };
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_climbs_out_by_any_reading_is_recognised() {
        for path in [
            "..",
            "/..",
            "/../",
            "/a/../..",
            "/%2e%2e",
            "/%2E.",
            "/..%2f",
            "/a/..%2F..",
            "/..\\x",
            "/..%5cx",
            "//..",
            "/.//..",
            "/..;a=b/x",
            "/a/./../../x",
        ] {
            assert!(climbs_out(path), "{path}");
        }
        for path in [
            "",
            "/",
            "/a",
            "/a/..",
            "/a/../b",
            "/a/b/../..",
            "/...",
            "/..a",
            "/a..",
            "/a?/../..",
            "/%2e",
            "/%252e%252e",
        ] {
            assert!(!climbs_out(path), "{path}");
        }
    }
}
