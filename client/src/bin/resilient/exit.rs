//! The exit codes, and the line that explains a failure.

use std::fmt;

use resilient_client::{Error, ErrorKind};

/// An exit code. Scripts rely on its meaning, which never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    Ok = 0,
    Failure = 1,
    Usage = 2,
    Connection = 3,
    Status = 4,
    PoolTimeout = 5,
    CircuitOpen = 6,
    Deadline = 7,
    /// 128 plus the number of the signal, as in shells.
    Interrupted = 130,
    Terminated = 143,
}

impl From<ErrorKind> for Exit {
    fn from(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::Connection(_) => Self::Connection,
            ErrorKind::Status(_) => Self::Status,
            ErrorKind::PoolTimeout => Self::PoolTimeout,
            ErrorKind::CircuitOpen { .. } => Self::CircuitOpen,
            ErrorKind::DeadlineExceeded => Self::Deadline,
            ErrorKind::Config | ErrorKind::InvalidUrl | ErrorKind::InvalidHeader | ErrorKind::Encode => {
                Self::Usage
            }
            _ => Self::Failure,
        }
    }
}

/// Why a command failed, in one line.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    pub(crate) line: String,
}

impl Failure {
    pub(crate) fn new(exit: Exit, line: impl Into<String>) -> Self {
        Self { exit, line: line.into() }
    }

    /// Wrong usage: a flag, a value, an address, a file.
    pub(crate) fn usage(line: impl Into<String>) -> Self {
        Self::new(Exit::Usage, line)
    }

    /// An input or output operation that failed.
    pub(crate) fn io(what: impl fmt::Display, why: &std::io::Error) -> Self {
        Self::new(Exit::Failure, format!("{what}: {why}"))
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::new(error.kind().into(), error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use resilient_client::{ConnectionError, StatusError};

    use super::*;

    #[test]
    fn every_kind_of_error_has_its_exit_code() {
        for (kind, code) in [
            (ErrorKind::Connection(ConnectionError::Network), 3),
            (ErrorKind::Connection(ConnectionError::Timeout), 3),
            (ErrorKind::Connection(ConnectionError::ServerTimeout), 3),
            (ErrorKind::Connection(ConnectionError::ServiceUnavailable), 3),
            (ErrorKind::Connection(ConnectionError::Server), 3),
            (ErrorKind::Status(StatusError::Authentication), 4),
            (ErrorKind::Status(StatusError::NotFound), 4),
            (ErrorKind::Status(StatusError::InvalidRequest), 4),
            (ErrorKind::Status(StatusError::RateLimited), 4),
            (ErrorKind::Status(StatusError::Other), 4),
            (ErrorKind::PoolTimeout, 5),
            (ErrorKind::CircuitOpen { retry_after: None }, 6),
            (ErrorKind::DeadlineExceeded, 7),
            (ErrorKind::Config, 2),
            (ErrorKind::InvalidUrl, 2),
            (ErrorKind::InvalidHeader, 2),
            (ErrorKind::Encode, 2),
            (ErrorKind::Closed, 1),
            (ErrorKind::Decode, 1),
            (ErrorKind::BodyTooLarge, 1),
        ] {
            assert_eq!(Exit::from(kind) as u8, code, "{kind}");
        }
    }
}
