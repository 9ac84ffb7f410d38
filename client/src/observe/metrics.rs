//! The observer that feeds the `metrics` facade.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};
use resilience_actors::supervisor::BreakerState;

use super::event::{AttemptEnding, Event, Observer};

/// Counts the events of a client with the `metrics` crate. Make it after the program has installed its recorder.
///
/// * `resilient_attempts_total{outcome}`: attempts that have ended; `succeeded`, `failed`, `cancelled` (another one of the
///   call was faster) or `dropped`.
/// * `resilient_attempt_seconds`: how long attempts took.
/// * `resilient_attempts_in_flight`: attempts that have begun and not ended.
/// * `resilient_retries_total`: retries planned. `resilient_hedges_total`: hedges sent.
/// * `resilient_slot_waits_total`: calls that waited for a bulkhead slot.
/// * `resilient_breaker_changes_total{state}`: changes of the breaker to `open`, `half_open` or `closed`.
/// * `resilient_breaker_open`: 1 while the breaker is open, 0.5 while it is half-open, else 0. Where each origin has its
///   own breaker, this is the highest of them.
///
/// No label grows with what is called. The gauges follow the events that they have seen, so name the observer in the
/// [configuration](crate::ClientConfig::observer), and use one recorder for each client whose breaker is watched.
pub struct MetricsObserver {
    succeeded: Counter,
    failed: Counter,
    cancelled: Counter,
    dropped: Counter,
    seconds: Histogram,
    in_flight: Gauge,
    retries: Counter,
    hedges: Counter,
    slot_waits: Counter,
    opened: Counter,
    half_opened: Counter,
    closed: Counter,
    open: Gauge,
    /// The breakers that are not closed, by their origins, each with its part in the gauge. Locked when one changes.
    not_closed: Mutex<HashMap<Option<Box<str>>, f64>>,
}

impl MetricsObserver {
    /// Registers the metrics with the recorder that is installed now.
    pub fn new() -> Self {
        let attempts = |outcome: &'static str| counter!("resilient_attempts_total", "outcome" => outcome);
        let changes = |state: &'static str| counter!("resilient_breaker_changes_total", "state" => state);
        Self {
            succeeded: attempts("succeeded"),
            failed: attempts("failed"),
            cancelled: attempts("cancelled"),
            dropped: attempts("dropped"),
            seconds: histogram!("resilient_attempt_seconds"),
            in_flight: gauge!("resilient_attempts_in_flight"),
            retries: counter!("resilient_retries_total"),
            hedges: counter!("resilient_hedges_total"),
            slot_waits: counter!("resilient_slot_waits_total"),
            opened: changes("open"),
            half_opened: changes("half_open"),
            closed: changes("closed"),
            open: gauge!("resilient_breaker_open"),
            not_closed: Mutex::default(),
        }
    }

    fn breaker_changed(&self, origin: Option<&str>, state: BreakerState) {
        let (changes, open) = match state {
            BreakerState::Open => (&self.opened, Some(1.0)),
            BreakerState::HalfOpen => (&self.half_opened, Some(0.5)),
            BreakerState::Closed => (&self.closed, None),
        };
        changes.increment(1);
        let mut not_closed = self.not_closed.lock().unwrap_or_else(PoisonError::into_inner);
        match open {
            Some(open) => drop(not_closed.insert(origin.map(Box::from), open)),
            None => drop(not_closed.remove(&origin.map(Box::from))),
        }
        self.open.set(not_closed.values().copied().fold(0.0, f64::max));
    }
}

impl Default for MetricsObserver {
    fn default() -> Self {
        Self::new()
    }
}

impl Observer for MetricsObserver {
    fn on(&self, event: &Event<'_>) {
        match *event {
            Event::AttemptBegun { .. } => self.in_flight.increment(1.0),
            Event::AttemptEnded { ending, duration, .. } => {
                self.in_flight.decrement(1.0);
                self.seconds.record(duration.as_secs_f64());
                match ending {
                    AttemptEnding::Succeeded { .. } => self.succeeded.increment(1),
                    AttemptEnding::Failed { .. } => self.failed.increment(1),
                    AttemptEnding::Cancelled => self.cancelled.increment(1),
                    AttemptEnding::Dropped => self.dropped.increment(1),
                }
            }
            Event::RetryPlanned { .. } => self.retries.increment(1),
            Event::HedgeSent { .. } => self.hedges.increment(1),
            Event::SlotAwaited { .. } => self.slot_waits.increment(1),
            Event::BreakerChanged { origin, state } => self.breaker_changed(origin, state),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, time::Duration};

    use metrics_util::debugging::{DebugValue, DebuggingRecorder};

    use super::*;
    use crate::request_id::RequestId;

    #[test]
    fn the_metrics_follow_the_events() {
        let recorder = DebuggingRecorder::new();
        let snapshotter = recorder.snapshotter();
        let observer = metrics::with_local_recorder(&recorder, MetricsObserver::new);
        let id = &RequestId::random();
        for (number, ending) in [
            (1, AttemptEnding::Dropped),
            (2, AttemptEnding::Succeeded { status: 200 }),
            (3, AttemptEnding::Succeeded { status: 204 }),
            (4, AttemptEnding::Cancelled),
        ] {
            observer.on(&Event::AttemptBegun { id, number });
            observer.on(&Event::AttemptEnded { id, number, ending, duration: Duration::from_millis(500) });
        }
        observer.on(&Event::AttemptBegun { id, number: 5 });
        observer.on(&Event::HedgeSent { id, number: 5 });
        observer.on(&Event::SlotAwaited { id });
        // The highest of what is not closed: the other breaker is closed again.
        for (origin, state) in [
            (None, BreakerState::Open),
            (Some("http://other"), BreakerState::Open),
            (None, BreakerState::HalfOpen),
            (Some("http://other"), BreakerState::Closed),
        ] {
            observer.on(&Event::BreakerChanged { origin, state });
        }

        let mut seen = BTreeMap::new();
        for (key, _, _, value) in snapshotter.snapshot().into_vec() {
            let labels: Vec<_> = key.key().labels().map(|label| label.value().to_owned()).collect();
            let value = match value {
                DebugValue::Counter(count) => count.to_string(),
                DebugValue::Gauge(value) => value.to_string(),
                DebugValue::Histogram(values) => format!("{} values", values.len()),
            };
            seen.insert(format!("{} {}", key.key().name(), labels.join(",")).trim().to_owned(), value);
        }
        for (name, value) in [
            ("resilient_attempts_total succeeded", "2"),
            ("resilient_attempts_total failed", "0"),
            ("resilient_attempts_total cancelled", "1"),
            ("resilient_attempts_total dropped", "1"),
            ("resilient_attempt_seconds", "4 values"),
            ("resilient_attempts_in_flight", "1"),
            ("resilient_retries_total", "0"),
            ("resilient_hedges_total", "1"),
            ("resilient_slot_waits_total", "1"),
            ("resilient_breaker_changes_total open", "2"),
            ("resilient_breaker_changes_total half_open", "1"),
            ("resilient_breaker_changes_total closed", "1"),
            ("resilient_breaker_open", "0.5"),
        ] {
            assert_eq!(seen.get(name).map(String::as_str), Some(value), "{name}: {seen:?}");
        }
    }
}
