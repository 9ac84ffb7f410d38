//! A quantile of the latest latencies, in bounded memory. Pure.
//!
//! Latencies are counted in buckets whose bounds grow by 5 %, so an estimate is the true quantile or up to 5 % more. Two
//! windows of counts take turns: the estimate is of all of the last full window and what the present one has so far, so
//! that old latencies are forgotten.

use std::time::Duration;

/// The latencies that a window holds.
const WINDOW: u32 = 1_024;
/// The latencies from which a quantile is estimated at the least.
const FEWEST: u32 = 20;
/// The factor from one bucket's bound to the next.
const GROWTH: f64 = 1.05;
/// The bound of the first bucket, in seconds.
const SHORTEST: f64 = 50e-6;
/// The buckets reach to `SHORTEST * GROWTH ^ (BUCKETS - 1)`, which is more than a day.
const BUCKETS: usize = 440;

/// The latest latencies: at least the last [`WINDOW`], at most twice as many.
#[derive(Debug)]
pub(super) struct Latencies {
    present: Window,
    last: Window,
}

/// The number of latencies in each bucket.
#[derive(Debug)]
struct Window {
    counts: [u16; BUCKETS],
    total: u32,
}

impl Latencies {
    pub(super) fn new() -> Self {
        Self { present: Window::EMPTY, last: Window::EMPTY }
    }

    pub(super) fn record(&mut self, latency: Duration) {
        if self.present.total == WINDOW {
            std::mem::swap(&mut self.present, &mut self.last);
            self.present = Window::EMPTY;
        }
        self.present.counts[bucket(latency)] += 1;
        self.present.total += 1;
    }

    /// The latency that `quantile` of the calls did not exceed; `None` before 20 calls.
    pub(super) fn quantile(&self, quantile: f64) -> Option<Duration> {
        let total = self.present.total + self.last.total;
        if total < FEWEST {
            return None;
        }
        let wanted = (quantile * f64::from(total)).ceil();
        let mut seen = 0;
        let both = self.present.counts.iter().zip(&self.last.counts);
        let reached = both.map(|(one, other)| u32::from(*one) + u32::from(*other)).position(|count| {
            seen += count;
            f64::from(seen) >= wanted
        });
        Some(bound(reached.unwrap_or(BUCKETS - 1)))
    }
}

impl Window {
    const EMPTY: Self = Self { counts: [0; BUCKETS], total: 0 };
}

/// The bucket of a latency: the first whose bound it does not exceed.
fn bucket(latency: Duration) -> usize {
    let exponent = (latency.as_secs_f64() / SHORTEST).ln() / GROWTH.ln();
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "what is out of range goes into the first or the last bucket"
    )]
    let bucket = exponent.ceil().max(0.0) as usize;
    bucket.min(BUCKETS - 1)
}

/// The longest latency of a bucket.
fn bound(bucket: usize) -> Duration {
    let exponent = i32::try_from(bucket).unwrap_or(i32::MAX);
    Duration::from_secs_f64(SHORTEST * GROWTH.powi(exponent))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_no_quantile_before_twenty_calls() {
        let mut latencies = Latencies::new();
        for n in 0..20 {
            assert_eq!(latencies.quantile(0.5), None, "{n}");
            latencies.record(Duration::from_millis(10));
        }
        assert!(latencies.quantile(0.5).is_some());
    }

    #[test]
    fn every_latency_has_a_bucket_whose_bound_is_at_most_a_twentieth_above_it() {
        for nanos in (0..47).map(|power| 1_u64 << power).chain([50_000, 50_001, 999_999_999]) {
            let latency = Duration::from_nanos(nanos);
            let bound = bound(bucket(latency)).as_secs_f64();
            let exact = latency.as_secs_f64().max(SHORTEST);
            assert!(bound >= exact * 0.999_999 && bound <= exact * 1.050_001, "{latency:?}: {bound}");
        }
        assert!(bound(BUCKETS - 1) > Duration::from_secs(86_400));
        assert_eq!(bucket(Duration::MAX), BUCKETS - 1);
    }

    #[test]
    fn an_estimate_is_between_the_true_quantile_of_the_latest_calls_and_a_twentieth_more() {
        let mut rng = crate::seed::rng();
        for _ in 0..200 {
            let (mut latencies, mut all) = (Latencies::new(), Vec::new());
            let spread = rng.f64() * 5.0;
            for _ in 0..rng.usize(20..4_000) {
                let latency = Duration::from_secs_f64(0.000_1 * (spread * rng.f64()).exp());
                latencies.record(latency);
                all.push(latency);
            }
            let windows = (all.len() - 1) / WINDOW as usize;
            let mut latest = all.split_off(windows.saturating_sub(1) * WINDOW as usize);
            latest.sort_unstable();
            for quantile in [0.5, 0.9, 0.95, 0.99, 0.999] {
                #[allow(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    clippy::cast_precision_loss
                )]
                let rank = (quantile * latest.len() as f64).ceil() as usize;
                let exact = latest[rank - 1].as_secs_f64();
                let estimate = latencies.quantile(quantile).unwrap().as_secs_f64();
                let range = exact * 0.999_999..=exact * 1.050_001;
                assert!(range.contains(&estimate), "{quantile} of {}: {exact} {estimate}", latest.len());
            }
        }
    }

    #[test]
    fn a_server_that_has_become_slow_is_known_after_at_most_two_windows() {
        let mut latencies = Latencies::new();
        for _ in 0..5_000 {
            latencies.record(Duration::from_millis(1));
        }
        for _ in 0..2 * WINDOW {
            latencies.record(Duration::from_millis(100));
        }
        assert!(latencies.quantile(0.5).unwrap() >= Duration::from_millis(100));
    }
}
