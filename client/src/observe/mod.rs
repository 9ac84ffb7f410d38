//! The one place to see what a client does: it emits typed events, and everything that watches is a listener.
//!
//! * `event`: the events, and what a listener is.
//! * `call_log`: the listener that writes the client's log lines.
//!
//! The changes of the circuit breaker are logged by the supervisor's actor, which makes them.

mod call_log;
mod event;

use std::{fmt, sync::Arc};

pub(crate) use self::{
    call_log::CallLog,
    event::{Event, FailedAttempt, Listener},
};

/// The listeners of a client.
pub(crate) struct Observers {
    log: CallLog,
    others: Box<[Arc<dyn Listener>]>,
}

impl Observers {
    pub(crate) fn new(log: CallLog, others: Vec<Arc<dyn Listener>>) -> Self {
        Self { log, others: others.into_boxed_slice() }
    }

    /// Passes an event to every listener.
    #[inline]
    pub(crate) fn emit(&self, event: Event<'_>) {
        self.log.on(&event);
        for listener in &self.others {
            listener.on(&event);
        }
    }
}

impl fmt::Debug for Observers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observers").field("log", &self.log).finish_non_exhaustive()
    }
}
