//! A change of a breaker, with the origin whose breaker it is.

use std::fmt;

use super::breaker::Transition;

/// A change of a breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change<'a> {
    /// The origin whose breaker changed; `None` for the breaker of the whole client.
    pub origin: Option<&'a str>,
    /// What it changed to.
    pub transition: Transition,
}

/// The sentence of the line.
impl fmt::Display for Change<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Circuit breaker")?;
        if let Some(origin) = self.origin {
            write!(f, " of {origin}")?;
        }
        match self.transition {
            Transition::HalfOpened => f.write_str(" half-open"),
            Transition::Closed => f.write_str(" closed"),
            Transition::Opened { recovery: None, .. } => {
                f.write_str(" opened by hand, until it is closed by hand")
            }
            Transition::Opened { cause, recovery: Some(recovery) } => {
                write!(f, " opened {cause}, for {} seconds", recovery.as_secs_f64())
            }
        }
    }
}
