//! What a pattern says: what it does, what it saw, and whether that is what must be.

use std::fmt::Display;

use console::style;
use resilient_client::{Attempt, Error};

use crate::out;

/// A pattern does not hold, and why.
#[derive(Debug)]
pub(super) struct Broken(String);

impl Broken {
    pub(super) fn new(why: impl Into<String>) -> Self {
        Self(why.into())
    }
}

/// A call that had to succeed did not.
impl From<Error> for Broken {
    fn from(error: Error) -> Self {
        Self(format!("a call failed: {}: {error}", error.kind()))
    }
}

/// Tells.
pub(super) struct Story;

impl Story {
    pub(super) fn title(text: &str) {
        say(&format!("\n{}", style(text).bold()));
    }

    /// What is about to be done.
    pub(super) fn does(text: impl Display) {
        say(&format!("   {text}"));
    }

    /// What came of it.
    pub(super) fn saw(text: impl Display) {
        say(&format!("     saw: {}", out::one_line(&text.to_string())));
    }

    /// What must be, and whether it is.
    pub(super) fn check(claim: impl Display, holds: bool) -> Result<(), Broken> {
        if !holds {
            return Err(Broken::new(format!("this does not hold: {claim}")));
        }
        Self::holds(claim);
        Ok(())
    }

    /// What must be, and is: the way here would have ended otherwise.
    pub(super) fn holds(claim: impl Display) {
        say(&format!("     {} {claim}", style("ok").green()));
    }

    pub(super) fn failed(why: &Broken) {
        say(&format!("     {} {}", style("FAILED").red().bold(), out::one_line(&why.0)));
    }
}

/// A story is told while it happens; that nobody listens any more does not change how it ends.
fn say(text: &str) {
    let _ = out::line(text);
}

/// The attempts of a call, in words.
pub(super) fn told(attempts: &[Attempt]) -> String {
    let told: Vec<_> = attempts.iter().map(attempt).collect();
    told.join(", ")
}

fn attempt(attempt: &Attempt) -> String {
    let what = match (attempt.status, attempt.error) {
        (Some(status), _) => status.to_string(),
        (None, Some(error)) => error.to_string(),
        (None, None) => "nothing".to_owned(),
    };
    let wait =
        attempt.wait.map(|wait| format!(", then a wait of {} ms", wait.as_millis())).unwrap_or_default();
    format!("{what} after {:.1} ms{wait}", attempt.duration.as_secs_f64() * 1e3)
}
