//! The handle that asks for the answer to a key, and the lease that hands it in.

use std::sync::Arc;
use std::time::Duration;

use super::actor::{Abandon, Answer, Answers, Begin, Complete, ReadStats, Sweep};
use super::cache::{CacheSettings, CacheStats, ExecutionId, Fingerprint, Key};
use super::published::Published;
use crate::address::{Address, WeakAddress};
use crate::clock::now;
use crate::error::ActorError;
use crate::lifecycle::{self, Unstarted};

/// How often expired answers are removed.
const SWEEP_PERIOD: Duration = Duration::from_secs(1);

/// Asks one cache, from any thread. Cheap to clone; the actor ends with its last handle.
pub struct IdempotencyHandle<V: Answer> {
    published: Arc<Published<V>>,
    address: Address<Answers<V>>,
}

impl<V: Answer> Clone for IdempotencyHandle<V> {
    fn clone(&self) -> Self {
        Self { published: Arc::clone(&self.published), address: self.address.clone() }
    }
}

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
    execution: ExecutionId,
    cache: Option<WeakAddress<Answers<V>>>,
    published: Arc<Published<V>>,
}

/// Makes an empty cache, and the actor that has yet to be started. Expiries and evictions are logged under
/// `log_target`, at DEBUG, and a restart of the actor at ERROR.
///
/// # Examples
///
/// ```
/// use std::{num::NonZeroUsize, time::Duration};
/// use resilience_actors::idempotency::{self, CacheSettings, Fingerprint, Outcome};
///
/// # #[actix_rt::main]
/// # async fn main() -> Result<(), resilience_actors::ActorError> {
/// let settings = CacheSettings { max_size: NonZeroUsize::MIN, ttl: Duration::from_secs(300) };
/// let (cache, actor) = idempotency::prepare(settings, "cache");
/// actor.start();
/// let charge = Fingerprint([1; 32]);
/// if let Outcome::Execute(lease) = cache.begin("order-42".into(), charge).await? {
///     lease.complete("charged");
/// }
/// assert!(matches!(cache.begin("order-42".into(), charge).await?, Outcome::Replay("charged")));
/// let refund = Fingerprint([2; 32]);
/// assert!(matches!(cache.begin("order-42".into(), refund).await?, Outcome::Conflict));
/// # Ok(())
/// # }
/// ```
pub fn prepare<V: Answer>(
    settings: CacheSettings,
    log_target: &'static str,
) -> (IdempotencyHandle<V>, Unstarted) {
    let published = Arc::new(Published::new());
    let for_actor = Arc::clone(&published);
    let (address, actor) = lifecycle::prepare(move |address, last_number| {
        Answers::new(settings, log_target, Arc::clone(&for_actor), address, last_number)
    });
    let sweeper = address.downgrade();
    let actor = actor.and_then(move || drop(actix_rt::spawn(sweep_regularly(sweeper))));
    (IdempotencyHandle { published, address }, actor)
}

/// Reminds the actor of expired answers until it ends. A task of its own, because every message to an actor polls
/// every future in the actor's context.
async fn sweep_regularly<V: Answer>(cache: WeakAddress<Answers<V>>) {
    loop {
        actix_rt::time::sleep(SWEEP_PERIOD).await;
        match cache.upgrade() {
            Some(cache) => cache.send(Sweep),
            None => break,
        }
    }
}

impl<V: Answer> IdempotencyHandle<V> {
    /// Asks for the answer to the request with `key` that `fingerprint` identifies, and waits while another caller is
    /// making it. The wait has no bound of its own: it ends with the execution of the other caller, or when this
    /// future is dropped, which leaves no trace.
    ///
    /// # Errors
    /// [`ActorError`] when the actor has not answered, or loses its state during the wait.
    pub async fn begin(&self, key: Key, fingerprint: Fingerprint) -> Result<Outcome<V>, ActorError> {
        if let Some(value) = self.published.read(&key, fingerprint, now()) {
            return Ok(Outcome::Replay(value));
        }
        self.address.ask(|reply| Begin { key, fingerprint, reply }).await
    }

    /// Reads how full the cache is.
    ///
    /// # Errors
    /// [`ActorError`] when the actor has not answered.
    pub async fn stats(&self) -> Result<CacheStats, ActorError> {
        self.address.ask(|reply| ReadStats { reply }).await
    }

    /// Returns how many times the actor has been restarted after a panic. Each restart empties the cache.
    #[must_use]
    pub fn restarts(&self) -> u64 {
        self.address.restarts()
    }
}

impl<V: Answer> Lease<V> {
    pub(super) fn new(
        key: Key,
        execution: ExecutionId,
        cache: WeakAddress<Answers<V>>,
        published: Arc<Published<V>>,
    ) -> Self {
        Self { key, execution, cache: Some(cache), published }
    }

    /// Stores the answer and passes it to all followers. Later callers find it: the mailbox keeps the order.
    pub fn complete(mut self, value: V) {
        if let Some(cache) = self.cache.take() {
            let unstored = self.published.hand_in();
            cache.send(Complete { key: Key::clone(&self.key), execution: self.execution, value, unstored });
        }
    }
}

impl<V: Answer> Drop for Lease<V> {
    fn drop(&mut self) {
        if let Some(cache) = self.cache.take() {
            cache.send(Abandon { key: Key::clone(&self.key), execution: self.execution });
        }
    }
}

#[cfg(test)]
#[path = "handle_tests.rs"]
mod tests;
