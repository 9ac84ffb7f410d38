//! The journal of a session: every request to its data plane, and how it ended.
//!
//! * [`session_journal`]: the journal of one session. [`recording`]: a request from when it came to when it ended.
//! * [`entry`]: what is kept of a request, with its [`text`]. [`secrets`]: what of it is never shown. [`shown`]: entries as JSON. [`har`]: as HAR.

pub mod entry;
pub mod har;
pub mod recording;
pub mod secrets;
pub mod session_journal;
pub mod shown;
mod text;

pub use entry::{AnsweredBy, Body, Ended, Entry, Execution, FaultSource, InFlight, InjectedFault, Reuse};
pub use recording::{Expected, Recording};
pub use session_journal::{Journal, JournalSettings};
pub use shown::ShownEntry;
