//! The open connections of a server, so that a stop can end the idle ones at once and wait for the others.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use tokio::sync::Notify;

/// All open connections, on all threads.
#[derive(Debug, Default)]
pub struct Connections {
    stopping: AtomicBool,
    next: AtomicU64,
    open: Mutex<HashMap<u64, Option<Waker>>>,
    all_closed: Notify,
}

/// One connection's entry, for as long as it is open.
#[derive(Debug)]
pub(super) struct Entry {
    number: u64,
    waker: Registration,
    registry: Arc<Connections>,
}

/// Whether the connection's task is known. A connection is one task from its start to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Registration {
    Missing,
    Known,
}

impl Connections {
    pub(super) fn enter(self: &Arc<Self>) -> Entry {
        let number = self.next_number();
        self.open().insert(number, None);
        Entry { number, waker: Registration::Missing, registry: Arc::clone(self) }
    }

    /// A number that this gives out once.
    pub(super) fn next_number(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    /// How many connections are open.
    #[must_use]
    pub fn count(&self) -> usize {
        self.open().len()
    }

    /// Whether [`stop`](Self::stop) has been called.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }

    /// Lets idle connections close now, and each of the others after the answer that it waits for.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::SeqCst);
        for waker in self.open().values().flatten() {
            waker.wake_by_ref();
        }
    }

    /// Waits until no connection is open.
    pub async fn all_closed(&self) {
        loop {
            let closed = self.all_closed.notified();
            if self.open().is_empty() {
                return;
            }
            closed.await;
        }
    }

    fn open(&self) -> MutexGuard<'_, HashMap<u64, Option<Waker>>> {
        // The map is whole whenever the lock is free.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    /// Registers the task to wake when the server stops. Every call but the first does nothing.
    pub(super) fn register(&mut self, waker: &Waker) {
        if self.waker == Registration::Missing {
            self.waker = Registration::Known;
            self.registry.open().insert(self.number, Some(waker.clone()));
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let mut open = self.registry.open();
        open.remove(&self.number);
        if open.is_empty() {
            self.registry.all_closed.notify_waiters();
        }
    }
}
