//! Random runs: whatever happens to a call, each of its attempts begins once and ends once.

use std::collections::HashMap;

use super::*;
use crate::observe::AttemptEnding;

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

/// What came of a random run.
struct Ran {
    /// What the callers got; `None` where they dropped their call.
    outcomes: Vec<Option<Result<Response, Error>>>,
    /// How the attempts of each call ended, by number, as the observer saw it.
    endings: Vec<Vec<AttemptEnding>>,
}

/// Makes so many calls at random moments within `begin`; half of them are dropped within `drop` of their beginning.
async fn run(bench: &Bench, rng: &mut fastrand::Rng, calls: u64, begin: Duration, drop: Duration) -> Ran {
    let attempts = Arc::new(Attempts::default());
    bench.state.observers.add(Arc::clone(&attempts) as Arc<dyn Observer>).unwrap();
    let within = |rng: &mut fastrand::Rng, time: Duration| time.mul_f64(rng.f64());
    let made = (0..calls).map(|n| {
        let (begins, dropped) = (within(rng, begin), rng.bool().then(|| within(rng, drop)));
        let call = Call::get("/").request_id(format!("call-{n}")).deadline(seconds(1 + n % 5));
        async move {
            sleep(begins).await;
            match dropped {
                Some(after) => tokio::time::timeout(after, bench.call(call)).await.ok(),
                None => Some(bench.call(call).await),
            }
        }
    });
    let outcomes = join_all(made).await;
    bench.assert_idle();
    let seen = attempts.0.lock().unwrap();
    let endings = (0..calls).map(|n| {
        let id = format!("call-{n}");
        seen.get(&id).map(|seen| check(&id, seen)).unwrap_or_default()
    });
    Ran { outcomes, endings: endings.collect() }
}

impl Ran {
    /// How many attempts ended like this.
    fn count(&self, ending: AttemptEnding) -> usize {
        self.endings.iter().flatten().filter(|other| **other == ending).count()
    }

    /// Callers that waited for their calls have the same attempts in their history as the observer saw, and the server
    /// saw every attempt.
    fn assert_whole(&self, bench: &Bench) {
        for (n, (outcome, endings)) in self.outcomes.iter().zip(&self.endings).enumerate() {
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
            assert_eq!(*endings, recorded.collect::<Vec<_>>(), "call {n}");
        }
        assert_eq!(self.endings.iter().flatten().count(), bench.sent(), "what the server saw");
    }
}

#[actix_rt::test]
async fn every_attempt_of_a_random_run_begins_once_and_ends_once_in_order_also_when_calls_are_dropped() {
    tokio::time::pause();
    let mut rng = seed::rng();
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
    let ran = run(&bench, &mut rng, 2_000, seconds(20), seconds(3)).await;
    ran.assert_whole(&bench);
    let (dropped, all) = (ran.count(AttemptEnding::Dropped), ran.endings.iter().flatten().count());
    assert!(dropped > 50 && all > 400, "{dropped} of {all} attempts dropped");
    assert_eq!(ran.count(AttemptEnding::Cancelled), 0, "nothing is hedged");
}

#[actix_rt::test]
async fn every_attempt_of_a_random_hedged_run_begins_once_and_ends_once_and_is_in_the_history() {
    tokio::time::pause();
    let mut rng = seed::rng();
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
    let ran = run(&bench, &mut rng, 3_000, seconds(30), seconds(1)).await;
    ran.assert_whole(&bench);
    let (cancelled, dropped) = (ran.count(AttemptEnding::Cancelled), ran.count(AttemptEnding::Dropped));
    let hedges = bench.state.supervisor.stats().hedges;
    assert!(cancelled > 200 && dropped > 200 && hedges > 400, "{cancelled} {dropped} {hedges}");
}
