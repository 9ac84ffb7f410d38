//! Which requests fail: the next N, or all for a while, or both.
//!
//! [`plan`] holds the rules, the actor owns a plan, and [`FailureHandle`] asks it. While nothing is armed, asking costs
//! one atomic read and no message. `shared` is the same in a store that several servers share.

mod actor;
mod handle;
mod induced;
pub mod plan;
#[cfg(feature = "store")]
mod shared;
#[cfg(test)]
mod testing;

#[cfg(feature = "store")]
pub use handle::shared;
pub use handle::{FailureHandle, prepare};
pub use induced::{Decision, InducedFailure};
pub use plan::{FailurePlan, FailureStatus, Reason};
