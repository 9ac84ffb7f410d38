//! The handle that arms failures and asks whether a request must fail.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::actor::{Apply, Decide, Failures, ReadStatus};
use super::induced::Decision;
use super::plan::{Change, FailureStatus};
#[cfg(feature = "store")]
use super::shared::SharedFailures;
use crate::address::Address;
use crate::error::ActorError;
use crate::lifecycle::{self, Unstarted};
#[cfg(feature = "store")]
use crate::store::StorePlace;

/// Asks and changes one failure plan, from any thread. Cheap to clone; the actor ends with its last handle. The plan is
/// in the memory of this process, or in a store that several servers share.
#[derive(Clone)]
pub struct FailureHandle {
    armed: Arc<AtomicBool>,
    state: Place,
}

/// Where the failure modes are kept.
#[derive(Clone)]
enum Place {
    /// In an actor of this process.
    Memory(Address<Failures>),
    /// In a store. Such a handle always counts as armed, because what is known of the store is known for a time only.
    #[cfg(feature = "store")]
    Shared(SharedFailures),
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
    (FailureHandle { armed, state: Place::Memory(address) }, actor)
}

/// Makes a handle of the failure modes that all servers with this place in a store share.
#[cfg(feature = "store")]
#[must_use]
pub fn shared(place: StorePlace) -> FailureHandle {
    let armed = Arc::new(AtomicBool::new(true));
    FailureHandle { armed, state: Place::Shared(SharedFailures::new(place)) }
}

impl FailureHandle {
    /// Arms the next `count` requests to fail, in place of the count that was left.
    ///
    /// Once this has returned, every later [`decide`](Self::decide) sees it, on any thread, and on any server that shares
    /// the failure modes.
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
    /// wait; of shared failure modes that holds while this server knows what the others have armed.
    ///
    /// # Errors
    /// [`ActorError`] when something is armed and the actor has not answered.
    pub async fn decide(&self) -> Result<Decision, ActorError> {
        if !self.armed.load(Ordering::Acquire) {
            return Ok(Decision::Pass);
        }
        match &self.state {
            Place::Memory(address) => address.ask(|reply| Decide { reply }).await,
            #[cfg(feature = "store")]
            Place::Shared(shared) => shared.decide().await,
        }
    }

    /// Reads what is armed now.
    ///
    /// # Errors
    /// [`ActorError`] when the actor has not answered.
    pub async fn status(&self) -> Result<FailureStatus, ActorError> {
        match &self.state {
            Place::Memory(address) => address.ask(|reply| ReadStatus { reply }).await,
            #[cfg(feature = "store")]
            Place::Shared(shared) => shared.status().await,
        }
    }

    /// Returns how many times the actor has been restarted after a panic. Each restart disarms everything. What is
    /// in a store is not lost in a panic, and such a handle always returns 0.
    #[must_use]
    pub fn restarts(&self) -> u64 {
        match &self.state {
            Place::Memory(address) => address.restarts(),
            #[cfg(feature = "store")]
            Place::Shared(_) => 0,
        }
    }

    async fn apply(&self, change: Change) -> Result<(), ActorError> {
        match &self.state {
            Place::Memory(address) => address.ask(|reply| Apply { change, reply }).await.map(drop),
            #[cfg(feature = "store")]
            Place::Shared(shared) => shared.apply(change).await,
        }
    }

    /// The failure modes in a store.
    #[cfg(all(test, feature = "store"))]
    pub(super) fn shared(&self) -> &SharedFailures {
        match &self.state {
            Place::Memory(_) => panic!("they are in memory"),
            Place::Shared(shared) => shared,
        }
    }

    /// The address of the actor that keeps the failure modes in memory.
    #[cfg(test)]
    fn address(&self) -> &Address<Failures> {
        match &self.state {
            Place::Memory(address) => address,
            #[cfg(feature = "store")]
            Place::Shared(_) => panic!("they are in a store"),
        }
    }
}

#[cfg(test)]
#[path = "handle_tests.rs"]
mod tests;
