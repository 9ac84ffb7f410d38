//! The cache through its handle, under a paused clock where time matters.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::idempotency::Lease;
use crate::lifecycle::Panic;
use futures::FutureExt;
use futures::future::{join, join_all};
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
    match handle.begin(key.into(), Fingerprint::default()).await.unwrap() {
        Outcome::Execute(lease) => lease,
        Outcome::Replay(value) => panic!("{key} is stored: {value}"),
        Outcome::Conflict => panic!("{key} is used for something else"),
    }
}

async fn replay(handle: &IdempotencyHandle<u32>, key: &str) -> u32 {
    match handle.begin(key.into(), Fingerprint::default()).await.unwrap() {
        Outcome::Replay(value) => value,
        Outcome::Execute(_) => panic!("{key} is not stored"),
        Outcome::Conflict => panic!("{key} is used for something else"),
    }
}

/// A caller that waits: its message has been handled when this returns.
async fn waiting(handle: &IdempotencyHandle<u32>, key: &str) -> impl Future<Output = Outcome<u32>> {
    let handle_of_waiter = handle.clone();
    let key = Key::from(key);
    let mut waiter =
        async move { handle_of_waiter.begin(key, Fingerprint::default()).await.unwrap() }.boxed_local();
    assert!(futures::poll!(&mut waiter).is_pending());
    handle.stats().await.unwrap();
    waiter
}

#[actix_rt::test]
async fn followers_get_the_answer_of_the_leader() {
    let cache = started();
    let first = lease(&cache, "a").await;
    let (second, third) = (waiting(&cache, "a").await, waiting(&cache, "a").await);
    first.complete(7);
    assert!(matches!(second.await, Outcome::Replay(7)));
    assert!(matches!(third.await, Outcome::Replay(7)));
    assert_eq!(replay(&cache, "a").await, 7);
}

#[actix_rt::test]
async fn a_dropped_lease_goes_to_the_first_follower_that_has_not_left() {
    let cache = started();
    let first = lease(&cache, "a").await;
    let (gone, third) = (waiting(&cache, "a").await, waiting(&cache, "a").await);
    drop(gone);
    drop(first);
    let Outcome::Execute(successor) = third.await else { panic!("no answer was made") };
    successor.complete(8);
    assert_eq!(replay(&cache, "a").await, 8);
    assert_eq!(cache.stats().await.unwrap(), CacheStats { stored: 1, in_flight: 0 });
}

