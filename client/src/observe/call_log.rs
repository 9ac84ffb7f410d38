//! The client's log lines: starting and closing at INFO, what happens to each call at DEBUG.
//!
//! A line that is not logged is not formatted, and no line carries a request id when `include_request_id` is off.

use std::{fmt, sync::Arc};

use log::Level;
use resilience_actors::supervisor::LogTarget;

use super::event::{Event, FailedAttempt, Observer};
use crate::{config::LoggingConfig, request_id::RequestId};

/// Writes the client's log lines.
#[derive(Clone, Debug)]
pub(crate) struct CallLog {
    log: LogTarget,
    ids: Ids,
}

/// Whether lines carry the request id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ids {
    Shown,
    Hidden,
}

impl CallLog {
    pub(crate) fn new(config: &LoggingConfig) -> Self {
        let log = LogTarget { target: Arc::from(config.target.as_str()), level: config.level.filter() };
        let ids = if config.include_request_id { Ids::Shown } else { Ids::Hidden };
        Self { log, ids }
    }

    pub(crate) fn target(&self) -> LogTarget {
        self.log.clone()
    }

    #[cold]
    fn write(&self, event: &Event<'_>) {
        let target = &*self.log.target;
        match *event {
            Event::ClientStarted { base_url } => {
                log::info!(target: target, base_url; "Client started");
            }
            Event::ClientClosed => log::info!(target: target, "Client closed"),
            Event::RequestIdMade { id } => self.debug(id, |id| format!("New request id{id}")),
            Event::SlotAwaited { id } => self.debug(id, |id| format!("Operation{id} waits for a slot")),
            Event::SlotAcquired { id, available } => {
                self.debug(id, |id| format!("Operation{id} acquired a slot ({available} left)"));
            }
            Event::RetryPlanned { id, failed, wait } => self.debug(id, |id| {
                let (seconds, number, total) = (wait.as_secs_f64(), failed.number, failed.total);
                format!(
                    "Operation{id} failed with [{failed}]. Retrying in {seconds:.3} seconds (Attempt {number} of {total})"
                )
            }),
            Event::HedgeSent { id, number } => {
                self.debug(id, |id| format!("Operation{id} is slow, sent a hedge (request {number})"));
            }
            Event::AttemptBegun { .. } | Event::AttemptEnded { .. } | Event::BreakerChanged { .. } => {}
        }
    }

    fn debug(&self, id: &RequestId, line: impl FnOnce(&dyn fmt::Display) -> String) {
        let target = &*self.log.target;
        let request_id = id.as_str();
        match self.ids {
            Ids::Shown => {
                log::debug!(target: target, request_id; "{}", line(&format_args!(" [{request_id}]")));
            }
            Ids::Hidden => log::debug!(target: target, "{}", line(&"")),
        }
    }
}

impl Observer for CallLog {
    #[inline]
    fn on(&self, event: &Event<'_>) {
        if level(event).is_some_and(|level| self.log.enabled(level)) {
            self.write(event);
        }
    }
}

/// The level at which an event is logged; `None` for one that has no line.
#[inline]
fn level(event: &Event<'_>) -> Option<Level> {
    match event {
        Event::ClientStarted { .. } | Event::ClientClosed => Some(Level::Info),
        Event::RequestIdMade { .. }
        | Event::SlotAwaited { .. }
        | Event::SlotAcquired { .. }
        | Event::HedgeSent { .. }
        | Event::RetryPlanned { .. } => Some(Level::Debug),
        Event::AttemptBegun { .. } | Event::AttemptEnded { .. } | Event::BreakerChanged { .. } => None,
    }
}

/// `service_unavailable: 503`, or the error alone where there was no reply.
impl fmt::Display for FailedAttempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.status {
            Some(status) => write!(f, "{}: {status}", self.error),
            None => write!(f, "{}", self.error),
        }
    }
}
