//! The routes of the journal.

pub mod entries;
pub mod har;
mod parameters;
pub mod stream;
