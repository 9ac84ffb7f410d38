//! The one error of all handles.

use derive_more::{Display, Error};

/// Why an actor has not answered.
///
/// Today every actor keeps its state in the memory of this process, so an answer can only be missing because the
/// actor ended or failed. A state store outside the process will add a variant for being unreachable, which is why
/// the enum is non-exhaustive: a caller needs an answer for errors that it does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Display, Error)]
#[non_exhaustive]
pub enum ActorError {
    /// The named actor has ended, or was never started. It will not answer again.
    #[display("the {_0} actor has ended")]
    Ended(#[error(not(source))] &'static str),
    /// A handler of the named actor panicked before the answer was made. The actor starts again with new state, and
    /// answers what is asked from now on.
    #[display("the {_0} actor failed and lost its state")]
    Failed(#[error(not(source))] &'static str),
}
