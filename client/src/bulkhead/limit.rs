//! An adaptive limit on concurrency. Pure.
//!
//! The limit is changed after a window of attempts, by what they saw:
//! * Latency: the median of the window against a baseline, which is the median when little is in flight. While the median
//!   is at most [`TOLERANCE`] times the baseline, the limit grows, if it was reached; above that it shrinks in proportion
//!   (the gradient), at most to half.
//! * Failures: where a tenth of the attempts was refused or timed out, the limit shrinks by a quarter. So growth is in
//!   small steps and decrease by a factor (AIMD).
//!
//! Every [`PROBE_EVERY`] windows the limit is halved for one window, in which the baseline is measured anew. Without that, a
//! queue that is always there would pass for the latency of the server, and the limit would creep upwards. The same is done
//! when the limit has shrunk and the latency has not, and when it has shrunk to half: then the server has become slower, or
//! the baseline was too short by chance.
//!
//! A window is the first attempts that begin after the last change; those that began before tell about the old limit, and
//! would make a change twice. It is judged when nine tenths of them have ended, and the others count as slow: the first to
//! end are not the median. So a decision takes about as many attempts as a window has, and as were in progress before.

use std::time::Duration;

/// The attempts that a window has at the least, and at the most.
const FEWEST: usize = 48;
const MOST: usize = 64;
/// How much longer than the baseline the median may be before the limit shrinks.
const TOLERANCE: f64 = 1.5;
/// How much longer than the baseline the median is where there is no queue yet, so that the limit grows fast.
const UNLOADED: f64 = 1.1;
/// The windows from one measurement of the baseline to the next.
const PROBE_EVERY: u32 = 16;
/// The share of overloaded attempts at which the limit shrinks.
const OVERLOADED: f64 = 0.1;
/// A limit that has shrunk to this share, and whose median is still the other share of what it was, has not been the
/// cause of the latency.
const SHRUNK: f64 = 0.7;
const SAME: f64 = 0.85;
/// The limit at the start, if it is in the range.
const START: u32 = 20;

/// A limit on the attempts in progress that follows what the server can take.
#[derive(Debug)]
pub(super) struct AdaptiveLimit {
    floor: f64,
    ceiling: f64,
    limit: f64,
    /// The number of the present window, from 1.
    number: u64,
    /// The median latency in seconds when little is in flight; `None` until it has been measured.
    baseline: Option<f64>,
    /// The limit after that measurement.
    measured_at: f64,
    phase: Phase,
    /// Where the limit began to shrink; `None` while it does not.
    falling: Option<Falling>,
    window: Window,
}

/// The longest median of a row of windows after each of which the limit shrank, and the limit at that time.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Falling {
    limit: f64,
    median: f64,
}

/// The window that an attempt belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ticket(u64);

impl Ticket {
    /// An attempt that belongs to no window.
    const OTHER: Self = Self(0);
}

/// What an attempt has seen of the server.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Signal {
    /// The server answered, after this time.
    Served(Duration),
    /// The server was too busy: it refused the request, did not answer in time, or broke off.
    Overloaded,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Phase {
    /// The limit follows the windows; so many are left until the next probe.
    Following { left: u32 },
    /// The limit is halved to measure the baseline; it goes on with this one.
    Probing { resume: f64 },
}

/// The attempts of a window.
#[derive(Debug, Default)]
struct Window {
    /// The attempts that belong to it, without those that were dropped.
    members: usize,
    /// Latencies in seconds: at most [`MOST`].
    served: Vec<f64>,
    overloaded: usize,
    /// The most attempts in progress at the same time.
    peak: u32,
}

impl AdaptiveLimit {
    /// A limit from `floor` to `ceiling`, which begins with a probe.
    pub(super) fn new(floor: u32, ceiling: u32) -> Self {
        let (floor, ceiling) = (f64::from(floor), f64::from(ceiling));
        let resume = f64::from(START).clamp(floor, ceiling);
        let mut limit = Self {
            floor,
            ceiling,
            limit: resume,
            number: 1,
            baseline: None,
            measured_at: 0.0,
            phase: Phase::Following { left: 0 },
            falling: None,
            window: Window::default(),
        };
        limit.probe(resume);
        limit
    }

