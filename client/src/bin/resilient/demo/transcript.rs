//! Writes what a pattern does, what it saw, and whether its claims hold.
//!
//! Lines are written while the demonstration runs. That standard output has been closed does not change its result.

use std::fmt::Display;

use console::style;
use resilient_client::{Attempt, Error};

use crate::out;

/// Why a pattern does not hold.
#[derive(Debug)]
pub(super) struct NotHeld(String);

impl NotHeld {
    pub(super) fn new(why: impl Into<String>) -> Self {
        Self(why.into())
    }
}

/// An error of a call that had to succeed.
impl From<Error> for NotHeld {
    fn from(error: Error) -> Self {
        Self(format!("a call failed: {}: {error}", error.kind()))
    }
}

/// Writes the title of a pattern.
pub(super) fn title(text: &str) {
    line(&format!("\n{}", style(text).bold()));
}

/// Writes what is about to be done.
pub(super) fn step(text: impl Display) {
    line(&format!("   {text}"));
}

/// Writes what was observed.
pub(super) fn saw(text: impl Display) {
    line(&format!("     saw: {}", out::one_line(&text.to_string())));
}

/// Writes a claim if it holds, and fails if it does not.
pub(super) fn check(claim: impl Display, holds: bool) -> Result<(), NotHeld> {
    if !holds {
        return Err(NotHeld::new(format!("this does not hold: {claim}")));
    }
    self::holds(claim);
    Ok(())
}

/// Writes a claim that earlier steps have shown to hold.
pub(super) fn holds(claim: impl Display) {
    line(&format!("     {} {claim}", style("ok").green()));
}

/// Writes why a pattern does not hold.
pub(super) fn failed(why: &NotHeld) {
    line(&format!("     {} {}", style("FAILED").red().bold(), out::one_line(&why.0)));
}

fn line(text: &str) {
    let _ = out::line(text);
}

/// Describes the attempts of a call in words.
pub(super) fn describe(attempts: &[Attempt]) -> String {
    attempts.iter().map(attempt).collect::<Vec<_>>().join(", ")
}

fn attempt(attempt: &Attempt) -> String {
    let result = match (attempt.status, attempt.error) {
        (Some(status), _) => status.to_string(),
        (None, Some(error)) => error.to_string(),
        (None, None) => "no status".to_owned(),
    };
    let wait =
        attempt.wait.map(|wait| format!(", then a wait of {} ms", wait.as_millis())).unwrap_or_default();
    format!("{result} after {:.1} ms{wait}", attempt.duration.as_secs_f64() * 1e3)
}
