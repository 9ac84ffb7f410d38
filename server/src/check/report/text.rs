//! The report as a table for a terminal.

use std::fmt::Write;

use super::Sum;
use crate::check::judge::Judged;

/// The report as text: a line for each case, and a sum.
pub(super) fn text(judged: &[Judged]) -> String {
    let mut out = String::new();
    // Writing to a string does not fail.
    let _ = write_text(&mut out, judged);
    out
}

fn write_text(out: &mut String, judged: &[Judged]) -> std::fmt::Result {
    let width = judged.iter().map(|judged| judged.case.len()).max().unwrap_or_default();
    let result_width = judged.iter().map(|judged| judged.result.name().len()).max().unwrap_or_default();
    for Judged { case, result, why, seconds, .. } in judged {
        writeln!(out, "{case:width$}  {:result_width$}  {seconds:>6.2} s  {why}", result.name())?;
    }
    writeln!(out, "\n{}", Sum::of(judged))
}
