//! What is decided for all calls of a client together: whether one may go out, and whether a failed one is tried
//! again. It knows no HTTP, and never does I/O or waits on anybody's behalf.
//!
//! * [`breaker`], [`backoff`], [`budget`], [`retry`]: the rules, as plain values that are told the time.
//! * `published`: what can be read without asking the actor.
//! * `actor`: owns the rules' state, one message at a time.
//! * `handle`: what callers hold.

mod actor;
pub mod backoff;
pub mod breaker;
pub mod budget;
mod handle;
mod log;
mod published;
pub mod retry;

use std::time::Duration;

pub use self::{
    handle::{BreakerState, Permit, Rejection, SupervisorHandle, SupervisorStats},
    log::LogTarget,
};

/// What a supervisor is started with.
#[derive(Clone, Debug)]
pub struct SupervisorSettings {
    /// The circuit breaker's rules.
    pub breaker: breaker::BreakerSettings,
    /// How retries are earned.
    pub budget: budget::BudgetSettings,
    /// Where it logs.
    pub log: LogTarget,
    /// The seed of the jitter; `None` takes a random one.
    pub seed: Option<u64>,
}

/// What becomes of a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It is made again after this wait, if the breaker then still agrees.
    Retry {
        /// How long to wait first.
        wait: Duration,
    },
    /// It is not.
    GiveUp(retry::GiveUp),
}
