//! Which requests fail: the next N, or all for a while, or both.
//!
//! [`plan`] holds the rules, the actor owns a plan, and [`FailureHandle`] asks it. While nothing is armed, asking costs
//! one atomic read and no message.

mod actor;
mod handle;
pub mod plan;

pub use handle::{Decision, FailureHandle, InducedFailure, prepare};
pub use plan::{FailurePlan, FailureStatus, Reason};
