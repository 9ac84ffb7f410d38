//! What a caller with a key does next, and the lease that hands an answer in.

use std::sync::Arc;

use super::actor::{Abandon, Answers, Complete};
use super::answer::{Answer, Settled};
use super::cache::{ExecutionId, Key};
use super::published::Published;
#[cfg(feature = "store")]
use super::tenure::Tenure;
use crate::address::WeakAddress;
use crate::error::ActorError;

/// What a caller with a key does next.
#[derive(Debug)]
pub enum Outcome<V: Answer> {
    /// Return this answer, which was made before, or by another caller meanwhile.
    Replay(V),
    /// Make the answer, and hand it in with [`Lease::complete`].
    Execute(Lease<V>),
    /// Refuse: the key belongs to a request that asks for something else.
    Conflict,
}

/// The right and the duty to make the answer to one key.
///
/// Dropping it unfinished (the caller was cancelled, or panicked) passes it on to the first follower. A lease that was
/// given out before the actor lost its state in a panic is void: its answer is not stored.
#[derive(Debug)]
#[must_use = "dropping a lease abandons the execution"]
pub struct Lease<V: Answer> {
    key: Key,
    owner: Option<Owner<V>>,
}

/// Who gets the answer.
#[derive(Debug)]
enum Owner<V: Answer> {
    Memory {
        execution: ExecutionId,
        cache: WeakAddress<Answers<V>>,
        published: Arc<Published<V>>,
    },
    #[cfg(feature = "store")]
    Shared(Tenure<V>),
}

impl<V: Answer> Lease<V> {
    pub(super) fn new(
        key: Key,
        execution: ExecutionId,
        cache: WeakAddress<Answers<V>>,
        published: Arc<Published<V>>,
    ) -> Self {
        Self { key, owner: Some(Owner::Memory { execution, cache, published }) }
    }

    #[cfg(feature = "store")]
    pub(super) fn shared(key: Key, tenure: Tenure<V>) -> Self {
        Self { key, owner: Some(Owner::Shared(tenure)) }
    }

    /// Stores the answer and passes it to all followers. Later callers find it: the mailbox keeps the order. Nobody waits
    /// until a store has taken it; see [`settle`](Self::settle).
    pub fn complete(mut self, value: V) {
        match self.owner.take() {
            Some(Owner::Memory { execution, cache, published }) => {
                let unstored = published.hand_in();
                cache.send(Complete { key: Key::clone(&self.key), execution, value, unstored });
            }
            #[cfg(feature = "store")]
            Some(Owner::Shared(tenure)) => tenure.complete(&self.key, &value),
            None => {}
        }
    }

    /// As [`complete`](Self::complete), and returns what the caller answers with. That is its own answer as long as the
    /// execution is its own, which in memory it always is.
    ///
    /// # Errors
    /// [`ActorError`] when another server has taken over and has no answer yet, or when the store does not say that it
    /// has taken this one. It may be stored all the same.
    #[cfg_attr(
        not(feature = "store"),
        expect(clippy::unused_async, reason = "only a store has to be waited for")
    )]
    pub async fn settle(self, value: V) -> Result<Settled<V>, ActorError> {
        #[cfg(feature = "store")]
        if let Some(Owner::Shared(_)) = &self.owner {
            return self.settle_shared(value).await;
        }
        self.complete(value.clone());
        Ok(Settled::Stored(value))
    }

    #[cfg(feature = "store")]
    async fn settle_shared(mut self, value: V) -> Result<Settled<V>, ActorError> {
        match self.owner.take() {
            Some(Owner::Shared(tenure)) => Box::pin(tenure.settle(&self.key, value)).await,
            _ => Err(ActorError::Unavailable),
        }
    }
}

impl<V: Answer> Drop for Lease<V> {
    fn drop(&mut self) {
        match self.owner.take() {
            Some(Owner::Memory { execution, cache, .. }) => {
                cache.send(Abandon { key: Key::clone(&self.key), execution });
            }
            #[cfg(feature = "store")]
            Some(Owner::Shared(tenure)) => tenure.abandon(&self.key),
            None => {}
        }
    }
}
