//! Hedging over many calls: what it gains and costs, and that no random run breaks its rules.

use std::collections::HashMap;

use super::*;
use crate::observe::AttemptEnding;

/// The seed of a random run: from the variable `SEED`, or a new one.
fn seeded() -> fastrand::Rng {
    let seed =
        std::env::var("SEED").ok().and_then(|text| text.parse().ok()).unwrap_or_else(|| fastrand::u64(..));
    println!("to repeat this run: SEED={seed}");
    fastrand::Rng::with_seed(seed)
}

/// The 99th percentile of 20,000 calls to a server that answers in 8 to 12 ms, and 2 % of the time in one second; and
/// how many requests they were.
async fn p99(after: HedgeAfter, rng: &mut fastrand::Rng) -> (Duration, usize) {
    const CALLS: usize = 20_000;
    let server = RefCell::new(rng.fork());
    let bench = Bench::new(
        |c| c.hedge.after = after,
        move |_| {
            let mut rng = server.borrow_mut();
            let takes = if rng.u32(0..100) < 2 { 1_000_000 } else { rng.u64(8_000..12_000) };
            (Duration::from_micros(takes), Step::Answer(200))
        },
    );
    let mut took = Vec::with_capacity(CALLS);
    // Twenty callers at a time, as a program has.
    for _ in 0..CALLS / 20 {
        let calls = (0..20).map(|_| async {
            let start = Instant::now();
            bench.get().await.unwrap();
            start.elapsed()
        });
        took.extend(join_all(calls).await);
    }
    bench.assert_idle();
    took.sort_unstable();
    (took[CALLS * 99 / 100], bench.sent())
}

#[actix_rt::test]
async fn with_two_percent_slow_answers_the_p99_falls_below_a_fifth_with_at_most_three_percent_more_requests()
{
    tokio::time::pause();
    let mut rng = seeded();
    let (before, sent) = p99(HedgeAfter::Never, &mut rng).await;
    assert_eq!((before.as_secs(), sent), (1, 20_000));
    for after in [HedgeAfter::Delay(Duration::from_millis(20)), HedgeAfter::Quantile(0.97)] {
        let (p99, sent) = p99(after, &mut rng).await;
        println!("hedge after {after}: p99 {p99:?} instead of {before:?}, {sent} requests for 20000 calls");
        assert!(p99 < before / 5, "{after}: {p99:?}");
        assert!(sent <= 20_600, "{after}: {sent} requests");
        assert!(sent >= 20_200, "{after}: {sent} requests, of which 400 should be hedges");
    }
}

/// The attempts of each call, as an observer sees them.
#[derive(Default)]
struct Attempts(Mutex<HashMap<String, Vec<Seen>>>);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Seen {
    Hedge(u32),
    Begun(u32),
    Ended(u32, AttemptEnding),
}

impl Observer for Attempts {
    fn on(&self, event: &Event<'_>) {
        let (id, seen) = match *event {
            Event::HedgeSent { id, number } => (id, Seen::Hedge(number)),
            Event::AttemptBegun { id, number } => (id, Seen::Begun(number)),
            Event::AttemptEnded { id, number, ending, .. } => (id, Seen::Ended(number, ending)),
            _ => return,
        };
        self.0.lock().unwrap().entry(id.as_str().to_owned()).or_default().push(seen);
    }
}

/// Checks the events of one call: numbers in order, each attempt begins once and ends once, and only hedges begin
/// beside others. Returns the endings, by number.
fn check(id: &str, seen: &[Seen]) -> Vec<AttemptEnding> {
    let (mut begun, mut open, mut endings) = (0, Vec::new(), HashMap::new());
    let mut announced = None;
    for event in seen {
        match *event {
            Seen::Hedge(number) => announced = Some(number),
            Seen::Begun(number) => {
                begun += 1;
                assert_eq!(number, begun, "{id}: {seen:?}");
                assert_eq!(announced.take().is_some(), !open.is_empty(), "{id}: {seen:?}");
                open.push(number);
            }
            Seen::Ended(number, how) => {
                assert!(open.contains(&number), "{id}: {seen:?}");
                open.retain(|other| *other != number);
                assert_eq!(endings.insert(number, how), None, "{id}: {seen:?}");
            }
        }
    }
    assert!(open.is_empty(), "{id}: {seen:?}");
    (1..=begun).map(|number| endings[&number]).collect()
}

