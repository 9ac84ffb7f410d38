//! The handle that asks for the answer to a key, and the lease that hands it in.

use std::sync::Arc;
use std::time::Duration;

use super::actor::{Abandon, Answer, Answers, Begin, Complete, ReadStats, Sweep};
use super::cache::{CacheSettings, CacheStats, ExecutionId, Key};
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
}

/// Makes an empty cache, and the actor that has yet to be started. Expiries and evictions are logged under
/// `log_target`, at DEBUG, and a restart of the actor at ERROR.
///
/// # Examples
///
/// ```
/// use std::{num::NonZeroUsize, time::Duration};
/// use resilience_actors::idempotency::{self, CacheSettings, Outcome};
///
/// # #[actix_rt::main]
/// # async fn main() -> Result<(), resilience_actors::ActorError> {
/// let settings = CacheSettings { max_size: NonZeroUsize::MIN, ttl: Duration::from_secs(300) };
/// let (cache, actor) = idempotency::prepare(settings, "cache");
/// actor.start();
/// if let Outcome::Execute(lease) = cache.begin("order-42".into()).await? {
///     lease.complete("charged");
/// }
/// assert!(matches!(cache.begin("order-42".into()).await?, Outcome::Replay("charged")));
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
    /// Asks for the answer to `key`, and waits while another caller is making it. The wait has no bound of its
    /// own: it ends with the other's execution, or when this future is dropped, which leaves no trace.
    ///
    /// # Errors
    /// [`ActorError`] when the actor has not answered, or loses its state during the wait.
    pub async fn begin(&self, key: Key) -> Result<Outcome<V>, ActorError> {
        if let Some(value) = self.published.read(&key, now()) {
            return Ok(Outcome::Replay(value));
        }
        self.address.ask(|reply| Begin { key, reply }).await
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
    pub(super) fn new(key: Key, execution: ExecutionId, cache: WeakAddress<Answers<V>>) -> Self {
        Self { key, execution, cache: Some(cache) }
    }

    /// Stores the answer and passes it to all followers. Later callers find it: the mailbox keeps the order.
    pub fn complete(mut self, value: V) {
        if let Some(cache) = self.cache.take() {
            cache.send(Complete { key: Key::clone(&self.key), execution: self.execution, value });
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
mod tests {
    use super::*;
    use futures::FutureExt;
    use std::num::NonZeroUsize;
    use std::time::Duration;
    use tokio::time::{pause, sleep};

    const TTL: Duration = Duration::from_secs(60);

    fn started() -> IdempotencyHandle<u32> {
        let settings = CacheSettings { max_size: NonZeroUsize::new(100).unwrap(), ttl: TTL };
        let (handle, actor) = prepare(settings, "test");
        actor.start();
        handle
    }

    async fn lease(handle: &IdempotencyHandle<u32>, key: &str) -> Lease<u32> {
        match handle.begin(key.into()).await.unwrap() {
            Outcome::Execute(lease) => lease,
            Outcome::Replay(value) => panic!("{key} is stored: {value}"),
        }
    }

    async fn replay(handle: &IdempotencyHandle<u32>, key: &str) -> u32 {
        match handle.begin(key.into()).await.unwrap() {
            Outcome::Replay(value) => value,
            Outcome::Execute(_) => panic!("{key} is not stored"),
        }
    }

    /// A caller who waits: its message has been handled when this returns.
    async fn waiting(handle: &IdempotencyHandle<u32>, key: &str) -> impl Future<Output = Outcome<u32>> {
        let handle_of_waiter = handle.clone();
        let key = Key::from(key);
        let mut waiter = async move { handle_of_waiter.begin(key).await.unwrap() }.boxed_local();
        assert!(futures::poll!(&mut waiter).is_pending());
        handle.stats().await.unwrap();
        waiter
    }

    #[actix_rt::test]
    async fn those_who_wait_get_the_answer_of_the_one_who_executes() {
        let cache = started();
        let first = lease(&cache, "a").await;
        let (second, third) = (waiting(&cache, "a").await, waiting(&cache, "a").await);
        first.complete(7);
        assert!(matches!(second.await, Outcome::Replay(7)));
        assert!(matches!(third.await, Outcome::Replay(7)));
        assert_eq!(replay(&cache, "a").await, 7);
    }

    #[actix_rt::test]
    async fn a_dropped_lease_goes_to_the_first_who_still_waits() {
        let cache = started();
        let first = lease(&cache, "a").await;
        let (gone, third) = (waiting(&cache, "a").await, waiting(&cache, "a").await);
        drop(gone);
        drop(first);
        let Outcome::Execute(heir) = third.await else { panic!("nobody made an answer") };
        heir.complete(8);
        assert_eq!(replay(&cache, "a").await, 8);
        assert_eq!(cache.stats().await.unwrap(), CacheStats { stored: 1, in_flight: 0 });
    }

    #[actix_rt::test]
    async fn a_lease_that_was_sent_but_never_taken_is_passed_on() {
        let cache = started();
        let mut asked = cache.begin("a".into()).boxed_local();
        assert!(futures::poll!(&mut asked).is_pending());
        assert_eq!(cache.stats().await.unwrap().in_flight, 1, "the lease is on its way");
        let second = waiting(&cache, "a").await;
        drop(asked);
        assert!(matches!(second.await, Outcome::Execute(_)));
    }

    #[actix_rt::test]
    async fn a_panic_while_executing_passes_the_lease_on() {
        let cache = started();
        let first = lease(&cache, "a").await;
        let second = waiting(&cache, "a").await;
        let execution = actix_rt::spawn(async move {
            let _lease = first;
            panic!("on purpose");
        });
        assert!(execution.await.unwrap_err().is_panic());
        assert!(matches!(second.await, Outcome::Execute(_)));
    }

    #[actix_rt::test]
    async fn a_second_replay_needs_no_message() {
        let cache = started();
        lease(&cache, "a").await.complete(7);
        assert_eq!(replay(&cache, "a").await, 7);
        let again = cache.begin("a".into()).now_or_never().expect("the actor had no time to answer").unwrap();
        assert!(matches!(again, Outcome::Replay(7)));
    }

    #[actix_rt::test]
    async fn a_replay_without_a_message_is_a_use_all_the_same() {
        let settings = CacheSettings { max_size: NonZeroUsize::new(2).unwrap(), ttl: TTL };
        let (cache, actor) = prepare(settings, "test");
        actor.start();
        for (value, key) in (1..).zip(["a", "b"]) {
            lease(&cache, key).await.complete(value);
        }
        replay(&cache, "a").await;
        replay(&cache, "b").await;
        replay(&cache, "a").await;
        lease(&cache, "c").await.complete(3);
        assert_eq!((replay(&cache, "a").await, replay(&cache, "c").await), (1, 3), "b was used before a");
        drop(lease(&cache, "b").await);
    }

    #[actix_rt::test]
    async fn a_published_answer_dies_like_any_other() {
        pause();
        let cache = started();
        lease(&cache, "a").await.complete(7);
        replay(&cache, "a").await;
        replay(&cache, "a").await;
        tokio::time::advance(TTL).await;
        lease(&cache, "a").await.complete(8);
        assert_eq!((replay(&cache, "a").await, replay(&cache, "a").await), (8, 8));
    }

    #[actix_rt::test]
    async fn dead_answers_are_swept_without_being_read() {
        pause();
        let cache = started();
        for n in 0..100 {
            lease(&cache, &n.to_string()).await.complete(n);
        }
        sleep(TTL - Duration::from_millis(1)).await;
        assert_eq!(cache.stats().await.unwrap().stored, 100);
        sleep(SWEEPS).await;
        assert_eq!(cache.stats().await.unwrap().stored, 0);
    }

    const SWEEPS: Duration = Duration::from_secs(2);

    #[actix_rt::test]
    async fn an_ended_actor_is_an_error_and_not_a_wait() {
        let settings = CacheSettings { max_size: NonZeroUsize::MIN, ttl: TTL };
        let (handle, unstarted) = prepare::<u32>(settings, "test");
        drop(unstarted);
        assert_eq!(handle.begin("a".into()).await.unwrap_err(), ActorError::Ended("idempotency"));
    }
}
