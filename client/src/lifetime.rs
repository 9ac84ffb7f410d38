//! The lifetime of a client: open, closing, and closed when its last call has ended.

use tokio_util::{
    sync::CancellationToken,
    task::{TaskTracker, task_tracker::TaskTrackerToken},
};

/// Counts the calls of a client and tells them when it closes. A closed client never opens again.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lifetime {
    calls: TaskTracker,
    closing: CancellationToken,
}

/// Whether a call of [`Lifetime::close`] was the first one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Closing {
    BegunNow,
    BegunBefore,
}

impl Lifetime {
    /// Counts a call until the token is dropped; `None` when the client is closing.
    ///
    /// Counting and closing change the same atomic, so a call is either counted before the client begins to close,
    /// and then waited for, or it is not admitted.
    pub(crate) fn enter(&self) -> Option<TaskTrackerToken> {
        let token = self.calls.token();
        if self.calls.is_closed() { None } else { Some(token) }
    }

    /// The calls that have begun and not ended.
    pub(crate) fn in_flight(&self) -> usize {
        self.calls.len()
    }

    /// Begins to close: no call is admitted any more, and those in flight end.
    pub(crate) fn close(&self) -> Closing {
        let begun = if self.calls.close() { Closing::BegunNow } else { Closing::BegunBefore };
        self.closing.cancel();
        begun
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.calls.is_closed()
    }

    /// Waits until the client begins to close.
    pub(crate) async fn closing(&self) {
        self.closing.cancelled().await;
    }

    /// Waits until the client is closing and its last call has ended.
    pub(crate) async fn ended(&self) {
        self.closing.cancelled().await;
        self.calls.wait().await;
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[test]
    fn it_ends_when_it_is_closed_and_the_last_call_has_ended() {
        let lifetime = Lifetime::default();
        let call = lifetime.enter().unwrap();
        assert_eq!((lifetime.in_flight(), lifetime.is_closed()), (1, false));
        assert!(lifetime.ended().now_or_never().is_none() && lifetime.closing().now_or_never().is_none());
        assert_eq!((lifetime.close(), lifetime.close()), (Closing::BegunNow, Closing::BegunBefore));
        assert!(lifetime.enter().is_none() && lifetime.is_closed());
        assert!(lifetime.closing().now_or_never().is_some());
        assert!(lifetime.ended().now_or_never().is_none());
        drop(call);
        assert_eq!(lifetime.in_flight(), 0);
        assert!(lifetime.ended().now_or_never().is_some());
    }
}
