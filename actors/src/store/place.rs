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
    session: Arc<str>,
    lives: Duration,
}

impl StorePlace {
    /// The place of a session in a store, whose keys expire when they have not been used for `lives`. The id has
    /// no space.
    #[must_use]
    pub fn new(store: StoreHandle, session: &str, lives: Duration) -> Self {
        Self { store, session: session.into(), lives }
    }

    pub(crate) fn call(&self, script: &'static Script, arguments: Vec<String>) -> Call {
        Call { script, session: Arc::clone(&self.session), lives: self.lives, arguments, epoch: None }
    }

    /// The name of a topic of this session.
    pub(crate) fn topic(&self, concept: &str) -> String {
        format!("{concept}:{}", self.session)
    }

    /// The name under which the store wakes those that wait for a key.
    pub(crate) fn waiting_for(&self, key: &str) -> String {
        format!("{} {key}", self.session)
    }
}
