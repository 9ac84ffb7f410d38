//! The cache shared by several servers, over a real store.

use std::num::NonZeroUsize;
use std::time::Instant;

use actix_rt::Arbiter;
use futures::future::{FutureExt, join_all};

use super::super::answer::Settled;
use super::super::handle::{IdempotencyHandle, shared};
use super::*;
use crate::store::testing::{LIVES, RedisServer, available, eventually, until};
use crate::store::{Availability, LEASE, StoreHandle, prepare};

const TTL: Duration = Duration::from_secs(60);

fn cache_of(place: StorePlace, max_size: usize, ttl: Duration) -> IdempotencyHandle<u32> {
    let settings = CacheSettings { max_size: NonZeroUsize::new(max_size).unwrap(), ttl };
    shared(place, settings, Duration::from_secs(30))
}

async fn join(redis: &RedisServer) -> IdempotencyHandle<u32> {
    cache_of(redis.place().await, 1_000, TTL)
}

async fn three(redis: &RedisServer) -> [IdempotencyHandle<u32>; 3] {
    [join(redis).await, join(redis).await, join(redis).await]
}

async fn begin(cache: &IdempotencyHandle<u32>, key: &str) -> Outcome<u32> {
    cache.begin(key.into(), Fingerprint::default()).await.unwrap()
}

async fn lease(cache: &IdempotencyHandle<u32>, key: &str) -> Lease<u32> {
    match begin(cache, key).await {
        Outcome::Execute(lease) => lease,
        other => panic!("{key}: {other:?}"),
    }
}

async fn replay(cache: &IdempotencyHandle<u32>, key: &str) -> u32 {
    match begin(cache, key).await {
        Outcome::Replay(value) => value,
        other => panic!("{key}: {other:?}"),
    }
}

async fn store(cache: &IdempotencyHandle<u32>, key: &str, value: u32) {
    assert_eq!(lease(cache, key).await.settle(value).await, Ok(Settled::Stored(value)));
}

#[actix_rt::test]
async fn one_of_forty_requests_with_one_key_over_three_servers_executes() {
    let Some(redis) = RedisServer::start() else { return };
    let caches = three(&redis).await;
    for round in 0..20 {
        let key = format!("order-{round}");
        let requests = (0..40_u32).map(async |n| match begin(&caches[n as usize % 3], &key).await {
            Outcome::Execute(lease) => {
                actix_rt::time::sleep(Duration::from_millis(20)).await;
                assert_eq!(lease.settle(n).await, Ok(Settled::Stored(n)));
                (1, n)
            }
            Outcome::Replay(value) => (0, value),
            Outcome::Conflict => panic!("they ask for the same"),
        });
        let outcomes = join_all(requests).await;
        assert_eq!(outcomes.iter().map(|outcome| outcome.0).sum::<u32>(), 1);
        assert!(outcomes.iter().all(|outcome| outcome.1 == outcomes[0].1), "{outcomes:?}");
    }
    assert_eq!(caches[1].stats().await.unwrap(), CacheStats { stored: 20, in_flight: 0 });
}

#[actix_rt::test]
async fn a_key_belongs_to_what_its_first_request_asked_for() {
    let Some(redis) = RedisServer::start() else { return };
    let [first, second, third] = three(&redis).await;
    let leader = lease(&first, "a").await;
    let other = || second.begin("a".into(), Fingerprint([1; 32]));
    assert!(matches!(other().await, Ok(Outcome::Conflict)), "in flight");
    leader.settle(7).await.unwrap();
    assert!(matches!(other().await, Ok(Outcome::Conflict)), "stored");
    assert_eq!(replay(&third, "a").await, 7);
}

#[actix_rt::test]
async fn a_dropped_lease_passes_to_a_follower_on_another_server() {
    let Some(redis) = RedisServer::start() else { return };
    let [first, second, third] = three(&redis).await;
    let leader = lease(&first, "a").await;
    let mut follower = Box::pin(begin(&second, "a"));
    assert!(follower.as_mut().now_or_never().is_none());
    // A step of the same server comes behind its question.
    second.stats().await.unwrap();
    drop(leader);
    let Outcome::Execute(successor) = follower.await else { panic!("no answer was made") };
    assert_eq!(successor.settle(8).await, Ok(Settled::Stored(8)));
    assert_eq!(replay(&third, "a").await, 8);
}

/// A server of its own thread, which can be stopped as if its process were.
struct Stoppable {
    arbiter: Arbiter,
    store: StoreHandle,
    cache: IdempotencyHandle<u32>,
}

impl Stoppable {
    async fn start(redis: &RedisServer) -> Self {
        let arbiter = Arbiter::new();
        let (store, actor) = prepare(redis.address("t"), "test");
        arbiter.spawn_fn(move || actor.start());
        available(&store).await;
        let cache = cache_of(StorePlace::new(store.clone(), "default", LIVES), 1_000, TTL);
        Self { arbiter, store, cache }
    }

    /// Stops it until what is returned is dropped.
    fn stop(&self) -> std::sync::mpsc::Sender<()> {
        let (release, held) = std::sync::mpsc::channel();
        self.arbiter.spawn_fn(move || {
            let _ = held.recv();
        });
        release
    }
}

