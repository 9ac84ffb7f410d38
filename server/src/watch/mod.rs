//! `test-server watch`: follows the journal of a running server, a line a request, and prints findings as they appear.
//!
//! * [`events`]: server-sent events out of bytes; [`line`]: a request and a finding as a line; [`judging`]: when a verdict
//!   is asked for, and which of its findings are new. These are pure.
//! * [`server`]: the requests to the server; [`output`]: the lines on standard output; [`follow`]: the loop that connects
//!   them.

mod error;
mod events;
mod follow;
mod judging;
mod line;
mod output;
mod server;

pub use error::WatchError;
pub use follow::watch;
pub use server::Watched;
