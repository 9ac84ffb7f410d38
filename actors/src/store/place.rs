//! Where the shared state of one session is.

use std::sync::Arc;
use std::time::Duration;

use super::call::Call;
use super::handle::StoreHandle;
use super::scripts::Script;

/// Where the shared state of one session is.
#[derive(Clone, Debug)]
pub struct StorePlace {
    pub(crate) store: StoreHandle,
    id: Arc<str>,
    /// The id and the number of the state, as scripts read them.
    session: Arc<str>,
    lives: Duration,
}

impl StorePlace {
    /// The place of a session in a store, whose keys expire when they have not been used for `lives`. The id has
    /// no space.
    #[must_use]
    pub fn new(store: StoreHandle, session: &str, lives: Duration) -> Self {
        Self { store, id: session.into(), session: format!("{session} -").into(), lives }
    }

    /// The same for one state of the session: a step is refused once the session has ended or was reset.
    #[must_use]
    pub fn of_state(&self, state: u64) -> Self {
        Self { session: format!("{} {state}", self.id).into(), ..self.clone() }
    }

    pub(crate) fn call(&self, script: &'static Script, arguments: Vec<String>) -> Call {
        Call { script, session: Arc::clone(&self.session), lives: self.lives, arguments, epoch: None }
    }

    /// The name of a topic of this session.
    pub(crate) fn topic(&self, concept: &str) -> String {
        format!("{concept}:{}", self.id)
    }

    /// The name under which the store asks for the records of the session.
    pub(crate) fn flush(&self) -> String {
        format!("flush {}", self.id)
    }

    /// The name under which the store wakes those that wait for a key.
    pub(crate) fn waiting_for(&self, key: &str) -> String {
        format!("{} {key}", self.id)
    }
}
