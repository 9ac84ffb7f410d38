//! Those on this server that wait until the store says that something has ended.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// All that wait, by the name of what they wait for.
#[derive(Default)]
pub(super) struct Waiting(Mutex<HashMap<Box<str>, Vec<Arc<Notify>>>>);

/// One that waits. It hears of what has happened since it was made.
pub(crate) struct Waiter {
    name: Box<str>,
    heard: Arc<Notify>,
    all: Arc<Waiting>,
}

impl Waiting {
    /// Begins to wait.
    pub(super) fn wait(self: &Arc<Self>, name: String) -> Waiter {
        let (name, heard) = (name.into_boxed_str(), Arc::new(Notify::new()));
        self.lock().entry(name.clone()).or_default().push(Arc::clone(&heard));
        Waiter { name, heard, all: Arc::clone(self) }
    }

    /// Wakes those that wait for this.
    pub(super) fn wake(&self, name: &str) {
        if let Some(waiting) = self.lock().get(name) {
            waiting.iter().for_each(|heard| heard.notify_one());
        }
    }

    /// Wakes all, because what was said may have been missed.
    pub(super) fn wake_all(&self) {
        self.lock().values().flatten().for_each(|heard| heard.notify_one());
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Box<str>, Vec<Arc<Notify>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiter {
    /// Waits until something has been said since this was last called.
    pub(crate) async fn heard(&self) {
        self.heard.notified().await;
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        let mut all = self.all.lock();
        if let Some(waiting) = all.get_mut(&self.name) {
            waiting.retain(|heard| !Arc::ptr_eq(heard, &self.heard));
            if waiting.is_empty() {
                all.remove(&self.name);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[test]
    fn who_waits_hears_what_was_said_before_it_listened_and_leaves_nothing_behind() {
        let waiting = Arc::new(Waiting::default());
        let (first, second) = (waiting.wait("a".into()), waiting.wait("a".into()));
        let other = waiting.wait("b".into());
        waiting.wake("a");
        assert!(first.heard().now_or_never().is_some() && second.heard().now_or_never().is_some());
        assert!(first.heard().now_or_never().is_none(), "once");
        assert!(other.heard().now_or_never().is_none());
        waiting.wake_all();
        assert!(other.heard().now_or_never().is_some());
        drop((first, second, other));
        assert!(waiting.lock().is_empty());
    }
}
