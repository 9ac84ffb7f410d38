//! The supervisor's log lines. It logs no single call, only changes that concern all of them.

use std::sync::Arc;

use log::{Level, LevelFilter};

use super::breaker::Transition;

/// Where a supervisor logs, and from which level on.
#[derive(Clone, Debug)]
pub struct LogTarget {
    /// The target of its records.
    pub target: Arc<str>,
    /// The least important level that is logged.
    pub level: LevelFilter,
}

impl LogTarget {
    /// Returns whether records of this level are written.
    pub fn enabled(&self, level: Level) -> bool {
        level <= self.level && log::log_enabled!(target: &self.target, level)
    }

    pub(super) fn transition(&self, transition: Transition) {
        let level = match transition {
            Transition::Opened { .. } => Level::Warn,
            Transition::HalfOpened | Transition::Closed => Level::Info,
        };
        if !self.enabled(level) {
            return;
        }
        let target = &*self.target;
        match transition {
            Transition::Opened { failures, recovery: Some(recovery) } => {
                let seconds = recovery.as_secs_f64();
                log::warn!(target: target, failures, recovery_seconds = seconds;
                    "Circuit breaker opened after {failures} failures, for {seconds} seconds");
            }
            Transition::Opened { recovery: None, .. } => {
                log::warn!(target: target, "Circuit breaker opened by hand, until it is closed by hand");
            }
            Transition::HalfOpened => log::info!(target: target, "Circuit breaker half-open"),
            Transition::Closed => log::info!(target: target, "Circuit breaker closed"),
        }
    }

    pub(super) fn restarted(&self) {
        if self.enabled(Level::Error) {
            log::error!(target: &self.target,
                "Supervisor actor restarted after a panic; the circuit breaker is closed, the retry budget is full");
        }
    }
}
