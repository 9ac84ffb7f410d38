//! The events that observers see.

use std::collections::HashMap;

use super::*;
use crate::observe::{AttemptEnding, FailedAttempt};

#[actix_rt::test]
async fn an_observer_sees_what_happens_to_a_call_in_order() {
    tokio::time::pause();
    let bench = Bench::steps(|c| c.bulkhead.max_concurrency = 7, &[Step::Answer(503), Step::Answer(200)]);
    let reply = bench.get().await.unwrap();
    bench.state.close();
    let id = RequestId::parse(reply.request_id().as_bytes()).unwrap();
    let failed = FailedAttempt {
        number: 1,
        total: 3,
        error: ErrorKind::Connection(ConnectionError::ServiceUnavailable),
        status: Some(503),
    };
    let expected = [
        Event::RequestIdMade { id: &id },
        Event::SlotAcquired { id: &id, available: 6 },
        Event::AttemptBegun { id: &id, number: 1 },
        Event::AttemptEnded {
            id: &id,
            number: 1,
            ending: AttemptEnding::Failed { error: failed.error, status: Some(503) },
            duration: Duration::ZERO,
        },
        Event::RetryPlanned { id: &id, failed, wait: seconds(1) },
        Event::SlotAcquired { id: &id, available: 6 },
        Event::AttemptBegun { id: &id, number: 2 },
        Event::AttemptEnded {
            id: &id,
            number: 2,
            ending: AttemptEnding::Succeeded { status: 200 },
            duration: Duration::ZERO,
        },
        Event::ClientClosed,
    ];
    assert_eq!(*bench.heard.0.lock().unwrap(), expected.map(|event| format!("{event:?}")));
}

#[actix_rt::test]
async fn an_observer_sees_a_call_wait_for_a_slot() {
    tokio::time::pause();
    let bench = Bench::new(|c| c.bulkhead.max_concurrency = 1, |_| (seconds(1), Step::Answer(200)));
    let (first, second) = futures::join!(bench.get(), bench.call(Call::get("/").request_id("second")));
    assert_eq!((first.unwrap().status(), second.unwrap().status()), (200, 200));
    let id = RequestId::parse(b"second").unwrap();
    let awaited = format!("{:?}", Event::SlotAwaited { id: &id });
    assert_eq!(bench.heard.0.lock().unwrap().iter().filter(|event| **event == awaited).count(), 1);
}

/// The states that the breaker has entered so far, as the observer saw them.
fn assert_changes(bench: &Bench, states: &[BreakerState]) {
    let heard = bench.heard.0.lock().unwrap();
    let changes: Vec<_> = heard.iter().filter(|event| event.starts_with("BreakerChanged")).collect();
    let expected: Vec<_> =
        states.iter().map(|&state| format!("{:?}", Event::BreakerChanged { origin: None, state })).collect();
    assert_eq!(changes, expected.iter().collect::<Vec<_>>());
}

#[actix_rt::test]
async fn an_observer_sees_every_change_of_the_breaker() {
    tokio::time::pause();
    let bench = Bench::new(
        |c| {
            c.circuit_breaker.failure_threshold = 1;
            c.retry.max_attempts = 1;
        },
        |n| (Duration::ZERO, if n == 0 { NETWORK } else { Step::Answer(200) }),
    );
    bench.get().await.unwrap_err();
    tokio::time::advance(seconds(30)).await;
    bench.get().await.unwrap();
    assert_changes(&bench, &[BreakerState::Open, BreakerState::HalfOpen, BreakerState::Closed]);
}

#[actix_rt::test]
async fn an_observer_sees_that_a_panic_of_the_supervisor_closed_the_breaker() {
    tokio::time::pause();
    let bench = Bench::steps(|_| (), &[NETWORK]);
    bench.state.supervisor.force_open().await.unwrap();
    bench.state.supervisor.panic_in_handler().await.unwrap_err();
    assert_eq!(bench.state(), BreakerState::Closed);
    assert_changes(&bench, &[BreakerState::Open, BreakerState::Closed]);
}

