//! The handle that asks for the answer to a key.

#[cfg(feature = "store")]
use std::fmt::Display;
#[cfg(feature = "store")]
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use super::actor::{Answers, Begin, ReadStats, Sweep};
use super::answer::Answer;
use super::cache::{CacheSettings, CacheStats, Fingerprint, Key};
use super::lease::Outcome;
use super::published::Published;
#[cfg(feature = "store")]
use super::shared::{Codec, SharedAnswers};
use crate::address::{Address, WeakAddress};
use crate::clock::now;
use crate::error::ActorError;
use crate::lifecycle::{self, Unstarted};
#[cfg(feature = "store")]
use crate::store::StorePlace;

/// How often expired answers are removed.
const SWEEP_PERIOD: Duration = Duration::from_secs(1);

/// Asks one cache, from any thread. Cheap to clone; the actor ends with its last handle.
///
/// The answers are in the memory of this process, or in a store that several servers share.
pub struct IdempotencyHandle<V: Answer>(Place<V>);

/// Where the answers are kept.
enum Place<V: Answer> {
    /// In an actor of this process.
    Memory { published: Arc<Published<V>>, address: Address<Answers<V>> },
    /// In a store.
    #[cfg(feature = "store")]
    Shared(SharedAnswers<V>),
}

impl<V: Answer> Clone for IdempotencyHandle<V> {
    fn clone(&self) -> Self {
        Self(match &self.0 {
            Place::Memory { published, address } => {
                Place::Memory { published: Arc::clone(published), address: address.clone() }
            }
            #[cfg(feature = "store")]
            Place::Shared(shared) => Place::Shared(shared.clone()),
        })
    }
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
    (IdempotencyHandle(Place::Memory { published, address }), actor)
}

/// Makes a handle of the cache that all servers with this place in a store share. An execution takes at most
/// `execution`. The store keeps answers as text.
#[cfg(feature = "store")]
#[must_use]
pub fn shared<V: Answer + Display + FromStr>(
    place: StorePlace,
    settings: CacheSettings,
    execution: Duration,
) -> IdempotencyHandle<V> {
    let codec = Codec { write: V::to_string, read: |text| text.parse().ok() };
    IdempotencyHandle(Place::Shared(SharedAnswers::new(place, settings, execution, codec)))
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
        match &self.0 {
            Place::Memory { published, address } => {
                if let Some(value) = published.read(&key, fingerprint, now()) {
                    return Ok(Outcome::Replay(value));
                }
                address.ask(|reply| Begin { key, fingerprint, reply }).await
            }
            #[cfg(feature = "store")]
            Place::Shared(shared) => Box::pin(shared.begin(key, fingerprint)).await,
        }
    }

    /// Reads how full the cache is.
    ///
    /// # Errors
    /// [`ActorError`] when the actor has not answered.
    pub async fn stats(&self) -> Result<CacheStats, ActorError> {
        match &self.0 {
            Place::Memory { address, .. } => address.ask(|reply| ReadStats { reply }).await,
            #[cfg(feature = "store")]
            Place::Shared(shared) => shared.stats().await,
        }
    }

    /// Returns how many times the actor has been restarted after a panic. Each restart empties the cache. What
    /// is in a store is not lost in a panic, and such a handle always returns 0.
    #[must_use]
    pub fn restarts(&self) -> u64 {
        match &self.0 {
            Place::Memory { address, .. } => address.restarts(),
            #[cfg(feature = "store")]
            Place::Shared(_) => 0,
        }
    }

    /// The address of the actor that keeps the answers in memory.
    #[cfg(test)]
    fn address(&self) -> &Address<Answers<V>> {
        match &self.0 {
            Place::Memory { address, .. } => address,
            #[cfg(feature = "store")]
            Place::Shared(_) => panic!("they are in a store"),
        }
    }
}

#[cfg(test)]
#[path = "handle_tests.rs"]
mod tests;
