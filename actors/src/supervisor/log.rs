//! The supervisor's log lines. It logs no single call, only changes that concern all of them.

use std::sync::Arc;

use log::{Level, LevelFilter, Record, kv::Value};

use super::{
    breaker::{Cause, Transition},
    change::Change,
};

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

    pub(super) fn change(&self, change: Change<'_>) {
        let level = match change.transition {
            Transition::Opened { .. } => Level::Warn,
            Transition::HalfOpened | Transition::Closed => Level::Info,
        };
        if self.enabled(level) {
            let fields = fields(change);
            let mut record = Record::builder();
            record.target(&self.target).level(level).module_path(Some(module_path!())).key_values(&fields);
            log::logger().log(&record.args(format_args!("{change}")).build());
        }
    }

    pub(super) fn restarted(&self) {
        if self.enabled(Level::Error) {
            log::error!(target: &self.target,
                "Supervisor actor restarted after a panic; the circuit breaker is closed, the retry budget is full");
        }
    }
}

/// The fields of the line, the numbers that opened the breaker first.
fn fields(change: Change<'_>) -> Vec<(&'static str, Value<'_>)> {
    let mut fields = Vec::new();
    if let Transition::Opened { cause, recovery: Some(recovery) } = change.transition {
        match cause {
            Cause::Consecutive { failures } => fields.push(("failures", failures.into())),
            Cause::FailureRate { failed, calls } => {
                fields.extend([("failed", failed.into()), ("calls", calls.into())]);
            }
            Cause::SlowCallRate { slow, calls } => {
                fields.extend([("slow", slow.into()), ("calls", calls.into())]);
            }
            Cause::ByHand => {}
        }
        fields.push(("recovery_seconds", recovery.as_secs_f64().into()));
    }
    fields.extend(change.origin.map(|origin| ("origin", origin.into())));
    fields
}
