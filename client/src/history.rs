//! The attempts of a call so far.

use std::{
    cell::{Cell, RefCell},
    time::Duration,
};

use tokio::time::Instant;

use crate::{
    error::ErrorKind,
    observe::{AttemptEnding, Event, Observers},
    request_id::RequestId,
    response::Attempt,
};

/// Records the attempts of a call, and tells observers when each begins and ends. It outlives the run of the call,
/// which may be cut off at its deadline or dropped.
pub(crate) struct History<'a> {
    attempts: RefCell<Vec<Attempt>>,
    running: Cell<Option<Running>>,
    id: &'a RequestId,
    observers: &'a Observers,
}

/// The attempt that is in progress.
#[derive(Clone, Copy)]
struct Running {
    number: u32,
    begun: Instant,
}

impl<'a> History<'a> {
    pub(crate) fn new(id: &'a RequestId, observers: &'a Observers) -> Self {
        Self { attempts: RefCell::default(), running: Cell::new(None), id, observers }
    }

    pub(crate) fn begin(&self, number: u32) {
        self.running.set(Some(Running { number, begun: Instant::now() }));
        self.observers.emit(Event::AttemptBegun { id: self.id, number });
    }

    /// Ends the attempt that is in progress, with a success, and returns how long it took.
    pub(crate) fn succeeded(&self, status: u16) -> Option<Duration> {
        let duration = self.end(AttemptEnding::Succeeded { status })?;
        self.record(Attempt { status: Some(status), error: None, duration, wait: None });
        Some(duration)
    }

    /// Ends the attempt that is in progress, with a failure, and returns how long it took.
    pub(crate) fn failed(&self, status: Option<u16>, error: ErrorKind) -> Option<Duration> {
        let duration = self.end(AttemptEnding::Failed { error, status })?;
        self.record(Attempt { status, error: Some(error), duration, wait: None });
        Some(duration)
    }

    /// Ends the attempt that is in progress, if there is one.
    pub(crate) fn cut(&self, error: ErrorKind) {
        let _ = self.failed(None, error);
    }

    pub(crate) fn waited(&self, wait: Duration) {
        if let Some(last) = self.attempts.borrow_mut().last_mut() {
            last.wait = Some(wait);
        }
    }

    /// Takes the attempts out.
    pub(crate) fn take(&self) -> Vec<Attempt> {
        self.attempts.take()
    }

    fn end(&self, ending: AttemptEnding) -> Option<Duration> {
        let Running { number, begun } = self.running.take()?;
        let duration = begun.elapsed();
        self.observers.emit(Event::AttemptEnded { id: self.id, number, ending, duration });
        Some(duration)
    }

    fn record(&self, attempt: Attempt) {
        let mut attempts = self.attempts.borrow_mut();
        attempts.reserve_exact(1);
        attempts.push(attempt);
    }
}

impl Drop for History<'_> {
    fn drop(&mut self) {
        let _ = self.end(AttemptEnding::Dropped);
    }
}
