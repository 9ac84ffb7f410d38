//! Answers, and what a caller answers with.

/// A value that can be an answer: cheap to clone, and free to move between threads.
pub trait Answer: Clone + Send + Unpin + 'static {}

impl<V: Clone + Send + Unpin + 'static> Answer for V {}

/// What the caller of an execution answers with.
#[derive(Debug, PartialEq, Eq)]
pub enum Settled<V> {
    /// The answer that it has made, which is stored now.
    Stored(V),
    /// The answer of another execution, which has taken over meanwhile.
    Replay(V),
}
