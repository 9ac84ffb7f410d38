//! What the client logs of its calls: one line for each thing that happens, at DEBUG; starts and ends, at INFO.
//!
//! Nothing is formatted that is not logged, and no line carries a request id when it is not to.

use std::{fmt, sync::Arc, time::Duration};

use log::Level;
use resilience_actors::supervisor::LogTarget;

use crate::{config::LoggingConfig, error::ErrorKind, request_id::RequestId};

/// Writes the client's lines.
#[derive(Clone, Debug)]
pub(crate) struct Journal {
    log: LogTarget,
    ids: Ids,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ids {
    Shown,
    Hidden,
}

impl Journal {
    pub(crate) fn new(config: &LoggingConfig) -> Self {
        let log = LogTarget { target: Arc::from(config.target.as_str()), level: config.level.filter() };
        let ids = if config.include_request_id { Ids::Shown } else { Ids::Hidden };
        Self { log, ids }
    }

    pub(crate) fn target(&self) -> LogTarget {
        self.log.clone()
    }

    pub(crate) fn started(&self, base_url: &str) {
        if self.log.enabled(Level::Info) {
            log::info!(target: &self.log.target, base_url; "Client started");
        }
    }

    pub(crate) fn closed(&self) {
        if self.log.enabled(Level::Info) {
            log::info!(target: &self.log.target, "Client closed");
        }
    }

    pub(crate) fn new_request_id(&self, id: &RequestId) {
        self.debug(id, |shown| format!("New request id{shown}"));
    }

    pub(crate) fn waiting_for_slot(&self, id: &RequestId) {
        self.debug(id, |shown| format!("Operation{shown} waits for a slot"));
    }

    pub(crate) fn slot_acquired(&self, id: &RequestId, left: u32) {
        self.debug(id, |shown| format!("Operation{shown} acquired a slot ({left} left)"));
    }

    pub(crate) fn retrying(&self, id: &RequestId, error: ErrorKind, wait: Duration, next: u32, total: u32) {
        self.debug(id, |shown| {
            let seconds = wait.as_secs_f64();
            format!("Operation{shown} failed with [{error}]. Retrying in {seconds:.3} seconds (Attempt {next} of {total})")
        });
    }

    fn debug(&self, id: &RequestId, line: impl FnOnce(&dyn fmt::Display) -> String) {
        if !self.log.enabled(Level::Debug) {
            return;
        }
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
