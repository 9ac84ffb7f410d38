//! The bulkhead: a limit on the attempts in progress. First come, first served; a caller that gives up leaves no
//! trace.

use std::time::Duration;

use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::timeout,
};

/// A limit on the attempts in progress.
#[derive(Debug)]
pub(crate) struct Bulkhead {
    slots: Semaphore,
    size: u32,
    acquisition_timeout: Duration,
}

/// A slot, given back when dropped.
#[derive(Debug)]
pub(crate) struct Slot<'a> {
    _permit: SemaphorePermit<'a>,
    /// Whether the caller had to wait for the slot.
    pub(crate) came: Came,
}

/// How a slot was acquired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Came {
    /// Without waiting.
    AtOnce,
    /// After others had given their slots back.
    AfterWaiting,
}

/// The error when no slot became free in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Full;

impl Bulkhead {
    pub(crate) fn new(size: u32, acquisition_timeout: Duration) -> Self {
        Self { slots: Semaphore::new(size as usize), size, acquisition_timeout }
    }

    /// Waits for a slot. It calls `waiting` when no slot is free.
    pub(crate) async fn acquire(&self, waiting: impl FnOnce()) -> Result<Slot<'_>, Full> {
        if let Some(slot) = self.try_acquire() {
            return Ok(slot);
        }
        waiting();
        match timeout(self.acquisition_timeout, self.slots.acquire()).await {
            Ok(Ok(permit)) => Ok(Slot { _permit: permit, came: Came::AfterWaiting }),
            Ok(Err(_)) | Err(_) => Err(Full),
        }
    }

    /// Takes a slot if one is free.
    pub(crate) fn try_acquire(&self) -> Option<Slot<'_>> {
        // A slot that others wait for is handed to them without becoming free, so this overtakes no caller.
        let permit = self.slots.try_acquire().ok()?;
        Some(Slot { _permit: permit, came: Came::AtOnce })
    }

    pub(crate) fn size(&self) -> u32 {
        self.size
    }

    pub(crate) fn available(&self) -> u32 {
        u32::try_from(self.slots.available_permits()).unwrap_or(u32::MAX)
    }

    pub(crate) fn acquisition_timeout(&self) -> Duration {
        self.acquisition_timeout
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, rc::Rc};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn callers_are_served_in_the_order_of_their_arrival() {
        let bulkhead = Rc::new(Bulkhead::new(1, Duration::from_secs(30)));
        let order = Rc::new(RefCell::new(Vec::new()));
        let first = bulkhead.acquire(|| ()).await.unwrap();
        let tasks = tokio::task::LocalSet::new();
        for n in 0..10 {
            let (bulkhead, order) = (Rc::clone(&bulkhead), Rc::clone(&order));
            tasks.spawn_local(async move {
                let _slot = bulkhead.acquire(|| ()).await.unwrap();
                order.borrow_mut().push(n);
                tokio::task::yield_now().await;
            });
        }
        tasks.run_until(tokio::task::yield_now()).await;
        drop(first);
        tasks.await;
        assert_eq!(*order.borrow(), (0..10).collect::<Vec<_>>());
        assert_eq!(bulkhead.available(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_ends_after_the_acquisition_timeout_and_leaves_no_trace() {
        let bulkhead = Bulkhead::new(1, Duration::from_secs(30));
        let slot = bulkhead.acquire(|| ()).await.unwrap();
        let start = tokio::time::Instant::now();
        assert_eq!(bulkhead.acquire(|| ()).await.unwrap_err(), Full);
        assert_eq!(start.elapsed(), Duration::from_secs(30));
        drop(slot);
        assert_eq!(bulkhead.acquire(|| ()).await.unwrap().came, Came::AtOnce);
    }

    #[tokio::test(start_paused = true)]
    async fn with_an_acquisition_timeout_of_zero_a_call_does_not_wait() {
        let bulkhead = Bulkhead::new(1, Duration::ZERO);
        let _slot = bulkhead.acquire(|| ()).await.unwrap();
        let start = tokio::time::Instant::now();
        assert_eq!(bulkhead.acquire(|| ()).await.unwrap_err(), Full);
        assert_eq!(start.elapsed(), Duration::ZERO);
    }
}
