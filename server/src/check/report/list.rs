//! The list of the cases.

use std::fmt::Write;

use crate::cases::Case;

/// Each case with its reason and its source.
#[must_use]
pub fn list(cases: &[&Case]) -> String {
    let width = cases.iter().map(|case| case.name.len()).max().unwrap_or_default();
    let mut out = String::new();
    for Case { name, why, source, .. } in cases {
        // Writing to a string does not fail.
        let _ = writeln!(out, "{name:width$}  {why} ({source})");
    }
    out
}
