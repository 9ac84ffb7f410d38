//! Limits how many retries all calls together make: a share of the calls, and some per second. Pure.
//!
//! Retries multiply the load of a server that already fails; a budget bounds the factor. The idea is Finagle's retry
//! budget. It must cost nothing while nothing fails: calls are only counted, elsewhere, and the count is read here when
//! a retry is requested.

use std::time::{Duration, Instant};

/// How long the credit that a call earned is valid, so that a quiet day does not pay for a storm of retries.
const WINDOW: Duration = Duration::from_secs(SECONDS as u64);

/// [`WINDOW`] in seconds.
const SECONDS: usize = 10;

/// How retries are earned.
#[derive(Clone, Debug, PartialEq)]
pub struct BudgetSettings {
    /// Retries earned by each call (0.2 is one retry for five calls).
    pub ratio: f64,
    /// Retries earned by each second. At most the retries of one second are saved up.
    pub per_second: f64,
}

/// The retries that may be made now.
#[derive(Debug)]
pub struct Budget {
    settings: BudgetSettings,
    earned_by_calls: Credit,
    earned_by_time: f64,
    calls_seen: u64,
    read_at: Instant,
}

/// The credit earned by calls, kept by the second in which it was read, so that each second's share expires on its own.
#[derive(Debug)]
struct Credit {
    start: Instant,
    /// The latest second that has an entry, counted from the start.
    latest: u64,
    /// The entry of a second is at its remainder.
    seconds: [f64; SECONDS],
}

/// The budget does not allow one more retry now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spent;

impl Budget {
    /// Makes a budget that starts with the retries of one second. `calls` have been counted before it; they earn
    /// nothing.
    pub fn new(settings: BudgetSettings, calls: u64, now: Instant) -> Self {
        let earned_by_time = settings.per_second;
        Self { settings, earned_by_calls: Credit::new(now), earned_by_time, calls_seen: calls, read_at: now }
    }

    /// Takes one retry out of the budget, given the number of all calls counted so far.
    ///
    /// # Errors
    ///
    /// [`Spent`] when the budget does not allow one.
    pub fn withdraw(&mut self, calls: u64, now: Instant) -> Result<(), Spent> {
        self.earn(calls, now);
        if self.earned_by_time >= 1.0 {
            self.earned_by_time -= 1.0;
        } else if self.earned_by_time + self.earned_by_calls.total() >= 1.0 {
            self.earned_by_calls.take(1.0 - self.earned_by_time);
            self.earned_by_time = 0.0;
        } else {
            return Err(Spent);
        }
        Ok(())
    }

    fn earn(&mut self, calls: u64, now: Instant) {
        let elapsed = now.saturating_duration_since(self.read_at);
        // If more time than the window has passed, only the share of the window is kept.
        let kept = if elapsed > WINDOW { WINDOW.as_secs_f64() / elapsed.as_secs_f64() } else { 1.0 };
        #[allow(
            clippy::cast_precision_loss,
            reason = "a count of calls between two failures is far below 2^52"
        )]
        let new_calls = calls.saturating_sub(self.calls_seen) as f64;

        self.earned_by_calls.add(self.settings.ratio * new_calls * kept, now);
        self.earned_by_time = (self.earned_by_time + self.settings.per_second * elapsed.as_secs_f64())
            .min(self.settings.per_second.max(1.0));
        self.calls_seen = calls;
        self.read_at = now;
    }
}

impl Credit {
    fn new(start: Instant) -> Self {
        Self { start, latest: 0, seconds: [0.0; SECONDS] }
    }

    fn total(&self) -> f64 {
        self.seconds.iter().sum()
    }

    /// Adds to the entry of the present second, after the entries that are too old have been cleared.
    fn add(&mut self, amount: f64, now: Instant) {
        let second = now.saturating_duration_since(self.start).as_secs().max(self.latest);
        for new in (self.latest + 1..=second).take(SECONDS) {
            *self.of(new) = 0.0;
        }
        self.latest = second;
        *self.of(second) += amount;
    }

    /// Takes from the credit that expires first.
    fn take(&mut self, mut amount: f64) {
        let oldest = self.latest + 1;
        for second in oldest..oldest + WINDOW.as_secs() {
            let there = self.of(second);
            let taken = there.min(amount);
            *there -= taken;
            amount -= taken;
        }
    }

    fn of(&mut self, second: u64) -> &mut f64 {
        #[allow(clippy::cast_possible_truncation, reason = "the remainder of a small number is small")]
        let place = (second % WINDOW.as_secs()) as usize;
        &mut self.seconds[place]
    }
}

#[cfg(test)]
#[path = "budget_tests.rs"]
mod tests;
