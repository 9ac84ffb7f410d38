//! What happens in a client, as typed events.

use std::time::Duration;

use crate::{error::ErrorKind, request_id::RequestId};

/// Something that happened. It borrows everything, so that an event without a listener costs nothing.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Event<'a> {
    /// The client started.
    ClientStarted { base_url: &'a str },
    /// The client began to close.
    ClientClosed,
    /// A call without a request id of its own got a random one.
    RequestIdMade { id: &'a RequestId },
    /// A call found no free bulkhead slot and waits for one.
    SlotAwaited { id: &'a RequestId },
    /// A call got a bulkhead slot.
    SlotAcquired { id: &'a RequestId, available: u32 },
    /// An attempt failed and will be repeated after a wait.
    RetryPlanned { id: &'a RequestId, failed: FailedAttempt, wait: Duration },
}

/// The attempt that is to be repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FailedAttempt {
    /// Its number, from 1.
    pub(crate) number: u32,
    /// The attempts that the call may make in all.
    pub(crate) total: u32,
    pub(crate) error: ErrorKind,
    /// The status of the reply, if there was one.
    pub(crate) status: Option<u16>,
}

/// Receives the events of a client, on the thread on which they happen. It must not block.
pub(crate) trait Listener: Send + Sync {
    fn on(&self, event: &Event<'_>);
}
