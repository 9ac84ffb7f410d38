//! The pure cores, and a round trip through the actors that guard them. `cargo bench -p benchmarks`.

use std::hint::black_box;
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use actix_rt::{System, SystemRunner};
use criterion::{Criterion, criterion_group, criterion_main};
use resilience_actors::failure::{self, Decision, FailureHandle, FailurePlan};
use resilience_actors::idempotency::cache::{Begun, Follower, IdempotencyCache};
use resilience_actors::idempotency::{self, CacheSettings, Fingerprint, IdempotencyHandle, Key, Outcome};

/// A caller that never leaves.
struct Caller;

impl Follower for Caller {
    fn has_left(&self) -> bool {
        false
    }
}

const ENTRIES: u64 = 100_000;

fn settings() -> CacheSettings {
    let max_size = NonZeroUsize::new(1000).unwrap_or(NonZeroUsize::MIN);
    CacheSettings { max_size, ttl: Duration::from_secs(300) }
}

fn cores(criterion: &mut Criterion) {
    let now = Instant::now();
    criterion.bench_function("failure plan, nothing armed", |bench| {
        let mut plan = FailurePlan::default();
        bench.iter(|| black_box(plan.decide(now)));
    });
    criterion.bench_function("cache, a hit among 1000", |bench| {
        let mut cache = IdempotencyCache::<u64, Caller>::new(settings(), 0);
        let keys: Vec<Key> = (0..1000).map(|n| Key::from(format!("{n:036}"))).collect();
        for (value, key) in (0..).zip(&keys) {
            if let Begun::Lead { execution, .. } = cache.begin(key, Fingerprint::default(), Caller, now) {
                cache.complete(key, execution, value, now);
            }
        }
        let mut next = keys.iter().cycle();
        bench.iter(|| {
            next.next().map(|key| {
                matches!(cache.begin(key, Fingerprint::default(), Caller, now), Begun::Replay { .. })
            })
        });
    });
    criterion.bench_function("cache, a miss that is stored and evicts", |bench| {
        let mut cache = IdempotencyCache::<u64, Caller>::new(settings(), 0);
        let keys: Vec<Key> = (0..ENTRIES).map(|n| Key::from(format!("{n:036}"))).collect();
        let mut next = keys.iter().cycle();
        bench.iter(|| {
            let key = next.next()?;
            match cache.begin(key, Fingerprint::default(), Caller, now) {
                Begun::Lead { execution, .. } => {
                    cache.complete(key, execution, 1, now).map(|done| done.evicted)
                }
                _ => None,
            }
        });
    });
}

/// A round trip through the handle, with the actor on the thread that asks. One hundred of them in a sample, so that
/// entering the runtime does not count.
fn actors(criterion: &mut Criterion) {
    let system = System::new();
    criterion.bench_function("failure handle, nothing armed: no message", |bench| {
        let failures = started_failures(&system);
        bench.iter(|| system.block_on(async { matches!(failures.decide().await, Ok(Decision::Pass)) }));
    });
    criterion.bench_function("failure handle, 100 decisions through the local actor", |bench| {
        let failures = started_failures(&system);
        system.block_on(async { failures.fail_for(Duration::from_secs(86_400)).await.is_ok() });
        bench.iter(|| {
            system.block_on(async {
                for _ in 0..ROUND_TRIPS {
                    if let Ok(Decision::Fail(failure)) = failures.decide().await {
                        black_box(failure.spend());
                    }
                }
            });
        });
    });
    criterion.bench_function("cache handle, 100 replays of a published answer: no message", |bench| {
        let cache = started_cache(&system);
        let key = Key::from("6f9619ff-8b86-4011-b42d-00c04fc964ff");
        system.block_on(store(&cache, &key));
        bench.iter(|| {
            system.block_on(async {
                for _ in 0..ROUND_TRIPS {
                    black_box(cache.begin(Key::clone(&key), Fingerprint::default()).await.is_ok());
                }
            });
        });
    });
    criterion.bench_function(
        "cache handle, 100 new keys through the local actor, stored and evicted",
        |bench| {
            let cache = started_cache(&system);
            let keys: Vec<Key> = (0..ENTRIES).map(|n| Key::from(format!("{n:036}"))).collect();
            let mut next = keys.iter().cycle();
            bench.iter(|| {
                system.block_on(async {
                    for key in next.by_ref().take(ROUND_TRIPS) {
                        store(&cache, key).await;
                    }
                });
            });
        },
    );
}

const ROUND_TRIPS: usize = 100;

fn started_failures(system: &SystemRunner) -> FailureHandle {
    let (failures, actor) = failure::prepare("bench");
    system.block_on(async { actor.start() });
    failures
}

fn started_cache(system: &SystemRunner) -> IdempotencyHandle<u64> {
    let (cache, actor) = idempotency::prepare(settings(), "bench");
    system.block_on(async { actor.start() });
    cache
}

async fn store(cache: &IdempotencyHandle<u64>, key: &Key) {
    if let Ok(Outcome::Execute(lease)) = cache.begin(Key::clone(key), Fingerprint::default()).await {
        lease.complete(1);
    }
}

criterion_group!(benches, cores, actors);
criterion_main!(benches);
