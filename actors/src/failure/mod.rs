//! Which requests are to fail: the next N, or all for a while, or both.
//!
//! [`plan`] holds the rule, the actor guards it, and [`FailureHandle`] asks it. While nothing is armed, asking
//! costs one atomic read and no message.

mod actor;
mod handle;
pub mod plan;

pub use actor::FailureActor;
pub use handle::{FailureHandle, InducedFailure, Verdict, prepare};
pub use plan::{FailurePlan, FailureStatus, Reason};
