//! Faults that the server injects, and plans of them as they are written.
//!
//! * [`kind`]: every fault, its parameters and its short form; [`short`]: reads the short form.
//! * [`step`]: reads a step in any of its forms; [`rule`] and [`plan`]: read rules and plans as JSON.
//!
//! Which request gets which fault is decided by [`resilience_actors::fault`].

pub mod kind;
pub mod plan;
mod rule;
pub mod short;
mod step;

pub use kind::{Body, Fault, Framing, Loss, Pace, RetryAfter, StatusFault};
pub use plan::{FaultRules, read_plan, read_script};
