//! Says what the client did wrong, from the journal alone.
//!
//! Pure: no clock, no I/O, no randomness. [`grouping`] sorts the entries of a journal into [`call`]s, whose [`attempt`]s
//! are compared by [`strand`]; each file of [`findings`] judges one finding or a close family against a [`policy`];
//! [`figures`] counts; [`report`] shows a verdict as text or for a CI system;
//! [`page`] explains the findings.

pub mod attempt;
pub mod call;
mod figures;
pub mod findings;
mod grouping;
mod index;
mod judge;
pub mod page;
pub mod policy;
mod redirect;
pub mod report;
mod retry_after;
mod strand;

pub use findings::{Finding, Row, Severity, across};
pub use grouping::Grouping;
pub use judge::{Journal, Overall, Verdict, verdict};
pub use policy::Policy;
