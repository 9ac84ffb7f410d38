//! The text of `/metrics`, made from the counters and from what the server is like at the moment.

use std::fmt;
use std::iter;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;

use super::Metrics;
use crate::fault::Fault;
use crate::state::AppState;
use crate::verdict::Row;

/// What stands in front of every name.
const PREFIX: &str = "test_server";

/// The metrics of a server at this moment, as `OpenMetrics` text.
///
/// # Errors
/// [`fmt::Error`], which writing to memory never causes.
pub fn text(state: &AppState) -> Result<String, fmt::Error> {
    let mut registry = Registry::with_prefix(PREFIX);
    registry.register_collector(Box::new(Scrape::of(state)));
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &registry)?;
    Ok(text)
}

/// What one scrape shows.
#[derive(Debug)]
struct Scrape {
    metrics: Arc<Metrics>,
    slots_in_use: usize,
    sessions: usize,
    connections: usize,
}

impl Scrape {
    fn of(state: &AppState) -> Self {
        let sessions = state.sessions.registry.all();
        let in_use = sessions.iter().map(|entry| {
            let session = &entry.member;
            session.settings.max_concurrency.saturating_sub(session.peek().slots.available_permits())
        });
        Self {
            metrics: Arc::clone(&state.metrics),
            slots_in_use: in_use.sum(),
            sessions: sessions.len(),
            connections: state.connections.count(),
        }
    }
}

impl Collector for Scrape {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let metrics = &self.metrics;
        let help = "Requests by the pattern of their route and the status of the answer";
        let mut requests = encoder.encode_descriptor("requests", help, None, MetricType::Counter)?;
        metrics.requests.each(|route, status, count| {
            counter(requests.encode_family(&[("route", route), ("status", status)])?, count)
        })?;
        let mut faults =
            encoder.encode_descriptor("faults_injected", "Injected faults", None, MetricType::Counter)?;
        let kinds = Fault::KINDS.into_iter().zip(&metrics.faults);
        for (kind, injected) in iter::once(("delay", &metrics.delays)).chain(kinds) {
            counter(faults.encode_family(&[("kind", kind)])?, read(injected))?;
        }
        let help = "Findings of verdicts, each counted once a session";
        let mut findings = encoder.encode_descriptor("findings", help, None, MetricType::Counter)?;
        for (row, found) in Row::ALL.iter().zip(&metrics.findings) {
            counter(findings.encode_family(&[("id", row.id())])?, read(found))?;
        }
        let counters = [
            ("cache_hits", "Stored answers that were replayed", &metrics.cache_hits),
            ("cache_misses", "Requests with a key that were executed", &metrics.cache_misses),
            ("journal_entries", "Requests that were recorded in a journal", &metrics.journal_entries),
        ];
        for (name, help, value) in counters {
            counter(encoder.encode_descriptor(name, help, None, MetricType::Counter)?, read(value))?;
        }
        let waiting = usize::try_from(read(&metrics.slots_waiting)).unwrap_or(usize::MAX);
        let gauges = [
            ("slots_in_use", "Requests that hold a slot of their session", self.slots_in_use),
            ("slots_waiting", "Requests that wait for a slot of their session", waiting),
            ("sessions", "Sessions, with the default one", self.sessions),
            ("connections", "Open connections", self.connections),
        ];
        for (name, help, value) in gauges {
            let value = i64::try_from(value).unwrap_or(i64::MAX);
            encoder.encode_descriptor(name, help, None, MetricType::Gauge)?.encode_gauge(&value)?;
        }
        Ok(())
    }
}

fn counter(mut encoder: MetricEncoder<'_>, value: u64) -> fmt::Result {
    encoder.encode_counter::<NoLabelSet, _, u64>(&value, None)
}

fn read(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}
