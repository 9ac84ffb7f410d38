//! The report as a table in Markdown.

use std::fmt::Write;

use super::Sum;
use crate::check::judge::Judged;

/// The report as a table, and a sum.
pub(super) fn markdown(judged: &[Judged]) -> String {
    let mut out = String::from("| case | result | why |\n|---|---|---|\n");
    for Judged { case, result, why, .. } in judged {
        // Writing to a string does not fail.
        let _ = writeln!(out, "| `{case}` | {} | {} |", result.name(), cell(why));
    }
    let _ = writeln!(out, "\n{}", Sum::of(judged));
    out
}

/// Text that cannot end its cell, and that is not markup.
fn cell(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' | '\r' => out.push(' '),
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '|' | '\\' | '`' | '*' | '_' | '[' | ']' => out.extend(['\\', character]),
            _ => out.push(character),
        }
    }
    out
}
