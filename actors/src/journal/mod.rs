//! A journal: the last records of what has ended, in the order in which it ended, in bounded memory.
//!
//! * [`log`]: the records that are kept. \[pure\]
//! * `inbox`: what has ended since the actor last looked, and what has begun. Writers append here without a message.
//! * [`budget`]: how many bytes all journals of a process may keep; the oldest records go first.
//!
//! * `shared`: the same in a store that several servers share; `upload` appends to it.
//!
//! The actor owns the log. It reads the inbox when it is asked and when the inbox is full, so a record costs its writer
//! a short lock. [`JournalHandle`] begins records, reads them, and follows them as they happen.

mod actor;
pub mod budget;
mod handle;
mod inbox;
pub mod log;
#[cfg(feature = "store")]
mod shared;
#[cfg(feature = "store")]
mod upload;

pub use budget::ByteBudget;
#[cfg(feature = "store")]
pub use handle::shared;
pub use handle::{JournalHandle, Open, prepare};
pub use inbox::Event;
pub use log::{Log, Page, Record};
#[cfg(feature = "store")]
pub use shared::SharedSettings;