    /// The limit now, in whole attempts.
    pub(super) fn get(&self) -> u32 {
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the limit is between its floor and its ceiling"
        )]
        let whole = self.limit as u32;
        whole
    }

    /// Notes that an attempt begins, which makes it so many in progress. The ticket comes back with
    /// [`ended`](Self::ended).
    pub(super) fn began(&mut self, in_flight: u32) -> Ticket {
        self.window.peak = self.window.peak.max(in_flight);
        if self.window.members == self.wanted() {
            return Ticket::OTHER;
        }
        self.window.members += 1;
        Ticket(self.number)
    }

    /// Notes what an attempt has seen; nothing, if it was dropped. The limit may be another one afterwards.
    pub(super) fn ended(&mut self, ticket: Ticket, signal: Option<Signal>) {
        if ticket != Ticket(self.number) {
            return;
        }
        match signal {
            Some(Signal::Served(latency)) => self.window.served.push(latency.as_secs_f64()),
            Some(Signal::Overloaded) => self.window.overloaded += 1,
            None => self.window.members -= 1,
        }
        let wanted = self.wanted();
        let ended = self.window.served.len() + self.window.overloaded;
        if self.window.members == wanted && ended >= wanted - wanted / 10 {
            self.number += 1;
            let window = std::mem::take(&mut self.window);
            self.decide(window);
        }
    }

    /// The attempts in a window: about as many as there are at the same time.
    fn wanted(&self) -> usize {
        (self.get() as usize).clamp(FEWEST, MOST)
    }

    fn decide(&mut self, mut window: Window) {
        #[allow(clippy::cast_precision_loss, reason = "a window has few attempts")]
        let overloaded = window.overloaded as f64 / (window.overloaded + window.served.len()) as f64;
        if overloaded >= OVERLOADED {
            let from = match self.phase {
                Phase::Following { .. } => self.limit,
                Phase::Probing { resume } => resume,
            };
            self.phase = Phase::Following { left: PROBE_EVERY };
            self.falling = None;
            return self.set(from * 0.75);
        }
        let median = median(&mut window.served, window.members);
        match self.phase {
            Phase::Probing { resume } => {
                let before = self.baseline.unwrap_or(median);
                self.baseline = Some(f64::midpoint(before, median));
                self.falling = None;
                self.phase = Phase::Following { left: PROBE_EVERY };
                self.set(resume);
                self.measured_at = self.limit;
            }
            Phase::Following { left: 0 } => self.probe(self.limit),
            Phase::Following { left } => {
                self.phase = Phase::Following { left: left - 1 };
                self.follow(median, window.peak);
            }
        }
    }

    fn follow(&mut self, median: f64, peak: u32) {
        let Some(baseline) = self.baseline else {
            // The first probe saw the server overloaded.
            return self.probe(self.limit);
        };
        let ratio = median / baseline;
        if ratio > TOLERANCE {
            return self.shrink(median, (TOLERANCE / ratio).max(0.5));
        }
        self.falling = None;
        if peak >= self.get() {
            let step = if ratio < UNLOADED { 0.2 } else { 0.05 };
            self.set(self.limit * (1.0 + step) + 1.0);
        }
    }

    /// Shrinks the limit; or finds that the latency is not shorter for it, so that it is not a queue's.
    fn shrink(&mut self, median: f64, factor: f64) {
        let now = Falling { limit: self.limit, median };
        // The longest median counts: the first window may have begun before the server became slower.
        let from = self.falling.filter(|from| from.median >= median).unwrap_or(now);
        self.falling = Some(from);
        if self.limit <= from.limit * SHRUNK && median >= from.median * SAME {
            return self.probe(from.limit);
        }
        self.set(self.limit * factor);
        if self.limit < self.measured_at / 2.0 {
            self.probe(self.limit);
        }
    }

    /// Halves the limit for a window, after which it goes on with `resume`. A limit that cannot be halved is measured as
    /// it is.
    fn probe(&mut self, resume: f64) {
        self.phase = Phase::Probing { resume };
        self.set(self.limit / 2.0);
    }

    fn set(&mut self, limit: f64) {
        self.limit = limit.clamp(self.floor, self.ceiling);
    }
}

/// The median of `count` values, of which the longest may be missing.
fn median(values: &mut [f64], count: usize) -> f64 {
    let middle = (count / 2).min(values.len().saturating_sub(1));
    if values.is_empty() {
        return 0.0;
    }
    *values.select_nth_unstable_by(middle, f64::total_cmp).1
}

#[cfg(test)]
#[path = "limit_tests/mod.rs"]
mod tests;
