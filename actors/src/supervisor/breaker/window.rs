//! The share of failed and of slow calls in a window of recent calls. Pure: the time is passed in.
//!
//! The memory is bounded: one entry for each of the last N calls, or ten slices of the last T seconds.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use super::{Cause, ticket::Speed};

/// The slices of a window of time. A slice is forgotten as a whole.
const SLICES: u32 = 10;

/// When the shares of failed and of slow calls open the breaker.
#[derive(Clone, Debug, PartialEq)]
pub struct RateSettings {
    /// The calls that are looked at.
    pub window: Window,
    /// The share of failed calls that opens the breaker; `None` does not look at failures.
    pub failure_rate: Option<f64>,
    /// The share of slow calls that opens the breaker; `None` does not look at slowness.
    pub slow_call_rate: Option<f64>,
    /// The calls that the window must have before it opens the breaker.
    pub minimum_calls: u32,
}

/// The calls that are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// The last calls, this many.
    Calls(u32),
    /// The calls of the last tenths of this time, the present tenth included.
    Time(Duration),
}

/// What was counted in a window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    calls: u32,
    failed: u32,
    slow: u32,
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sample {
    pub(super) failed: bool,
    pub(super) speed: Speed,
}

/// The calls of a window.
#[derive(Debug)]
pub(super) struct Recent {
    settings: RateSettings,
    kept: Kept,
    total: Counts,
}

#[derive(Debug)]
enum Kept {
    Calls { most: usize, samples: VecDeque<Sample> },
    Time { slice: Duration, start: Option<Instant>, slices: VecDeque<(u64, Counts)> },
}

impl Recent {
    pub(super) fn new(settings: RateSettings) -> Self {
        let kept = match settings.window {
            Window::Calls(most) => Kept::Calls { most: most as usize, samples: VecDeque::new() },
            Window::Time(time) => {
                let slice = (time / SLICES).max(Duration::from_nanos(1));
                Kept::Time { slice, start: None, slices: VecDeque::new() }
            }
        };
        Self { settings, kept, total: Counts::default() }
    }

    /// Forgets all calls.
    pub(super) fn clear(&mut self) {
        self.total = Counts::default();
        match &mut self.kept {
            Kept::Calls { samples, .. } => samples.clear(),
            Kept::Time { slices, .. } => slices.clear(),
        }
    }

    /// Counts a call that has ended, and says whether a share has reached its limit.
    pub(super) fn record(&mut self, sample: Sample, now: Instant) -> Option<Cause> {
        self.kept.push(sample, now, &mut self.total);
        self.exceeded()
    }

    fn exceeded(&self) -> Option<Cause> {
        let Counts { calls, failed, slow } = self.total;
        if calls < self.settings.minimum_calls.max(1) {
            return None;
        }
        let reached = |part: u32, limit: Option<f64>| {
            // A quotient, because it is rounded as the limit is: 7 / 100 is 0.07, but 0.07 * 100 is more than 7.
            limit.is_some_and(|limit| f64::from(part) / f64::from(calls) >= limit)
        };
        if reached(failed, self.settings.failure_rate) {
            return Some(Cause::FailureRate { failed, calls });
        }
        reached(slow, self.settings.slow_call_rate).then_some(Cause::SlowCallRate { slow, calls })
    }
}

impl Kept {
    fn push(&mut self, sample: Sample, now: Instant, total: &mut Counts) {
        match self {
            Self::Calls { most, samples } => {
                if samples.len() >= *most
                    && let Some(oldest) = samples.pop_front()
                {
                    total.subtract(Counts::of(oldest));
                }
                samples.push_back(sample);
            }
            Self::Time { slice, start, slices } => {
                let elapsed = now.saturating_duration_since(*start.get_or_insert(now));
                let number = u64::try_from(elapsed.as_nanos() / slice.as_nanos()).unwrap_or(u64::MAX);
                while let Some(&(oldest, counts)) = slices.front()
                    && oldest.saturating_add(u64::from(SLICES)) <= number
                {
                    total.subtract(counts);
                    slices.pop_front();
                }
                match slices.back_mut() {
                    // A clock that stands still, or was read earlier on another thread, stays in the slice.
                    Some((latest, counts)) if *latest >= number => counts.add(Counts::of(sample)),
                    _ => slices.push_back((number, Counts::of(sample))),
                }
            }
        }
        total.add(Counts::of(sample));
    }
}

impl Counts {
    fn of(sample: Sample) -> Self {
        Self { calls: 1, failed: u32::from(sample.failed), slow: u32::from(sample.speed == Speed::Slow) }
    }

    fn add(&mut self, other: Self) {
        self.calls = self.calls.saturating_add(other.calls);
        self.failed = self.failed.saturating_add(other.failed);
        self.slow = self.slow.saturating_add(other.slow);
    }

    fn subtract(&mut self, other: Self) {
        self.calls = self.calls.saturating_sub(other.calls);
        self.failed = self.failed.saturating_sub(other.failed);
        self.slow = self.slow.saturating_sub(other.slow);
    }
}
