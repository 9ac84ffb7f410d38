//! What happens in a client, as typed events.

use std::time::Duration;

use resilience_actors::supervisor::BreakerState;

use crate::{error::ErrorKind, request_id::RequestId};

/// Something that happened in a client. It borrows everything: an event that no observer listens to costs nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event<'a> {
    /// The client started.
    ClientStarted {
        /// The URL to which relative paths are appended.
        base_url: &'a str,
    },
    /// The client began to close.
    ClientClosed,
    /// A call without a request id of its own got a random one.
    RequestIdMade {
        /// The request id of the call.
        id: &'a RequestId,
    },
    /// A call found no free bulkhead slot and waits for one.
    SlotAwaited {
        /// The request id of the call.
        id: &'a RequestId,
    },
    /// A call got a bulkhead slot.
    SlotAcquired {
        /// The request id of the call.
        id: &'a RequestId,
        /// The slots that are still free.
        available: u32,
    },
    /// A call sent a second request, because its attempt was slow. Beginning and end of that request follow, as those
    /// of an attempt.
    HedgeSent {
        /// The request id of the call.
        id: &'a RequestId,
        /// The number of the attempt that it is.
        number: u32,
    },
    /// An attempt began. Attempts of a call are in progress at the same time only if some of them are hedges.
    AttemptBegun {
        /// The request id of the call.
        id: &'a RequestId,
        /// The number of the attempt, from 1, in the order in which those of the call began, hedges included.
        number: u32,
    },
    /// An attempt ended. Every attempt that began ends once.
    AttemptEnded {
        /// The request id of the call.
        id: &'a RequestId,
        /// The number with which it began.
        number: u32,
        /// How it ended.
        ending: AttemptEnding,
        /// How long it took, without the wait for a slot.
        duration: Duration,
    },
    /// An attempt failed and will be repeated after a wait.
    RetryPlanned {
        /// The request id of the call.
        id: &'a RequestId,
        /// The attempt that failed.
        failed: FailedAttempt,
        /// The wait before the next attempt.
        wait: Duration,
    },
    /// A circuit breaker changed its state.
    BreakerChanged {
        /// The origin whose breaker it is, as `http://host:8000`; `None` for the breaker of the whole client.
        origin: Option<&'a str>,
        /// The state that it is in now.
        state: BreakerState,
    },
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttemptEnding {
    /// The server answered with a success.
    Succeeded {
        /// The status of the reply.
        status: u16,
    },
    /// The attempt failed, or was cut off by the deadline or by the end of the client.
    Failed {
        /// What went wrong.
        error: ErrorKind,
        /// The status of the reply, if there was one.
        status: Option<u16>,
    },
    /// The attempt was cancelled, because another one was faster.
    Cancelled,
    /// The caller dropped the call.
    Dropped,
}

/// The attempt that is to be repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FailedAttempt {
    /// Its number, from 1, without hedges.
    pub number: u32,
    /// The attempts, without hedges, that the call may make in all.
    pub total: u32,
    /// What went wrong.
    pub error: ErrorKind,
    /// The status of the reply, if there was one.
    pub status: Option<u16>,
}

/// Receives the events of a client, on the thread on which they happen.
///
/// It must neither block nor panic: calls wait for it. It must not keep a handle of the client that it observes: such
/// a client never ends by itself.
pub trait Observer: Send + Sync {
    /// Takes notice of an event.
    fn on(&self, event: &Event<'_>);
}