#[actix_rt::test]
async fn an_observer_that_is_added_later_sees_what_happens_from_then_on_and_a_ninth_is_rejected() {
    tokio::time::pause();
    let bench = Bench::steps(|_| (), &[Step::Answer(200)]);
    bench.get().await.unwrap();
    let later = Arc::new(Heard::default());
    for _ in 1..8 {
        bench.state.observers.add(Arc::clone(&later) as Arc<dyn Observer>).unwrap();
    }
    let error = bench.state.observers.add(Arc::clone(&later) as Arc<dyn Observer>).unwrap_err();
    assert_eq!(error.field().unwrap().field(), "observers");
    bench.get().await.unwrap();
    let begun = |heard: &Heard| {
        heard.0.lock().unwrap().iter().filter(|event| event.starts_with("AttemptBegun")).count()
    };
    assert_eq!((begun(&bench.heard), begun(&later)), (2, 7));
}

/// What an observer knows of the attempts of each call.
#[derive(Default)]
struct Attempts(Mutex<HashMap<String, Vec<Seen>>>);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Seen {
    Begun(u32),
    Ended(u32, AttemptEnding),
}

impl Observer for Attempts {
    fn on(&self, event: &Event<'_>) {
        let (id, seen) = match *event {
            Event::AttemptBegun { id, number } => (id, Seen::Begun(number)),
            Event::AttemptEnded { id, number, ending, .. } => (id, Seen::Ended(number, ending)),
            _ => return,
        };
        self.0.lock().unwrap().entry(id.as_str().to_owned()).or_default().push(seen);
    }
}

impl Attempts {
    /// Checks that the attempts of each call begin and end in turn, and returns the last ending of each call.
    fn endings(&self) -> HashMap<String, AttemptEnding> {
        let check = |(id, seen): (&String, &Vec<Seen>)| {
            let mut ending = None;
            for (pair, number) in seen.chunks(2).zip(1..) {
                assert_eq!(pair[0], Seen::Begun(number), "{id}: {seen:?}");
                let Some(Seen::Ended(ended, how)) = pair.get(1) else { panic!("{id}: {seen:?}") };
                assert_eq!(*ended, number, "{id}: {seen:?}");
                ending = Some(*how);
            }
            (id.clone(), ending.expect("an attempt that is known has begun"))
        };
        self.0.lock().unwrap().iter().map(check).collect()
    }
}

/// The seed of the random run: from the variable `SEED`, or a new one.
fn seed() -> u64 {
    let seed =
        std::env::var("SEED").ok().and_then(|text| text.parse().ok()).unwrap_or_else(|| fastrand::u64(..));
    println!("to repeat this run: SEED={seed}");
    seed
}

#[actix_rt::test]
async fn every_attempt_of_a_random_run_begins_once_and_ends_once_in_order_also_when_calls_are_dropped() {
    const CALLS: u64 = 2_000;
    tokio::time::pause();
    let mut rng = fastrand::Rng::with_seed(seed());
    let steps = RefCell::new(rng.fork());
    let bench = Bench::new(
        |c| {
            c.bulkhead.max_concurrency = 20;
            c.circuit_breaker.failure_threshold = 10;
            c.circuit_breaker.recovery_timeout = seconds(1);
            c.retry.max_attempts = 4;
        },
        move |_| {
            let mut rng = steps.borrow_mut();
            let step = match rng.u8(..10) {
                0..5 => Step::Answer(200),
                5 => Step::Answer(404),
                6 => Step::Answer(503),
                7 => Step::Hang,
                _ => NETWORK,
            };
            (Duration::from_millis(rng.u64(..200)), step)
        },
    );
    let attempts = Arc::new(Attempts::default());
    bench.state.observers.add(Arc::clone(&attempts) as Arc<dyn Observer>).unwrap();
    let calls = (0..CALLS).map(|n| {
        let (begins, dropped) =
            (rng.u64(..20_000), rng.bool().then(|| Duration::from_millis(rng.u64(..3_000))));
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
    let endings = attempts.endings();
    let (mut dropped, mut compared) = (0, 0);
    for (n, outcome) in outcomes.iter().enumerate() {
        let ending = endings.get(&format!("call-{n}"));
        let recorded = match outcome {
            Some(Ok(reply)) => reply.attempts(),
            Some(Err(error)) => error.attempts(),
            None => {
                dropped += usize::from(ending == Some(&AttemptEnding::Dropped));
                continue;
            }
        };
        // A caller that waits for its call sees the same last attempt as the observer.
        let recorded = recorded.last().map(|last| match last.error {
            Some(error) => AttemptEnding::Failed { error, status: last.status },
            None => AttemptEnding::Succeeded { status: last.status.unwrap() },
        });
        assert_eq!(ending.copied(), recorded, "call {n}");
        compared += usize::from(recorded.is_some());
    }
    assert!(dropped > 50 && compared > 200, "{dropped} attempts dropped, {compared} compared");
}
