//! The bulkhead: a limit on the attempts in progress. First come, first served; a caller that gives up leaves no
//! trace.
//!
//! * `limit`: the limit that follows the server, if it is adaptive. Pure.
//! * `adaptive`: makes slots appear and disappear as that limit says.

mod adaptive;
mod limit;

use std::time::Duration;

use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::timeout,
};

pub(crate) use self::limit::Signal;
use self::{adaptive::Adaptive, limit::Ticket};
use crate::config::BulkheadConfig;

/// A limit on the attempts in progress.
#[derive(Debug)]
pub(crate) struct Bulkhead {
    slots: Semaphore,
    size: u32,
    acquisition_timeout: Duration,
    /// `None` for a number of slots that does not change.
    adaptive: Option<Adaptive>,
}

/// A slot, given back when dropped.
#[derive(Debug)]
pub(crate) struct Slot<'a> {
    /// `None` once it has been given back.
    permit: Option<SemaphorePermit<'a>>,
    /// Whether the caller had to wait for the slot.
    pub(crate) came: Came,
    measured: Option<Measured<'a>>,
}

/// A slot of an adaptive bulkhead.
#[derive(Debug)]
struct Measured<'a> {
    adaptive: &'a Adaptive,
    slots: &'a Semaphore,
    ticket: Ticket,
    signal: Option<Signal>,
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
    pub(crate) fn new(config: &BulkheadConfig) -> Self {
        let adaptive = config.adaptive.then(|| Adaptive::new(config.min_concurrency, config.max_concurrency));
        let size = adaptive.as_ref().map_or(config.max_concurrency, Adaptive::limit);
        Self {
            slots: Semaphore::new(size as usize),
            size,
            acquisition_timeout: config.acquisition_timeout,
            adaptive,
        }
    }

    /// Waits for a slot. It calls `waiting` when no slot is free.
    pub(crate) async fn acquire(&self, waiting: impl FnOnce()) -> Result<Slot<'_>, Full> {
        if let Some(slot) = self.try_acquire() {
            return Ok(slot);
        }
        waiting();
        match timeout(self.acquisition_timeout, self.slots.acquire()).await {
            Ok(Ok(permit)) => Ok(self.slot(permit, Came::AfterWaiting)),
            Ok(Err(_)) | Err(_) => Err(Full),
        }
    }

    /// Takes a slot if one is free.
    pub(crate) fn try_acquire(&self) -> Option<Slot<'_>> {
        // A slot that others wait for is handed to them without becoming free, so this overtakes no caller.
        let permit = self.slots.try_acquire().ok()?;
        Some(self.slot(permit, Came::AtOnce))
    }

    fn slot<'a>(&'a self, permit: SemaphorePermit<'a>, came: Came) -> Slot<'a> {
        let measured = self.adaptive.as_ref().map(|adaptive| Measured {
            adaptive,
            slots: &self.slots,
            ticket: adaptive.began(),
            signal: None,
        });
        Slot { permit: Some(permit), came, measured }
    }

    /// The slots that there are: all of them, or those of the present limit.
    pub(crate) fn size(&self) -> u32 {
        self.adaptive.as_ref().map_or(self.size, Adaptive::limit)
    }

    pub(crate) fn available(&self) -> u32 {
        u32::try_from(self.slots.available_permits()).unwrap_or(u32::MAX)
    }

    pub(crate) fn acquisition_timeout(&self) -> Duration {
        self.acquisition_timeout
    }
}

impl Slot<'_> {
    /// Notes what the attempt has seen of the server. An adaptive limit is adjusted when the slot is given back.
    pub(crate) fn note(&mut self, signal: impl FnOnce() -> Option<Signal>) {
        if let Some(measured) = &mut self.measured {
            measured.signal = signal();
        }
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        if let (Some(measured), Some(permit)) = (&self.measured, self.permit.take()) {
            measured.adaptive.ended(measured.ticket, measured.signal, measured.slots, permit);
        }
    }
}

#[cfg(test)]
mod tests;
