//! The failure modes of a session that several servers share.
//!
//! The store decides, one step a request, so a count is exact whichever servers the requests come to. A server that
//! knows that nothing is armed does not ask.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::induced::{Decision, InducedFailure, Lender, Owner};
use super::plan::{Change, FailureStatus, Reason};
use crate::error::ActorError;
use crate::store::{Answer, StorePlace, Watcher, script};

/// Asks a store.
#[derive(Clone)]
pub(super) struct SharedFailures {
    place: StorePlace,
    /// Whether anything is armed, as far as this server knows.
    armed: Arc<AtomicBool>,
    _watcher: Watcher,
}

/// How often an order is tried while others end everything in between.
const MAX_ATTEMPTS: usize = 20;

impl SharedFailures {
    pub(super) fn new(place: StorePlace) -> Self {
        let armed = Arc::new(AtomicBool::new(false));
        let published = Arc::clone(&armed);
        let watcher: Watcher =
            Arc::new(move |value: Option<&str>| published.store(value.is_some(), Ordering::Release));
        place.store.watch(&place.topic("failure"), &watcher);
        Self { place, armed, _watcher: watcher }
    }

    pub(super) async fn apply(&self, change: Change) -> Result<(), ActorError> {
        let (mode, number) = match change {
            Change::FailNext(count) => ("count", u128::from(count)),
            Change::FailFor(duration) => ("duration", duration.as_millis()),
            Change::Reset => ("reset", 0),
        };
        for _ in 0..MAX_ATTEMPTS {
            let version = if number > 0 { self.prepare().await? } else { 0 };
            let arguments = vec![mode.to_owned(), number.to_string(), version.to_string()];
            let answer = self.place.store.ask(self.place.call(&script::FAILURE_SET, arguments)).await?;
            if answer.text(0) == "done" {
                return Ok(());
            }
            // All was ended in between, so servers may not ask any more.
        }
        Err(ActorError::Unavailable)
    }

    /// Waits until every server asks before it passes a request; the version after which they do.
    async fn prepare(&self) -> Result<u64, ActorError> {
        let call = self.place.call(&script::FAILURE_PREPARE, Vec::new());
        Ok(self.place.store.order(call).await?.number(0))
    }

    pub(super) async fn decide(&self) -> Result<Decision, ActorError> {
        if self.is_quiet() {
            return Ok(Decision::Pass);
        }
        let epoch = self.place.store.epoch().ok_or(ActorError::Unavailable)?;
        let lender = Lender { place: self.place.clone(), epoch: Arc::clone(&epoch) };
        let call = self.place.call(&script::FAILURE_DECIDE, Vec::new()).of_epoch(epoch);
        let read = |answer: Result<Answer, _>| {
            answer.map(|answer| decision(&answer, lender)).map_err(|_| ActorError::Unavailable)
        };
        self.place.store.run(call, read).await?
    }

    /// Whether this server knows that nothing is armed.
    pub(super) fn is_quiet(&self) -> bool {
        // In this order: what becomes known after the lease was read belongs to an order that is not answered yet.
        self.place.store.is_fresh() && !self.armed.load(Ordering::Acquire)
    }

    pub(super) async fn status(&self) -> Result<FailureStatus, ActorError> {
        let answer = self.place.store.ask(self.place.call(&script::FAILURE_STATUS, Vec::new())).await?;
        let remaining = Duration::from_millis(answer.number(1));
        Ok(FailureStatus {
            count: u32::try_from(answer.number(0)).unwrap_or(u32::MAX),
            remaining: (!remaining.is_zero()).then_some(remaining),
        })
    }
}

fn decision(answer: &Answer, lender: Lender) -> Decision {
    let reason = match answer.text(0) {
        "count" => {
            let left = u32::try_from(answer.number(1)).unwrap_or(u32::MAX);
            Reason::Count { left, generation: answer.number(2) }
        }
        "duration" => Reason::Duration { left: Duration::from_millis(answer.number(1)) },
        _ => return Decision::Pass,
    };
    Decision::Fail(InducedFailure::new(reason, Owner::Shared(lender)))
}

#[cfg(test)]
#[path = "shared_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "linearizability_tests.rs"]
mod linearizability;
