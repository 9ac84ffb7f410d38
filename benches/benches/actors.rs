//! The pure cores, and a round trip through the actors that guard them. `cargo bench -p benchmarks`.

use std::hint::black_box;
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use actix_rt::System;
use criterion::{Criterion, criterion_group, criterion_main};
use resilience_actors::failure::{self, Decision, FailurePlan};
use resilience_actors::idempotency::cache::{Begun, Follower, IdempotencyCache};
use resilience_actors::idempotency::{self, CacheSettings, Key, Outcome};

/// A caller who waits for ever.
struct Patient;

impl Follower for Patient {
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
        let mut cache = IdempotencyCache::<u64, Patient>::new(settings(), 0);
        let keys: Vec<Key> = (0..1000).map(|n| Key::from(format!("{n:036}"))).collect();
        for (value, key) in (0..).zip(&keys) {
            if let Begun::Lead { execution, .. } = cache.begin(key, Patient, now) {
                cache.complete(key, execution, value, now);
            }
        }
        let mut next = keys.iter().cycle();
        bench.iter(|| next.next().map(|key| matches!(cache.begin(key, Patient, now), Begun::Replay { .. })));
    });
    criterion.bench_function("cache, a miss that is stored and evicts", |bench| {
        let mut cache = IdempotencyCache::<u64, Patient>::new(settings(), 0);
        let keys: Vec<Key> = (0..ENTRIES).map(|n| Key::from(format!("{n:036}"))).collect();
        let mut next = keys.iter().cycle();
        bench.iter(|| {
            let key = next.next()?;
            match cache.begin(key, Patient, now) {
                Begun::Lead { execution, .. } => {
                    cache.complete(key, execution, 1, now).map(|done| done.evicted)
                }
                _ => None,
            }
        });
    });
}

fn actors(criterion: &mut Criterion) {
    let system = System::new();
    criterion.bench_function("failure handle, nothing armed: no message", |bench| {
        let (failures, actor) = failure::prepare("bench");
        system.block_on(async { actor.start() });
        bench.iter(|| system.block_on(async { matches!(failures.decide().await, Ok(Decision::Pass)) }));
    });
    criterion.bench_function("cache handle, 100 hits through the local actor", |bench| {
        let (cache, actor) = idempotency::prepare::<u64>(settings(), "bench");
        let key = Key::from("6f9619ff-8b86-4011-b42d-00c04fc964ff");
        system.block_on(async {
            actor.start();
            if let Ok(Outcome::Execute(lease)) = cache.begin(Key::clone(&key)).await {
                lease.complete(1);
            }
        });
        bench.iter(|| {
            system.block_on(async {
                for _ in 0..100 {
                    black_box(cache.begin(Key::clone(&key)).await.is_ok());
                }
            });
        });
    });
}

criterion_group!(benches, cores, actors);
criterion_main!(benches);
