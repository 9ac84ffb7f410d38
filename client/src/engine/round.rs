//! One attempt of a call and the hedges beside it, which are sent when it is slow.
//!
//! All of them are futures in one set, each with its slot. Dropping the set closes the connections of those that are
//! still in flight and gives their slots back. The call has one permit, and its breaker sees one result.

use futures::{StreamExt, stream::FuturesUnordered};
use resilience_actors::supervisor::{Permit, retry::Retryability};
use tokio::time::{Instant, sleep_until};

use super::{Attempted, Run};
use crate::{
    attempt::Failure,
    bulkhead::Slot,
    hedge::{HedgeRules, Turn, Turns},
    response::AttemptRole,
    transport::Transport,
};

/// What begins in a round.
enum Start<'s> {
    Regular(Slot<'s>),
    /// A hedge asks for a slot and for a retry out of the budget first.
    Hedge,
}

/// An attempt that has ended.
struct Ended<'s> {
    role: AttemptRole,
    attempted: Attempted,
    slot: Slot<'s>,
}

/// What happened in a round.
enum Happened<'s> {
    /// An attempt has ended; `None` for a hedge that was not allowed.
    Ended(Option<Ended<'s>>),
    HedgeDue,
}

impl<T: Transport> Run<'_, T> {
    /// Makes an attempt, and hedges while it is slow. The result is that of the first one that succeeds, or fails for
    /// good, and else of the last one that fails. Its time is that of the slowest.
    pub(super) async fn hedged<'s>(
        &'s self,
        rules: HedgeRules,
        slot: Slot<'s>,
        permit: &Permit,
    ) -> (Attempted, Slot<'s>) {
        let hedging = &self.state.hedging;
        let mut turns = Turns::new(hedging.delay(rules.after), self.hedges_left.get(), Instant::now());
        let mut in_flight = FuturesUnordered::new();
        in_flight.push(self.start(Start::Regular(slot), permit));
        let mut asked_to_wait = None;
        let decisive = loop {
            let happened = tokio::select! {
                biased;
                Some(ended) = in_flight.next() => Happened::Ended(ended),
                () = at(turns.due()) => Happened::HedgeDue,
            };
            match happened {
                Happened::HedgeDue => {
                    if turns.take(Instant::now(), hedging.quiet_until()) == Turn::Hedge {
                        in_flight.push(self.start(Start::Hedge, permit));
                    }
                }
                Happened::Ended(None) => turns.give_back(),
                Happened::Ended(Some(mut ended)) => match &mut ended.attempted.result {
                    Err(failure) if self.is_repeatable(failure) => {
                        self.keep_quiet(failure);
                        asked_to_wait = failure.retry_after.max(asked_to_wait);
                        failure.retry_after = asked_to_wait;
                        // A hedge that has not been granted yet is not waited for: it would be a retry without a wait.
                        if !self.history.is_running() {
                            break ended;
                        }
                    }
                    _ => break ended,
                },
            }
        };
        self.hedges_left.set(turns.left());
        // Connections and slots first, so that an observer of the end finds them free.
        drop(in_flight);
        self.settle(decisive)
    }

    /// Begins what is started, and waits for its end. `None` for a hedge that is not allowed.
    async fn start<'s>(&'s self, start: Start<'s>, permit: &Permit) -> Option<Ended<'s>> {
        let (role, mut slot) = match start {
            Start::Regular(slot) => (AttemptRole::Regular, slot),
            Start::Hedge => {
                let slot = self.state.bulkhead.try_acquire()?;
                self.state.supervisor.hedge(permit).await.ok()?;
                // A failure may have come while the supervisor was asked.
                if self.state.hedging.quiet_until().is_some_and(|until| Instant::now() < until) {
                    return None;
                }
                (AttemptRole::Hedge, slot)
            }
        };
        let attempted = self.attempt(self.history.begin(role), &mut slot).await;
        Some(Ended { role, attempted, slot })
    }

    /// Ends a round whose other attempts have been dropped.
    fn settle<'s>(&self, Ended { role, mut attempted, slot }: Ended<'s>) -> (Attempted, Slot<'s>) {
        let hedging = &self.state.hedging;
        let outran = self.history.regular_for();
        // A slow attempt that was outrun counts with the time that it had. Without it, the quantile would be that of
        // the fast ones alone, and sink with every estimate.
        match (outran, role, &attempted.result) {
            (Some(so_far), ..) => hedging.record(so_far),
            (None, AttemptRole::Regular, Ok(_)) => hedging.record(attempted.took),
            (None, ..) => {}
        }
        attempted.took = attempted.took.max(outran.unwrap_or_default());
        self.history.cancel();
        (attempted, slot)
    }

    /// Sends no hedge while a `Retry-After` runs, as long as the call would wait for it.
    pub(super) fn keep_quiet(&self, failure: &Failure) {
        if let Some(wait) = failure.retry_after {
            let wait = wait.min(self.call.retry.policy.retry_after_max);
            self.state.hedging.be_quiet(Instant::now() + wait);
        }
    }

    fn is_repeatable(&self, failure: &Failure) -> bool {
        let retryability = failure.retryability_of(self.call.request.method, self.call.retry.methods);
        retryability == Retryability::Retryable
    }
}

/// Waits until then; for ever without a time.
async fn at(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => std::future::pending().await,
    }
}
