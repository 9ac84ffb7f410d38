//! The sessions of the server.

use std::sync::Arc;

use super::{Session, SessionSettings};

/// All sessions. There is one today, which lives as long as the server.
pub struct Sessions {
    default: Arc<Session>,
}

impl Sessions {
    /// Creates the default session.
    #[must_use]
    pub fn new(default: &SessionSettings) -> Self {
        Self { default: Arc::new(Session::new(default)) }
    }

    /// The session of every request that names no other.
    #[must_use]
    pub fn default_session(&self) -> &Arc<Session> {
        &self.default
    }
}