#[actix_rt::test]
async fn another_server_takes_over_from_one_that_is_stopped_and_what_that_one_stores_changes_nothing() {
    let Some(redis) = RedisServer::start() else { return };
    let stopped = Stoppable::start(&redis).await;
    let others = three(&redis).await;
    for (key, answer) in [("waiting", 1), ("later", 2)] {
        let before = lease(&stopped.cache, key).await;
        let release = stopped.stop();
        let successor = lease(&others[0], key).await;
        if answer == 1 {
            assert_eq!(successor.settle(answer).await, Ok(Settled::Stored(answer)));
            drop(release);
            assert_eq!(before.settle(99).await, Ok(Settled::Replay(answer)));
        } else {
            drop(release);
            assert_eq!(before.settle(99).await, Err(ActorError::Unavailable), "the other has no answer yet");
            assert_eq!(successor.settle(answer).await, Ok(Settled::Stored(answer)));
        }
        assert_eq!(replay(&stopped.cache, key).await, answer);
        assert_eq!(replay(&others[2], key).await, answer);
    }
    drop(stopped.store);
    stopped.arbiter.stop();
}

#[actix_rt::test]
async fn a_lease_is_renewed_for_as_long_as_its_server_runs() {
    let Some(redis) = RedisServer::start() else { return };
    let [first, second, _] = three(&redis).await;
    let leader = lease(&first, "a").await;
    let follower = begin(&second, "a");
    let (followed, ()) = futures::join!(follower, async {
        actix_rt::time::sleep(2 * LEASE).await;
        assert_eq!(leader.settle(7).await, Ok(Settled::Stored(7)));
    });
    assert!(matches!(followed, Outcome::Replay(7)));
}

#[actix_rt::test]
async fn a_request_that_leaves_before_it_hears_that_it_leads_keeps_nobody_waiting() {
    let Some(redis) = RedisServer::start() else { return };
    let cache = join(&redis).await;
    for round in 0..20 {
        let mut question = Box::pin(begin(&cache, "a"));
        assert!(question.as_mut().now_or_never().is_none());
        for _ in 0..round % 4 {
            actix_rt::task::yield_now().await;
        }
        drop(question);
        drop(lease(&cache, "a").await);
    }
    eventually(async || cache.stats().await.unwrap().in_flight == 0).await;
}

#[actix_rt::test]
async fn the_least_recently_used_answer_is_evicted_whichever_server_used_it() {
    let Some(redis) = RedisServer::start() else { return };
    let first = cache_of(redis.place().await, 2, TTL);
    let second = cache_of(redis.place().await, 2, TTL);
    store(&first, "a", 1).await;
    store(&first, "b", 2).await;
    assert_eq!(replay(&second, "a").await, 1);
    store(&second, "c", 3).await;
    assert_eq!((replay(&first, "a").await, replay(&first, "c").await), (1, 3));
    drop(lease(&first, "b").await);
    assert_eq!(second.stats().await.unwrap().stored, 2);
}

#[actix_rt::test]
async fn an_answer_expires_after_it_was_stored_and_makes_room() {
    let Some(redis) = RedisServer::start() else { return };
    let brief = cache_of(redis.place().await, 2, Duration::from_millis(300));
    let begun = Instant::now();
    store(&brief, "a", 1).await;
    while brief.begin("a".into(), Fingerprint::default()).await.is_ok_and(|outcome| match outcome {
        Outcome::Replay(_) => true,
        Outcome::Execute(_) | Outcome::Conflict => false,
    }) {}
    assert!(begun.elapsed() >= Duration::from_millis(290), "it lasts");
    store(&brief, "b", 2).await;
    assert!(brief.stats().await.unwrap().stored <= 2);
}

#[actix_rt::test]
async fn a_store_that_lost_its_data_takes_no_answer_of_before() {
    let Some(mut redis) = RedisServer::start() else { return };
    let cache = join(&redis).await;
    let [other, ..] = three(&redis).await;
    let before = lease(&cache, "a").await;
    redis.stop();
    let mut probe = redis.place_unready();
    redis.restart();
    available(&probe.store).await;
    eventually(async || {
        matches!(other.begin("b".into(), Fingerprint::default()).await, Ok(Outcome::Execute(_)))
    })
    .await;
    let successor = lease(&other, "a").await;
    assert_eq!(before.settle(1).await, Err(ActorError::Unavailable));
    assert_eq!(successor.settle(2).await, Ok(Settled::Stored(2)));
    probe = redis.place().await;
    assert_eq!(replay(&cache_of(probe, 10, TTL), "a").await, 2);
}

#[actix_rt::test]
async fn a_store_that_hangs_leaves_no_execution_that_nobody_makes() {
    let Some(redis) = RedisServer::start() else { return };
    let cache = join(&redis).await;
    let handle = redis.join().await;
    let leader = lease(&cache, "held").await;
    redis.signal("STOP");
    let asked = join_all((0..5).map(|_| cache.begin("a".into(), Fingerprint::default()))).await;
    assert!(asked.iter().all(|outcome| matches!(outcome, Err(ActorError::Unavailable))));
    assert_eq!(leader.settle(1).await, Err(ActorError::Unavailable));
    until(&handle, Availability::Unavailable).await;
    redis.signal("CONT");
    available(&handle).await;
    let unknown = async {
        loop {
            if let Ok(outcome) = cache.begin("a".into(), Fingerprint::default()).await {
                return outcome;
            }
            actix_rt::time::sleep(LEASE / 50).await;
        }
    };
    let Outcome::Execute(lease) = unknown.await else { panic!("nobody has made an answer") };
    assert_eq!(lease.settle(7).await, Ok(Settled::Stored(7)));
}

#[actix_rt::test]
async fn every_key_is_below_the_prefix_and_expires() {
    let Some(redis) = RedisServer::start() else { return };
    let cache = join(&redis).await;
    store(&cache, "a", 1).await;
    let _in_flight = lease(&cache, "b").await;
    let keys: Vec<String> = redis.run("KEYS *");
    assert!(keys.iter().any(|key| key.contains("s:default:")), "{keys:?}");
    for key in keys {
        assert!(key.starts_with("t:1:0:"), "{key}");
        assert!(redis.run::<i64>(&format!("PTTL {key}")) > 0, "{key}");
    }
}
