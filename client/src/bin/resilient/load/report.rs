//! The results of a load as one line of JSON. Pure.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Ended, Finished, tally::Latencies};

#[derive(Serialize)]
struct Report {
    /// Requests that ended.
    requests: u64,
    /// Requests that the plan has.
    requested: u64,
    interrupted: bool,
    concurrency: u32,
    rate: Option<f64>,
    duration_ms: f64,
    throughput_per_second: f64,
    outcomes: BTreeMap<&'static str, u64>,
    latency_ms: Option<Latency>,
    latency_ms_by_outcome: BTreeMap<&'static str, Option<Latency>>,
    retries: u64,
    hedges: u64,
    breaker_transitions: Transitions,
}

#[derive(Serialize)]
pub(super) struct Latency {
    pub(super) min: f64,
    pub(super) mean: f64,
    pub(super) p50: f64,
    pub(super) p90: f64,
    pub(super) p99: f64,
    pub(super) p99_9: f64,
    pub(super) max: f64,
}

#[derive(Serialize)]
struct Transitions {
    opened: u64,
    half_opened: u64,
    closed: u64,
}

/// Makes the report.
pub(super) fn json(finished: &Finished) -> String {
    let Finished { plan, tally, stats, elapsed, ended } = finished;
    let report = Report {
        requests: tally.done(),
        requested: plan.requests,
        interrupted: *ended == Ended::Early,
        concurrency: plan.concurrency,
        rate: plan.rate,
        duration_ms: rounded(elapsed.as_secs_f64() * 1e3),
        throughput_per_second: rounded(finished.throughput()),
        outcomes: tally.outcomes().map(|(name, latencies)| (name, latencies.len())).collect(),
        latency_ms: Latency::of(&tally.overall()),
        latency_ms_by_outcome: tally.outcomes().map(|(name, of)| (name, Latency::of(of))).collect(),
        retries: stats.retries,
        hedges: stats.hedges,
        breaker_transitions: Transitions {
            opened: stats.opened,
            half_opened: stats.half_opened,
            closed: stats.closed,
        },
    };
    serde_json::to_string(&report).expect("strings and numbers can be written as JSON")
}

impl Finished {
    /// Requests that ended, for each second.
    pub(super) fn throughput(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "requests are far fewer than 2^52")]
        let done = self.tally.done() as f64;
        done / self.elapsed.as_secs_f64().max(1e-6)
    }
}

impl Latency {
    /// Summarises latencies in milliseconds; `None` without any.
    pub(super) fn of(latencies: &Latencies) -> Option<Self> {
        let at = |quantile| millis(latencies.value_at_quantile(quantile));
        (!latencies.is_empty()).then(|| Self {
            min: millis(latencies.min()),
            mean: rounded(latencies.mean() / 1e3),
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            p99_9: at(0.999),
            max: millis(latencies.max()),
        })
    }
}

fn millis(micros: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a latency is far below 2^52 microseconds")]
    rounded(micros as f64 / 1e3)
}

/// Rounds to three decimals.
fn rounded(number: f64) -> f64 {
    (number * 1e3).round() / 1e3
}
