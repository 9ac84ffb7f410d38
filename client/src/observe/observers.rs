//! The observers of a client: the log, and those of the user, which may be added while calls are in flight.

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use super::{
    call_log::CallLog,
    event::{Event, Observer},
};
use crate::error::{Error, FieldError};

/// The observers of a user that a client can have.
pub(crate) const MAX_OBSERVERS: usize = 8;

/// The observers of a client. Places are taken in order and never given back, so that an event is passed on without a
/// lock, and costs one read where there is no observer.
pub(crate) struct Observers {
    log: CallLog,
    users: [OnceLock<Arc<dyn Observer>>; MAX_OBSERVERS],
}

impl Observers {
    pub(crate) fn new(log: CallLog) -> Self {
        Self { log, users: Default::default() }
    }

    /// Adds an observer, which sees what happens from now on.
    pub(crate) fn add(&self, mut observer: Arc<dyn Observer>) -> Result<(), Error> {
        for place in &self.users {
            match place.set(observer) {
                Ok(()) => return Ok(()),
                Err(back) => observer = back,
            }
        }
        Err(FieldError::new("observers", format!("must be at most {MAX_OBSERVERS}")).into())
    }

    /// Passes an event to every observer.
    #[inline]
    pub(crate) fn emit(&self, event: Event<'_>) {
        self.log.on(&event);
        for observer in self.users.iter().map_while(OnceLock::get) {
            observer.on(&event);
        }
    }
}

impl fmt::Debug for Observers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observers").field("log", &self.log).finish_non_exhaustive()
    }
}
