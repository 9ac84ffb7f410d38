//! What a breaker gives to a call, and gets back from it.

use std::time::Duration;

/// The right to make one call, to be reported back with the call's outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// The generation of the state that issued it.
    pub generation: u64,
    /// The role of the call.
    pub role: Role,
    /// Whether an attempt of the call was slow.
    pub speed: Speed,
}

/// Whether an attempt of a call took longer than it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speed {
    /// No attempt did, or none has ended yet.
    Normal,
    /// An attempt did.
    Slow,
}

/// The role of a call that is let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// One of any number of calls through a closed breaker.
    Regular,
    /// One of the few calls through a half-open breaker; its number.
    Probe(u64),
}

/// The breaker does not let a call through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// When to ask again; `None` when the breaker was opened by hand, which no time ends.
    pub retry_after: Option<Duration>,
}

/// How a call ended, as far as the breaker is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The server answered.
    Success,
    /// The server could not be reached, or answered that it cannot serve.
    Failure,
    /// Unknown: the call was dropped, or refused locally before it was sent.
    Abandoned,
}
