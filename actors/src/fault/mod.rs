//! Scripted and seeded faults: which request gets which fault, exactly and reproducibly.
//!
//! * [`rule`]: what a plan consists of. [`matcher`] and [`glob`]: which requests a rule concerns.
//! * [`plan`]: how far each rule has come, and what the next request gets ([`decision`]).
//! * [`draw`]: what is random, as a function of the seed. [`delay`]: how long a delay lasts. [`rate`]: rate limits.
//! * `groups`: the count of each key and connection, in bounded memory.
//!
//! The actor guards the plan, and [`FaultHandle`] asks it. Matching needs no count, so it happens where the request
//! is; without a plan, and for a request that no rule matches, no message is sent.
//!
//! `shared` is the same in a store that several servers share; `lines` is a rule as the store reads it, `resumed` a plan
//! that goes on from there.
//!
//! What a fault does is not known here: it is a type parameter.

mod actor;
pub mod decision;
pub mod delay;
pub mod draw;
pub mod glob;
mod groups;
mod handle;
#[cfg(feature = "store")]
mod lines;
pub mod matcher;
pub mod plan;
mod published;
pub mod rate;
#[cfg(feature = "store")]
mod resumed;
pub mod rule;
#[cfg(feature = "store")]
mod shared;
mod spoken;

pub use actor::{Fault, PlanReport};
pub use decision::{Caller, Decision, Effect, Source};
pub use delay::{Delay, MAX_DELAY};
pub use draw::{Purpose, uniform};
pub use glob::Glob;
pub use groups::KeyBudget;
#[cfg(feature = "store")]
pub use handle::shared;
pub use handle::{FaultHandle, Injection, prepare};
pub use matcher::{Matcher, Request};
pub use plan::{Decided, FaultPlan, PlanStatus, RuleStatus};
pub use rate::RateLimit;
pub use rule::{Action, Per, Rule, Rules, Step, Then, Window};
#[cfg(feature = "store")]
pub use shared::ReadRules;
