//! The one error of all handles.

use derive_more::{Display, Error};

/// Why an actor has not answered.
///
/// An actor keeps its state in the memory of this process, or in a store outside it that several processes share. The
/// enum is non-exhaustive: a caller needs an answer for errors that it does not know.
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
    /// The store of the state has not answered, or cannot be reached. A change may have been made all the same.
    #[display("the state store is unavailable")]
    Unavailable,
}
