//! A failure that is due to one request: it is answered, or it goes back.

#[cfg(feature = "store")]
use std::{sync::Arc, time::Duration};

use super::actor::{Failures, GiveBack};
use super::plan::Reason;
use crate::address::WeakAddress;
#[cfg(feature = "store")]
use crate::store::{StorePlace, script};

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
    owed_to: Option<Owner>,
}

/// Who gets a failure back that no client has seen.
#[derive(Debug)]
pub(super) enum Owner {
    Memory(WeakAddress<Failures>),
    #[cfg(feature = "store")]
    Shared(Lender),
}

impl InducedFailure {
    pub(super) fn new(reason: Reason, owner: Owner) -> Self {
        Self { reason, owed_to: Some(owner) }
    }

    /// States that the request is being answered with this failure, and returns its reason.
    pub fn spend(mut self) -> Reason {
        self.owed_to = None;
        self.reason
    }
}

impl Drop for InducedFailure {
    fn drop(&mut self) {
        match self.owed_to.take() {
            Some(Owner::Memory(plan)) => plan.send(GiveBack(self.reason)),
            #[cfg(feature = "store")]
            Some(Owner::Shared(lender)) => lender.give_back(self.reason),
            None => {}
        }
    }
}

/// Takes failures back that no client has seen.
#[cfg(feature = "store")]
#[derive(Debug)]
pub(super) struct Lender {
    pub(super) place: StorePlace,
    /// The epoch of the store in which the failure was taken.
    pub(super) epoch: Arc<str>,
}

/// How long it is tried to give a failure back to a store that is gone.
#[cfg(feature = "store")]
const RETURNABLE: Duration = Duration::from_secs(30);

#[cfg(feature = "store")]
impl Lender {
    /// Gives a failure back. Duration failures use nothing up.
    pub(super) fn give_back(self, reason: Reason) {
        if let Reason::Count { generation, .. } = reason {
            let arguments = vec![generation.to_string()];
            let call = self.place.call(&script::FAILURE_GIVE_BACK, arguments).of_epoch(self.epoch);
            self.place.store.insist(call, RETURNABLE);
        }
    }
}
