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
    response::{Attempt, AttemptRole},
};

/// Records the attempts of a call, and tells observers when each begins and ends. It outlives the run of the call,
/// which may be cut off at its deadline or dropped.
pub(crate) struct History<'a> {
    /// The attempts in the order in which they began, those in progress included.
    attempts: RefCell<Vec<Attempt>>,
    /// The attempt in progress that is not a hedge.
    regular: Cell<Option<Running>>,
    /// The hedges in progress. Empty, and so without memory of its own, in a call that has none.
    hedges: RefCell<Vec<Running>>,
    id: &'a RequestId,
    observers: &'a Observers,
}

/// An attempt that is in progress.
#[derive(Clone, Copy)]
pub(crate) struct Running {
    number: u32,
    begun: Instant,
}

impl<'a> History<'a> {
    pub(crate) fn new(id: &'a RequestId, observers: &'a Observers) -> Self {
        Self {
            attempts: RefCell::default(),
            regular: Cell::new(None),
            hedges: RefCell::default(),
            id,
            observers,
        }
    }

    /// Begins an attempt, which gets the next number.
    pub(crate) fn begin(&self, role: AttemptRole) -> Running {
        let number = self.add(role);
        let running = Running { number, begun: Instant::now() };
        match role {
            AttemptRole::Regular => self.regular.set(Some(running)),
            AttemptRole::Hedge => {
                self.hedges.borrow_mut().push(running);
                self.observers.emit(Event::HedgeSent { id: self.id, number });
            }
        }
        self.observers.emit(Event::AttemptBegun { id: self.id, number });
        running
    }

    /// Ends an attempt with a success, and returns how long it took.
    pub(crate) fn succeeded(&self, attempt: Running, status: u16) -> Duration {
        self.end(attempt, AttemptEnding::Succeeded { status })
    }

    /// Ends an attempt with a failure, and returns how long it took.
    pub(crate) fn failed(&self, attempt: Running, status: Option<u16>, error: ErrorKind) -> Duration {
        self.end(attempt, AttemptEnding::Failed { error, status })
    }

    /// Ends all attempts that are in progress, because another one was faster.
    pub(crate) fn cancel(&self) {
        self.end_all(AttemptEnding::Cancelled);
    }

    /// Ends all attempts that are in progress, with an error that is not of the server.
    pub(crate) fn cut(&self, error: ErrorKind) {
        self.end_all(AttemptEnding::Failed { error, status: None });
    }

    /// Whether an attempt is in progress.
    pub(crate) fn is_running(&self) -> bool {
        self.regular.get().is_some() || !self.hedges.borrow().is_empty()
    }

    /// How long the attempt that is not a hedge has been in progress, if it still is.
    pub(crate) fn regular_for(&self) -> Option<Duration> {
        self.regular.get().map(|running| running.begun.elapsed())
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

    /// Adds an attempt, and returns its number.
    fn add(&self, role: AttemptRole) -> u32 {
        let mut attempts = self.attempts.borrow_mut();
        attempts.reserve_exact(1);
        attempts.push(Attempt { role, status: None, error: None, duration: Duration::ZERO, wait: None });
        u32::try_from(attempts.len()).unwrap_or(u32::MAX)
    }

    fn end(&self, attempt: Running, ending: AttemptEnding) -> Duration {
        if self.regular.get().is_some_and(|running| running.number == attempt.number) {
            self.regular.set(None);
        } else {
            self.hedges.borrow_mut().retain(|running| running.number != attempt.number);
        }
        self.ended(attempt, ending)
    }

    fn end_all(&self, ending: AttemptEnding) {
        if let Some(running) = self.regular.take() {
            self.ended(running, ending);
        }
        for running in self.hedges.take() {
            self.ended(running, ending);
        }
    }

    fn ended(&self, Running { number, begun }: Running, ending: AttemptEnding) -> Duration {
        let duration = begun.elapsed();
        if let Some(attempt) = self.attempts.borrow_mut().get_mut(number as usize - 1) {
            attempt.duration = duration;
            (attempt.status, attempt.error) = match ending {
                AttemptEnding::Succeeded { status } => (Some(status), None),
                AttemptEnding::Failed { error, status } => (status, Some(error)),
                AttemptEnding::Cancelled | AttemptEnding::Dropped => (None, None),
            };
        }
        self.observers.emit(Event::AttemptEnded { id: self.id, number, ending, duration });
        duration
    }
}

impl Drop for History<'_> {
    fn drop(&mut self) {
        self.end_all(AttemptEnding::Dropped);
    }
}
