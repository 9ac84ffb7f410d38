//! What a connection knows of the record of its request at hand: when bytes of the answer were written, and how it
//! ended.

use std::cell::RefCell;
use std::time::Instant;

use super::delivery::{Delivery, Spent};
use super::exchange::Exchange;
use super::phase::Phase;
use crate::journal::Recording;

/// The recording of the request whose answer is being written, if it is recorded.
#[derive(Default)]
pub(super) struct Kept(RefCell<Option<Recording>>);

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Kept")
    }
}

/// What becomes of an answer that has been made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It goes out as a whole, and the connection may stay open.
    Whole,
    /// It goes out as a whole, and the connection ends.
    Last,
    /// A part of it goes out at most.
    Broken,
    /// Bytes that are no answer go out, or none.
    Meaningless,
    /// Nothing goes out: the connection had gone stale before.
    Stale,
}

impl Exchange {
    /// What becomes of the answer to the request at hand.
    #[must_use]
    pub fn fate(&self) -> Fate {
        match self.spent() {
            Some(Spent::Stale) => return Fate::Stale,
            Some(Spent::Broken) => return Fate::Meaningless,
            None => {}
        }
        match self.delivery.borrow().as_ref().map(|order| &order.delivery) {
            None | Some(Delivery::Drip { .. } | Delivery::Interim { .. } | Delivery::Stale) => Fate::Whole,
            Some(Delivery::Extra(_) | Delivery::Early | Delivery::Http10) => Fate::Last,
            Some(Delivery::Instead(_) | Delivery::Garbage) => Fate::Meaningless,
            Some(Delivery::ResetAfter(_) | Delivery::Truncate { .. } | Delivery::MalformedChunk) => {
                Fate::Broken
            }
        }
    }

    /// Keeps the recording of the request at hand until its answer has been written.
    pub fn keep(&self, recording: Recording) {
        if let Some(before) = self.kept.0.replace(Some(recording)) {
            // actix-http began to write this answer behind the one before.
            before.written();
        }
    }

    /// Bytes of the answer are about to be given to the kernel: the time, if anybody records it.
    ///
    /// A client can have them, and come back, before the kernel has returned to a server that is short of processors.
    /// With the time from before, no wait of a client looks shorter than it was.
    pub(super) fn before_write(&self) -> Option<Instant> {
        self.kept.0.borrow().is_some().then(Instant::now)
    }

    /// Bytes of the answer that were given to the kernel at `now` are with it.
    pub(super) fn wrote(&self, now: Option<Instant>) {
        if let (Some(recording), Some(now)) = (&mut *self.kept.0.borrow_mut(), now) {
            recording.wrote(now);
        }
    }

    /// All that was to be written is with the kernel. If the answer is whole, that was its last byte.
    pub(super) fn flushed(&self) {
        if self.phase() != Phase::Answering
            && let Some(recording) = self.kept.0.take()
        {
            recording.written();
        }
    }

    /// All that a fault has made of the answer is with the kernel, and the connection ends behind it.
    pub(super) fn sent(&self) {
        if let Some(recording) = self.kept.0.take() {
            recording.written();
        }
    }

    /// The connection has ended, and nothing can be written any more.
    pub(super) fn connection_ended(&self) {
        drop(self.kept.0.take());
    }
}
