//! How an examination is reported: as text, JSON, `JUnit` XML or Markdown. \[pure\]

mod json;
mod junit;
mod list;
mod markdown;
mod text;

use serde::Serialize;

use super::judge::{CaseResult, Judged};

pub use list::list;

/// The form of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A table for a terminal.
    Text,
    /// JSON.
    Json,
    /// `JUnit` XML, for CI systems.
    Junit,
    /// A table in Markdown.
    Markdown,
}

/// What counts as a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strictness {
    /// What is wrong.
    Fails,
    /// What is harmful too.
    Warnings,
}

/// How many cases had which result.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Sum {
    /// Nothing was wrong.
    pub pass: usize,
    /// Something was harmful.
    pub warn: usize,
    /// Something was wrong.
    pub fail: usize,
    /// The case did not concern the client.
    pub not_applicable: usize,
}

/// The report of an examination.
#[must_use]
pub fn report(judged: &[Judged], format: Format, strictness: Strictness) -> String {
    match format {
        Format::Text => text::text(judged),
        Format::Json => json::json(judged),
        Format::Junit => junit::junit(judged, strictness),
        Format::Markdown => markdown::markdown(judged),
    }
}

impl Format {
    /// Every format, by its name.
    pub const ALL: [(&'static str, Self); 4] =
        [("text", Self::Text), ("json", Self::Json), ("junit", Self::Junit), ("markdown", Self::Markdown)];
}

impl Strictness {
    /// Whether a result is a failure.
    #[must_use]
    pub fn fails(self, result: CaseResult) -> bool {
        result == CaseResult::Fail || (result == CaseResult::Warn && self == Self::Warnings)
    }
}

impl Sum {
    /// Counts the results.
    #[must_use]
    pub fn of(judged: &[Judged]) -> Self {
        let mut sum = Self::default();
        for judged in judged {
            match judged.result {
                CaseResult::Pass => sum.pass += 1,
                CaseResult::Warn => sum.warn += 1,
                CaseResult::Fail => sum.fail += 1,
                CaseResult::NotApplicable => sum.not_applicable += 1,
            }
        }
        sum
    }
}

impl std::fmt::Display for Sum {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { pass, warn, fail, not_applicable } = self;
        write!(f, "{pass} pass, {warn} warn, {fail} fail, {not_applicable} not applicable")
    }
}

#[cfg(test)]
mod tests;
