//! How a call ends early: closed, dropped, or with its supervisor failing.

use super::*;

#[actix_rt::test]
async fn closing_ends_the_calls_in_flight() {
    tokio::time::pause();
    let bench = Bench::steps(|_| (), &[Step::Hang]);
    let calls = join_all((0..10).map(|_| bench.get()));
    let close = async {
        bench.state.close();
        bench.state.lifetime.ended().await;
    };
    let (errors, ()) = futures::join!(calls, close);
    assert!(errors.iter().all(|r| r.as_ref().unwrap_err().kind() == ErrorKind::Closed));
    assert_eq!(bench.get().await.unwrap_err().kind(), ErrorKind::Closed);
    bench.assert_idle();
}

#[actix_rt::test]
async fn a_call_that_is_dropped_frees_everything_at_once_in_every_phase() {
    tokio::time::pause();
    // Queued, in its exchange, and between attempts.
    let bench = Bench::new(
        |c| c.bulkhead.max_concurrency = 1,
        |n| if n == 0 { (Duration::ZERO, Step::Hang) } else { (Duration::ZERO, Step::Answer(500)) },
    );
    let mut sending = Box::pin(bench.get());
    assert!(sending.as_mut().now_or_never().is_none());
    let mut queued = Box::pin(bench.get());
    assert!(queued.as_mut().now_or_never().is_none());
    assert_eq!((bench.state.lifetime.in_flight(), bench.script.open.get()), (2, 1));
    drop(queued);
    assert_eq!(bench.state.lifetime.in_flight(), 1);
    drop(sending);
    bench.assert_idle();

    let mut waiting = Box::pin(bench.get());
    for _ in 0..10 {
        assert!(waiting.as_mut().now_or_never().is_none());
        tokio::task::yield_now().await;
    }
    assert_eq!((bench.sent(), bench.script.open.get(), bench.state.lifetime.in_flight()), (2, 0, 1));
    drop(waiting);
    bench.assert_idle();
    tokio::time::advance(seconds(100)).await;
    assert_eq!(bench.sent(), 2, "it sends nothing more");
}

#[actix_rt::test]
async fn ten_thousand_calls_dropped_at_random_moments_leave_nothing_behind() {
    tokio::time::pause();
    let mut rng = seed::rng();
    let server_rng = RefCell::new(rng.fork());
    let bench = Bench::new(
        |c| {
            c.bulkhead.max_concurrency = 20;
            c.circuit_breaker.failure_threshold = 3;
            c.circuit_breaker.recovery_timeout = seconds(2);
            c.retry.budget.per_second = 1_000.0;
        },
        move |_| {
            let mut rng = server_rng.borrow_mut();
            let step = match rng.u8(0..4) {
                0 => Step::Answer(200),
                1 => Step::Answer(500),
                2 => NETWORK,
                _ => Step::Hang,
            };
            (Duration::from_millis(rng.u64(0..3_000)), step)
        },
    );
    for _ in 0..100 {
        let calls = (0..100).map(|_| {
            let limit = Duration::from_millis(rng.u64(0..8_000));
            let bench = &bench;
            async move { drop(tokio::time::timeout(limit, bench.get()).await) }
        });
        join_all(calls).await;
        bench.assert_idle();
    }
    let sent = bench.sent();
    tokio::time::advance(seconds(1_000)).await;
    assert_eq!(bench.sent(), sent);
    // No place of the half-open breaker has been lost either.
    let mut admitted = 0;
    while admitted == 0 {
        admitted += usize::from(!matches!(bench.get().await, Err(error) if error.is_circuit_open()));
        tokio::time::advance(seconds(2)).await;
    }
}

#[actix_rt::test]
async fn a_supervisor_that_panics_with_a_hundred_calls_in_flight_costs_none_of_them() {
    tokio::time::pause();
    let bench = Bench::new(
        |c| {
            c.bulkhead.max_concurrency = 100;
            c.retry.budget.per_second = 1_000.0;
            c.circuit_breaker.failure_threshold = 1_000;
        },
        |n| {
            (
                Duration::from_millis(n as u64 % 10),
                if n < 100 { Step::Answer(503) } else { Step::Answer(200) },
            )
        },
    );
    let calls = join_all((0..100).map(|_| bench.get()));
    let kill = async {
        for _ in 0..20 {
            tokio::time::sleep(Duration::from_millis(1)).await;
            assert!(bench.state.supervisor.panic_in_handler().await.is_err());
        }
    };
    let (replies, ()) = futures::join!(calls, kill);
    assert_eq!(replies.iter().filter(|reply| reply.is_ok()).count(), 100);
    assert_eq!(bench.sent(), 200, "each was retried once, and nothing was sent twice for it");
    bench.get().await.unwrap();
    bench.assert_idle();
}
