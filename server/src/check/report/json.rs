//! The report as JSON.

use serde::Serialize;

use super::Sum;
use crate::check::judge::Judged;

#[derive(Serialize)]
struct Report<'a> {
    cases: &'a [Judged],
    sum: Sum,
}

/// The report as one JSON object.
pub(super) fn json(judged: &[Judged]) -> String {
    let report = Report { cases: judged, sum: Sum::of(judged) };
    // Strings and finite numbers are always JSON.
    serde_json::to_string(&report).unwrap_or_default()
}
