//! Counts outcomes and latencies. Its memory grows with the kinds of outcome, not with the requests. Pure.

use std::{collections::BTreeMap, time::Duration};

use hdrhistogram::Histogram;
use resilient_client::{Error, Response};

/// Latencies in microseconds, to three significant digits.
pub(super) type Latencies = Histogram<u64>;

/// The longest latency that is recorded, a day. Longer ones count as a day.
const LONGEST_US: u64 = 86_400_000_000;

/// The results of the requests so far.
#[derive(Debug)]
pub(super) struct Tally {
    outcomes: BTreeMap<&'static str, Latencies>,
}

impl Tally {
    /// The name of the outcome of a successful request.
    pub(super) const OK: &'static str = "ok";

    pub(super) fn new() -> Self {
        Self { outcomes: BTreeMap::new() }
    }

    pub(super) fn record(&mut self, result: &Result<Response, Error>, latency: Duration) {
        let outcome = result.as_ref().map_or_else(|error| error.kind().name(), |_| Self::OK);
        self.add(outcome, latency);
    }

    pub(super) fn add(&mut self, outcome: &'static str, latency: Duration) {
        let micros = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX).max(1);
        self.outcomes.entry(outcome).or_insert_with(none).saturating_record(micros);
    }

    /// Returns the number of requests that have ended.
    pub(super) fn done(&self) -> u64 {
        self.outcomes.values().map(Latencies::len).sum()
    }

    /// Returns each outcome that occurred: successes first, then by name.
    pub(super) fn outcomes(&self) -> impl Iterator<Item = (&'static str, &Latencies)> {
        let all = || self.outcomes.iter().map(|(name, latencies)| (*name, latencies));
        all().filter(|(name, _)| *name == Self::OK).chain(all().filter(|(name, _)| *name != Self::OK))
    }

    /// Returns the latencies of all outcomes together.
    pub(super) fn overall(&self) -> Latencies {
        let mut overall = none();
        for latencies in self.outcomes.values() {
            overall.add(latencies).expect("all of them have the same bounds");
        }
        overall
    }
}

fn none() -> Latencies {
    Histogram::new_with_bounds(1, LONGEST_US, 3).expect("the bounds are valid")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_are_counted_and_successes_come_first() {
        let mut tally = Tally::new();
        for (outcome, ms) in [("circuit_open", 1), ("ok", 2), ("ok", 4), ("server", 8)] {
            tally.add(outcome, Duration::from_millis(ms));
        }
        let counts: Vec<_> = tally.outcomes().map(|(name, latencies)| (name, latencies.len())).collect();
        assert_eq!(counts, [("ok", 2), ("circuit_open", 1), ("server", 1)]);
        assert_eq!((tally.done(), tally.overall().len()), (4, 4));
    }

    #[test]
    fn no_latency_is_too_short_or_too_long_to_count() {
        let mut tally = Tally::new();
        tally.add("ok", Duration::ZERO);
        tally.add("ok", Duration::MAX);
        assert_eq!(tally.done(), 2);
    }

    #[test]
    fn memory_does_not_grow_with_the_requests() {
        let mut tally = Tally::new();
        tally.add("ok", Duration::from_millis(1));
        let before = tally.overall().distinct_values();
        for n in 0..100_000 {
            tally.add("ok", Duration::from_micros(n));
        }
        assert_eq!(tally.overall().distinct_values(), before);
    }
}
