//! What can go wrong between this server and the upstream.

use derive_more::{Display, Error};

/// Why there is no answer of the upstream, or only a part of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Display, Error)]
pub enum Failure {
    /// The connection ended before a byte of the answer.
    #[display("the upstream closed the connection before it answered")]
    NoReply,
    /// The connection ended within the answer.
    #[display("the upstream closed the connection within its answer")]
    Truncated,
    /// The answer is no HTTP, or cannot be forwarded.
    #[display("the answer of the upstream cannot be forwarded: {_0}")]
    BadReply(#[error(not(source))] &'static str),
    /// The client has not sent the body that it promised.
    #[display("the client has not sent its whole body")]
    Client,
    /// The session of the request has ended, or was reset.
    #[display("the session has ended")]
    SessionEnded,
}
