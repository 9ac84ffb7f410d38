//! Calls through an adaptive bulkhead: the limit follows a server that takes so many requests at once and queues the rest.

use super::*;

/// A client whose server works at `capacity` requests at once, 10 ms each; the others wait in its queue.
fn bench(capacity: &Rc<Cell<u64>>) -> Bench {
    let (capacity, busy_until) = (Rc::clone(capacity), RefCell::new(Vec::<Instant>::new()));
    let config = |c: &mut ClientConfig| {
        c.bulkhead.max_concurrency = 100;
        c.bulkhead.adaptive = true;
        c.bulkhead.min_concurrency = 2;
        c.deadline = seconds(600);
        c.bulkhead.acquisition_timeout = seconds(600);
    };
    Bench::new(config, move |_| {
        let now = Instant::now();
        let mut ends = busy_until.borrow_mut();
        ends.retain(|end| *end > now);
        ends.sort_unstable();
        // The request begins when so many of those before it have ended that it is one of `capacity`.
        let before = ends.len().checked_sub(usize::try_from(capacity.get()).unwrap());
        let begins = before.map_or(now, |n| ends[n]);
        let end = begins + Duration::from_millis(10);
        ends.push(end);
        (end - now, Step::Answer(200))
    })
}

/// Makes `calls` calls, always 100 at the same time, and returns how many attempts were open at the most.
async fn load(bench: &Bench, calls: usize) -> usize {
    let left = Cell::new(calls);
    let most = Cell::new(0);
    let caller = || async {
        while left.get() > 0 {
            left.set(left.get() - 1);
            bench.get().await.unwrap();
            most.set(most.get().max(bench.script.open.get()));
        }
    };
    join_all((0..100).map(|_| caller())).await;
    most.get()
}

#[actix_rt::test]
async fn the_slots_follow_a_server_whose_capacity_halves_and_doubles_and_none_is_lost() {
    tokio::time::pause();
    let capacity = Rc::new(Cell::new(20));
    let bench = bench(&capacity);
    for now in [20, 10, 20, 40] {
        capacity.set(now);
        load(&bench, 1_000).await;
        let most = load(&bench, 2_000).await;
        bench.assert_idle();
        let slots = u64::from(bench.state.bulkhead.size());
        // A probe, in which the limit is half of what it would be, may be under way.
        assert!((now / 2..=now * 5 / 2).contains(&slots), "capacity {now}, {slots} slots");
        assert!(most >= usize::try_from(now).unwrap() && most <= 100, "capacity {now}, {most} open");
    }
}

#[actix_rt::test]
async fn a_server_that_refuses_or_breaks_off_gets_fewer_requests_at_once() {
    tokio::time::pause();
    assert_eq!(slots_after_failures(Step::Answer(503)).await, 3);
    assert_eq!(slots_after_failures(NETWORK).await, 3);
}

#[actix_rt::test]
async fn a_failure_that_fewer_requests_would_not_avoid_changes_no_slots() {
    tokio::time::pause();
    for cause in [Cause::Certificate, Cause::Limit, Cause::BodyTooLarge, Cause::Decode] {
        assert_eq!(slots_after_failures(Step::Fail(cause, Sent::Maybe)).await, 10, "{cause:?}");
    }
}

/// The slots after 1,000 calls that fail like this: 10 at first, and at least 3.
async fn slots_after_failures(step: Step) -> u32 {
    let bench = Bench::steps(
        |c| {
            c.bulkhead.adaptive = true;
            c.bulkhead.min_concurrency = 3;
            c.retry.max_attempts = 1;
            c.circuit_breaker.failure_threshold = 1_000_000;
        },
        &[step],
    );
    assert_eq!(bench.state.bulkhead.size(), 10);
    for _ in 0..1_000 {
        bench.get().await.unwrap_err();
    }
    bench.assert_idle();
    bench.state.bulkhead.size()
}

#[actix_rt::test]
async fn calls_that_are_dropped_and_hedges_that_are_cancelled_lose_no_slot() {
    tokio::time::pause();
    let mut rng = seed::rng();
    let server = RefCell::new(rng.fork());
    let bench = Bench::new(
        |c| {
            c.bulkhead.adaptive = true;
            // Refusals must neither open the breaker nor leave no slot for hedges.
            c.circuit_breaker.failure_threshold = 1_000_000;
            c.bulkhead.min_concurrency = 15;
            c.hedge.after = HedgeAfter::Delay(Duration::from_millis(20));
            c.retry.budget.per_second = 10_000.0;
        },
        move |_| {
            let mut rng = server.borrow_mut();
            let step = if rng.u8(..10) == 0 { Step::Answer(503) } else { Step::Answer(200) };
            (Duration::from_millis(rng.u64(..60)), step)
        },
    );
    for _ in 0..200 {
        let calls = (0..10).map(|_| {
            let limit = Duration::from_millis(rng.u64(..200));
            tokio::time::timeout(limit, bench.get())
        });
        join_all(calls).await;
        bench.assert_idle();
    }
    let hedges = bench.state.supervisor.stats().hedges;
    assert!(hedges > 100, "{hedges} hedges");
}
