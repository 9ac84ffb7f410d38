//! What can go wrong below awc, and how it travels through awc: inside an `io::Error`.

use std::{io, time::Duration};

/// A fault that the stream itself found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, derive_more::Display, derive_more::Error)]
pub(in crate::transport) enum WireFault {
    /// The server closed its side.
    #[display("the server closed the connection")]
    Closed,
    /// A connection that had been used before ended before a byte of this reply.
    #[display("the server closed the connection, which had been idle, before it replied")]
    Stale,
    /// No byte came for this long.
    #[display("the server was silent for {} s", _0.as_secs_f64())]
    ReadSilence(#[error(not(source))] Duration),
    /// No byte was taken for this long.
    #[display("the server took nothing for {} s", _0.as_secs_f64())]
    WriteSilence(#[error(not(source))] Duration),
    /// No connection was made in this time.
    #[display("no connection within {} s", _0.as_secs_f64())]
    Connect(#[error(not(source))] Duration),
    /// The head is longer than the limit.
    #[display("the head of the reply is longer than {} KiB", super::head::MAX_LENGTH / 1024)]
    HeadTooLong,
    /// The head has more fields than the limit.
    #[display("the head of the reply has more than {} fields", super::head::MAX_FIELDS)]
    TooManyFields,
    /// There are more interim replies than the limit.
    #[display("the server sent more than {} interim replies", super::held::MAX_INTERIM)]
    TooManyInterim,
    /// The body has a transfer coding other than chunked.
    #[display("the reply has a transfer coding that is not supported")]
    Coding,
    /// The server asked for a client certificate, and refused to go on without one.
    #[display("the server requires a client certificate, and the client has none")]
    ClientCertificate,
}

impl WireFault {
    pub(in crate::transport) fn into_io(self) -> io::Error {
        let kind = match self {
            Self::Closed | Self::Stale => io::ErrorKind::UnexpectedEof,
            Self::ReadSilence(_) | Self::WriteSilence(_) | Self::Connect(_) => io::ErrorKind::TimedOut,
            Self::HeadTooLong | Self::TooManyFields | Self::TooManyInterim | Self::Coding => {
                io::ErrorKind::InvalidData
            }
            Self::ClientCertificate => io::ErrorKind::PermissionDenied,
        };
        io::Error::new(kind, self)
    }

    /// The fault inside an error of a stream, if the stream made it.
    pub(in crate::transport) fn inside(error: &io::Error) -> Option<Self> {
        error.get_ref().and_then(|inner| inner.downcast_ref::<Self>()).copied()
    }
}

/// Whether an error says no more than that the connection has ended.
pub(super) fn is_end(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof)
}