#[actix_rt::test]
async fn every_attempt_of_a_random_hedged_run_begins_once_and_ends_once_and_is_in_the_history() {
    const CALLS: u64 = 3_000;
    tokio::time::pause();
    let mut rng = seeded();
    let steps = RefCell::new(rng.fork());
    let bench = Bench::new(
        |c| {
            c.hedge = HedgeConfig { after: HedgeAfter::Delay(Duration::from_millis(80)), max: 3 };
            c.bulkhead.max_concurrency = 60;
            c.circuit_breaker.failure_threshold = 30;
            c.circuit_breaker.recovery_timeout = seconds(1);
            c.retry.max_attempts = 4;
            c.retry.budget.per_second = 100.0;
        },
        move |_| {
            let mut rng = steps.borrow_mut();
            let step = match rng.u8(..12) {
                0..7 => Step::Answer(200),
                7 => Step::Answer(404),
                8 => Step::Answer(503),
                9 if rng.u8(..10) == 0 => asks_to_wait(503, "1"),
                10 => Step::Hang,
                _ => NETWORK,
            };
            (Duration::from_millis(rng.u64(..300)), step)
        },
    );
    let attempts = Arc::new(Attempts::default());
    bench.state.observers.add(Arc::clone(&attempts) as Arc<dyn Observer>).unwrap();
    let calls = (0..CALLS).map(|n| {
        let begins = rng.u64(..30_000);
        let dropped = rng.bool().then(|| Duration::from_millis(rng.u64(..1_000)));
        let call = Call::get("/").request_id(format!("call-{n}")).deadline(seconds(1 + n % 5));
        let bench = &bench;
        async move {
            sleep(Duration::from_millis(begins)).await;
            match dropped {
                Some(after) => tokio::time::timeout(after, bench.call(call)).await.ok(),
                None => Some(bench.call(call).await),
            }
        }
    });
    let outcomes = join_all(calls).await;
    bench.assert_idle();
    let (mut cancelled, mut dropped) = (0, 0);
    let seen = attempts.0.lock().unwrap();
    for (n, outcome) in outcomes.iter().enumerate() {
        let id = format!("call-{n}");
        let endings = seen.get(&id).map(|seen| check(&id, seen)).unwrap_or_default();
        cancelled += endings.iter().filter(|ending| **ending == AttemptEnding::Cancelled).count();
        dropped += endings.iter().filter(|ending| **ending == AttemptEnding::Dropped).count();
        let recorded = match outcome {
            Some(Ok(reply)) => reply.attempts(),
            Some(Err(error)) => error.attempts(),
            None => continue,
        };
        let recorded = recorded.iter().map(|attempt| match (attempt.error, attempt.status) {
            (Some(error), status) => AttemptEnding::Failed { error, status },
            (None, Some(status)) => AttemptEnding::Succeeded { status },
            (None, None) => AttemptEnding::Cancelled,
        });
        assert_eq!(endings, recorded.collect::<Vec<_>>(), "{id}");
    }
    let hedges = bench.state.supervisor.stats().hedges;
    assert!(cancelled > 200 && dropped > 200 && hedges > 400, "{cancelled} {dropped} {hedges}");
    let begun: usize =
        seen.values().map(|seen| seen.iter().filter(|event| matches!(event, Seen::Begun(_))).count()).sum();
    assert_eq!(begun, bench.sent(), "what the server saw");
}
