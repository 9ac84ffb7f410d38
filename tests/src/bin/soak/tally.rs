//! What was done, for the summary.

use std::cell::Cell;
use std::fmt;

/// A number that grows.
#[derive(Debug, Default)]
pub(crate) struct Counter(Cell<u64>);

impl Counter {
    pub(crate) fn add(&self, more: u64) {
        self.0.set(self.0.get() + more);
    }
}

impl fmt::Display for Counter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.get().fmt(f)
    }
}

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) cycles: Counter,
    pub(crate) answered: Counter,
    pub(crate) failed: Counter,
    pub(crate) attempts: Counter,
    pub(crate) refused: Counter,
    pub(crate) dropped: Counter,
    pub(crate) aborted: Counter,
    pub(crate) arms: Counter,
    pub(crate) resets: Counter,
    pub(crate) counted: Counter,
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} cycles; {} calls answered, {} failed and {} refused by the breaker, in {} attempts; {} calls \
             dropped, {} connections aborted; failures armed {} times, reset {} times, {} counted one by one",
            self.cycles,
            self.answered,
            self.failed,
            self.refused,
            self.attempts,
            self.dropped,
            self.aborted,
            self.arms,
            self.resets,
            self.counted,
        )
    }
}
