//! The supervisor's log lines. It logs no single call, only changes that concern all of them.

use std::sync::Arc;

use log::{Level, LevelFilter};

use super::breaker::{Cause, Transition};

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
            Transition::Opened { cause, recovery: Some(recovery) } => {
                opened(target, cause, recovery.as_secs_f64());
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

fn opened(target: &str, cause: Cause, seconds: f64) {
    match cause {
        Cause::Consecutive { failures } => {
            log::warn!(target: target, failures, recovery_seconds = seconds;
                "Circuit breaker opened after {failures} failures, for {seconds} seconds");
        }
        Cause::FailureRate { failed, calls } => {
            log::warn!(target: target, failed, calls, recovery_seconds = seconds;
                "Circuit breaker opened after {failed} of the last {calls} calls failed, for {seconds} seconds");
        }
        Cause::SlowCallRate { slow, calls } => {
            log::warn!(target: target, slow, calls, recovery_seconds = seconds;
                "Circuit breaker opened after {slow} of the last {calls} calls were slow, for {seconds} seconds");
        }
        Cause::ByHand => {
            log::warn!(target: target, "Circuit breaker opened by hand, for {seconds} seconds");
        }
    }
}
