//! The journal of a session: every request to its data plane, and how it ended.
//!
//! * [`entry`]: what is kept of a request. [`secrets`]: what of it is never shown.

pub mod entry;
pub mod secrets;

pub use entry::{AnsweredBy, Body, Ended, Entry, Execution, FaultSource, InjectedFault, Reuse};
