//! The sessions of the server.

use std::sync::{Arc, Mutex, PoisonError};

use resilience_actors::Unstarted;
use resilience_actors::registry::{self, RegistryHandle};

use super::id;
use super::session::{Home, Session};
use super::settings::SessionSettings;
use crate::logging;

/// All sessions. The default one lives as long as the server.
pub struct Sessions {
    /// The sessions by their ids.
    pub registry: RegistryHandle<Session>,
    /// Where the actors of new sessions live.
    pub home: Home,
    actor: Mutex<Option<Unstarted>>,
}

impl Sessions {
    /// Creates the default session, and room for `capacity` others.
    #[must_use]
    pub fn new(default: SessionSettings, capacity: usize, home: Home) -> Self {
        let session = Session::new(default, home.clone());
        let (registry, actor) = registry::prepare(id::DEFAULT.into(), session, capacity, logging::SESSION);
        Self { registry, home, actor: Mutex::new(Some(actor)) }
    }

    /// Starts the actors of the default session and of the registry on the current thread's arbiter. Every call but
    /// the first does nothing.
    ///
    /// A single worker calls it as it starts, so that no message has to wake another thread. With several workers
    /// the server calls it before them, on a thread that outlasts them.
    pub fn start_actors(&self) {
        self.default_session().peek().start_actors();
        // A poisoned lock still holds the actor if it has not been started.
        if let Some(actor) = self.actor.lock().unwrap_or_else(PoisonError::into_inner).take() {
            actor.start();
        }
    }

    /// The session of every request that names no other.
    #[must_use]
    pub fn default_session(&self) -> &Session {
        &self.registry.permanent().member
    }

    /// The settings that a new session begins with.
    #[must_use]
    pub fn default_settings(&self) -> &SessionSettings {
        &self.default_session().settings
    }
}

/// A session in use by a request.
pub type SessionInUse = registry::InUse<Session>;

/// A session and its place in the registry.
pub type SessionEntry = Arc<registry::Entry<Session>>;
