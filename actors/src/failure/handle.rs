//! The handle that arms failures and asks whether a request must fail.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::actor::{Apply, Change, Decide, Failures, GiveBack, ReadStatus};
use super::plan::{FailureStatus, Reason};
use crate::address::{Address, WeakAddress};
use crate::error::ActorError;
use crate::lifecycle::{self, Unstarted};

/// Asks and changes one failure plan, from any thread. Cheap to clone; the actor ends with its last handle.
#[derive(Clone)]
pub struct FailureHandle {
    armed: Arc<AtomicBool>,
    address: Address<Failures>,
}

/// Whether a request must fail.
#[derive(Debug)]
pub enum Decision {
    /// No failure is due.
    Pass,
    /// This request must fail.
    Fail(InducedFailure),
}

/// A failure that is due to one request.
///
/// Counted failures are exact: this one must either be answered ([`spend`](Self::spend)) or go back to the plan.
/// Dropping it, because the request was cancelled meanwhile, gives it back.
#[derive(Debug)]
pub struct InducedFailure {
    reason: Reason,
    owed_to: Option<WeakAddress<Failures>>,
}

impl InducedFailure {
    pub(super) fn new(reason: Reason, plan: WeakAddress<Failures>) -> Self {
        Self { reason, owed_to: Some(plan) }
    }

    /// States that the request is being answered with this failure, and returns its reason.
    pub fn spend(mut self) -> Reason {
        self.owed_to = None;
        self.reason
    }
}

impl Drop for InducedFailure {
    fn drop(&mut self) {
        if let Some(plan) = self.owed_to.take() {
            plan.send(GiveBack(self.reason));
        }
    }
}

/// Makes a plan in which nothing fails, and the actor that has yet to be started. A restart of the actor is logged
/// under `log_target`, at ERROR.
///
/// # Examples
///
/// ```
/// use resilience_actors::failure::{self, Decision};
///
/// # #[actix_rt::main]
/// # async fn main() -> Result<(), resilience_actors::ActorError> {
/// let (failures, actor) = failure::prepare("failures");
/// actor.start();
/// failures.fail_next(1).await?;
/// let Decision::Fail(failure) = failures.decide().await? else { panic!("one failure is armed") };
/// failure.spend();
/// assert!(matches!(failures.decide().await?, Decision::Pass));
/// # Ok(())
/// # }
/// ```
pub fn prepare(log_target: &'static str) -> (FailureHandle, Unstarted) {
    let armed = Arc::new(AtomicBool::new(false));
    let published = Arc::clone(&armed);
    let (address, actor) = lifecycle::prepare(move |address, last_generation| {
        Failures::new(Arc::clone(&published), address, log_target, last_generation)
    });
    (FailureHandle { armed, address }, actor)
}

impl FailureHandle {
    /// Arms the next `count` requests to fail, in place of the count that was left.
    ///
    /// Once this has returned, every later [`decide`](Self::decide) on any thread sees it.
    ///
    /// # Errors
    /// [`ActorError`] when the actor has not answered; the change may have been made all the same.
    pub async fn fail_next(&self, count: u32) -> Result<(), ActorError> {
        self.apply(Change::FailNext(count)).await
    }

    /// Arms every request to fail for `duration` from now on.
    ///
    /// # Errors
    /// As [`fail_next`](Self::fail_next).
    pub async fn fail_for(&self, duration: Duration) -> Result<(), ActorError> {
        self.apply(Change::FailFor(duration)).await
    }

    /// Ends both failure modes.
    ///
    /// # Errors
    /// As [`fail_next`](Self::fail_next).
    pub async fn reset(&self) -> Result<(), ActorError> {
        self.apply(Change::Reset).await
    }

    /// Decides whether the request at hand must fail. While nothing is armed this sends no message and so does not
    /// wait.
    ///
    /// # Errors
    /// [`ActorError`] when something is armed and the actor has not answered.
    pub async fn decide(&self) -> Result<Decision, ActorError> {
        if !self.armed.load(Ordering::Acquire) {
            return Ok(Decision::Pass);
        }
        self.address.ask(|reply| Decide { reply }).await
    }

    /// Reads what is armed now.
    ///
    /// # Errors
    /// [`ActorError`] when the actor has not answered.
    pub async fn status(&self) -> Result<FailureStatus, ActorError> {
        self.address.ask(|reply| ReadStatus { reply }).await
    }

    /// Returns how many times the actor has been restarted after a panic. Each restart disarms everything.
    #[must_use]
    pub fn restarts(&self) -> u64 {
        self.address.restarts()
    }

    async fn apply(&self, change: Change) -> Result<(), ActorError> {
        self.address.ask(|reply| Apply { change, reply }).await.map(drop)
    }
}

#[cfg(test)]
#[path = "handle_tests.rs"]
mod tests;
