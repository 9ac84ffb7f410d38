//! `/faults`: the fault plan of a session.

pub mod plan;
pub mod preview;
