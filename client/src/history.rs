//! The attempts of a call so far.

use std::{
    cell::{Cell, RefCell},
    time::Duration,
};

use tokio::time::Instant;

use crate::{error::ErrorKind, response::Attempt};

/// Records the attempts of a call. It outlives the run of the call, which may be cut off at its deadline.
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

    /// Ends the attempt that is in progress, if there is one.
    pub(crate) fn cut(&self, error: ErrorKind) {
        self.end(None, Some(error));
    }

    pub(crate) fn waited(&self, wait: Duration) {
        if let Some(last) = self.attempts.borrow_mut().last_mut() {
            last.wait = Some(wait);
        }
    }
}
