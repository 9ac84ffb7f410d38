//! Decides for all calls of a client together: whether a call may go out, and whether a failed one is retried. It
//! knows no HTTP, does no I/O, and never waits in place of a caller.
//!
//! The rules, as plain values that get the time passed in:
//! * [`breaker`]: the circuit breaker; `breakers`: those of all origins;
//! * [`budget`]: how many retries all calls may make;
//! * [`retry`]: whether a failed attempt is retried; [`backoff`]: how long it waits before that.
//!
//! Around them:
//! * `actor`: owns the state of the rules and handles one message at a time;
//! * `shared`: what is read without a message to the actor: the `published` state of each breaker, those of `origins`
//!   included, and the `counters`;
//! * `handle`, `circuit` and `permit`: what callers hold;
//! * `settings`: what it is started with; `change` and `log`: what happened to a breaker, and its log line.

mod actor;
pub mod backoff;
pub mod breaker;
mod breakers;
pub mod budget;
mod change;
mod circuit;
mod counters;
mod handle;
mod log;
mod origins;
mod permit;
mod published;
mod rejection;
pub mod retry;
mod settings;
mod shared;

pub use self::{
    change::Change,
    circuit::Circuit,
    counters::SupervisorStats,
    handle::SupervisorHandle,
    log::LogTarget,
    permit::Permit,
    published::BreakerState,
    rejection::{NoHedge, Rejection},
    retry::Decision,
    settings::{Scope, SupervisorSettings, TransitionHook},
};