#[actix_rt::test]
async fn a_lease_that_was_sent_but_never_taken_is_passed_on() {
    let cache = started();
    let mut asked = cache.begin("a".into(), Fingerprint::default()).boxed_local();
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
    let again = cache
        .begin("a".into(), Fingerprint::default())
        .now_or_never()
        .expect("the actor had no time to answer")
        .unwrap();
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
async fn a_published_answer_expires_like_any_other() {
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
async fn expired_answers_are_swept_without_being_read() {
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
async fn a_call_to_an_ended_actor_is_an_error() {
    let settings = CacheSettings { max_size: NonZeroUsize::MIN, ttl: TTL };
    let (handle, unstarted) = prepare::<u32>(settings, "test");
    drop(unstarted);
    assert_eq!(
        handle.begin("a".into(), Fingerprint::default()).await.unwrap_err(),
        ActorError::Ended("idempotency")
    );
}

async fn panic_in_handler<V: Answer>(cache: &IdempotencyHandle<V>) {
    assert_eq!(cache.address().ask(Panic).await, Err(ActorError::Failed("idempotency")));
}

/// A follower, whose task returns how its wait ended.
async fn following(
    cache: &IdempotencyHandle<u32>,
    key: &str,
) -> impl Future<Output = Result<Outcome<u32>, ActorError>> {
    let (cache_of_follower, key) = (cache.clone(), Key::from(key));
    let mut follower =
        async move { cache_of_follower.begin(key, Fingerprint::default()).await }.boxed_local();
    assert!(futures::poll!(&mut follower).is_pending());
    cache.stats().await.unwrap();
    follower
}

#[actix_rt::test]
async fn a_panic_in_a_handler_empties_the_cache_and_what_is_published() {
    let cache = started();
    lease(&cache, "a").await.complete(1);
    replay(&cache, "a").await;
    replay(&cache, "a").await;
    panic_in_handler(&cache).await;
    assert_eq!(cache.stats().await.unwrap(), CacheStats { stored: 0, in_flight: 0 });
    lease(&cache, "a").await.complete(2);
    assert_eq!((replay(&cache, "a").await, replay(&cache, "a").await), (2, 2));
    assert_eq!(cache.restarts(), 1);
}

#[actix_rt::test]
async fn followers_get_an_error_when_the_state_is_lost_and_can_ask_again() {
    let cache = started();
    let leader = lease(&cache, "a").await;
    let (first, second) = (following(&cache, "a").await, following(&cache, "a").await);
    panic_in_handler(&cache).await;
    for outcome in [first.await, second.await] {
        assert_eq!(outcome.unwrap_err(), ActorError::Failed("idempotency"));
    }
    lease(&cache, "a").await.complete(2);
    drop(leader);
    assert_eq!(replay(&cache, "a").await, 2);
}

#[actix_rt::test]
async fn a_lease_from_before_a_panic_neither_completes_nor_abandons_the_execution_after_it() {
    for late in [|lease: Lease<u32>| lease.complete(1), |lease: Lease<u32>| drop(lease)] {
        let cache = started();
        let before = lease(&cache, "a").await;
        panic_in_handler(&cache).await;
        // The first execution of the new state too: only a numbering that goes on tells the two apart.
        let after = lease(&cache, "a").await;
        let follower = following(&cache, "a").await;
        late(before);
        assert_eq!(cache.stats().await.unwrap(), CacheStats { stored: 0, in_flight: 1 });
        after.complete(2);
        assert!(matches!(follower.await, Ok(Outcome::Replay(2))));
        assert_eq!(replay(&cache, "a").await, 2);
    }
}

#[actix_rt::test]
async fn a_lease_from_before_a_panic_stores_nothing_under_a_key_that_is_not_in_flight() {
    let cache = started();
    let before = lease(&cache, "a").await;
    panic_in_handler(&cache).await;
    before.complete(1);
    assert_eq!(cache.stats().await.unwrap(), CacheStats { stored: 0, in_flight: 0 });
}

#[actix_rt::test]
async fn expired_answers_are_swept_after_a_panic_too() {
    pause();
    let cache = started();
    panic_in_handler(&cache).await;
    lease(&cache, "a").await.complete(1);
    sleep(TTL + SWEEPS).await;
    assert_eq!(cache.stats().await.unwrap().stored, 0);
}

/// An answer that panics when it is cloned for the given time: in whichever handler, half-way through a change.
struct Fragile(Arc<AtomicUsize>);

impl Clone for Fragile {
    fn clone(&self) -> Self {
        assert_ne!(self.0.fetch_sub(1, Ordering::Relaxed), 1, "on purpose");
        Self(Arc::clone(&self.0))
    }
}

#[actix_rt::test]
async fn an_answer_whose_clone_panics_neither_ends_the_actor_nor_leaves_a_follower_waiting() {
    for clones in 1..=4 {
        let settings = CacheSettings { max_size: NonZeroUsize::MIN, ttl: TTL };
        let (cache, actor) = prepare::<Fragile>(settings, "test");
        actor.start();
        let Outcome::Execute(leader) = cache.begin("a".into(), Fingerprint::default()).await.unwrap() else {
            panic!("it is stored")
        };
        let answer = Fragile(Arc::new(AtomicUsize::new(clones)));
        let (followers, ()) =
            join(join_all((0..3).map(|_| cache.begin("a".into(), Fingerprint::default()))), async {
                leader.complete(answer);
            })
            .await;
        // One clone is stored, and each follower gets one; the panic comes in place of the one that is counted out.
        let replayed = followers.iter().filter(|outcome| matches!(outcome, Ok(Outcome::Replay(_)))).count();
        assert_eq!(replayed, clones.saturating_sub(2), "clone {clones}");
        assert_eq!(followers.iter().filter(|outcome| outcome.is_err()).count(), 3 - replayed);
        assert_eq!((cache.stats().await.unwrap().stored, cache.restarts()), (0, 1));
    }
}
