//! Why there is nothing to watch.

use derive_more::{Display, Error};

/// Why there is nothing to watch.
#[derive(Debug, Display, Error, PartialEq, Eq)]
pub enum WatchError {
    /// The address is invalid.
    #[display("--url is {url:?}, expected an address like http://127.0.0.1:8000: {reason}")]
    BadUrl {
        /// The given address.
        url: String,
        /// Why it is invalid.
        reason: String,
    },
    /// The id is invalid.
    #[display("--session is {_0:?}, expected 1 to 64 of the characters A-Z a-z 0-9 _ -")]
    BadSession(#[error(not(source))] String),
    /// The server does not answer.
    #[display("cannot watch {url}: {reason}")]
    NoAnswer {
        /// The address that was asked.
        url: String,
        /// What went wrong.
        reason: String,
    },
    /// There is no such session.
    #[display("cannot watch {url}: there is no session {session:?}")]
    NoSession {
        /// The address that was asked.
        url: String,
        /// The id that was given.
        session: String,
    },
    /// The journal of the server is off.
    #[display("cannot watch {url}: its journal is off (SERVER_JOURNAL_SIZE=0)")]
    JournalOff {
        /// The address that was asked.
        url: String,
    },
    /// The answer is not that of a test server.
    #[display("cannot watch {url}: it answers {status} without a stream of events; is it a test server?")]
    WrongAnswer {
        /// The address that was asked.
        url: String,
        /// The status of the answer.
        status: u16,
    },
    /// The lines cannot be written.
    #[display("cannot write to standard output: {_0}")]
    Output(#[error(not(source))] String),
}

impl WatchError {
    /// Whether the command line is wrong.
    #[must_use]
    pub fn is_usage(&self) -> bool {
        matches!(self, Self::BadUrl { .. } | Self::BadSession(_))
    }

    /// Whether another try may succeed.
    pub(super) fn is_passing(&self) -> bool {
        match self {
            Self::NoAnswer { .. } => true,
            Self::WrongAnswer { status, .. } => *status >= 500,
            _ => false,
        }
    }
}
