//! One step, to be sent to the store.

use std::sync::Arc;
use std::time::Duration;

use super::scripts::Script;

/// A script with what it needs.
pub(crate) struct Call {
    pub(super) script: &'static Script,
    pub(super) session: Arc<str>,
    pub(super) lives: Duration,
    pub(super) arguments: Vec<String>,
    /// The epoch that it belongs to; `None`: the present one.
    pub(super) epoch: Option<Arc<str>>,
}

impl Call {
    /// The same, done only if the store has kept its data since.
    pub(crate) fn of_epoch(mut self, epoch: Arc<str>) -> Self {
        self.epoch = Some(epoch);
        self
    }
}
