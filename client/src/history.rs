//! What happened to a call so far, attempt by attempt.

use std::{
    cell::{Cell, RefCell},
    time::Duration,
};

use tokio::time::Instant;

use crate::{error::ErrorKind, response::Attempt};

/// The attempts so far. It outlives the run, which may be cut off at its deadline.
#[derive(Default)]
pub(crate) struct History {
    pub(crate) attempts: RefCell<Vec<Attempt>>,
    running: Cell<Option<Instant>>,
}

impl History {
    pub(crate) fn begin(&self) {
        self.running.set(Some(Instant::now()));
    }

    pub(crate) fn end(&self, status: Option<u16>, error: Option<ErrorKind>) {
        if let Some(begun) = self.running.take() {
            let duration = begun.elapsed();
            let mut attempts = self.attempts.borrow_mut();
            attempts.reserve_exact(1);
            attempts.push(Attempt { status, error, duration, wait: None });
        }
    }

    /// Ends an attempt that was under way, if one was.
    pub(crate) fn cut(&self, error: ErrorKind) {
        self.end(None, Some(error));
    }

    pub(crate) fn waited(&self, wait: Duration) {
        if let Some(last) = self.attempts.borrow_mut().last_mut() {
            last.wait = Some(wait);
        }
    }
}
