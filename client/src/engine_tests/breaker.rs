//! The circuit breaker.

use super::*;
use crate::config::BreakerScope;

#[actix_rt::test]
async fn the_breaker_opens_after_failed_calls_and_then_nothing_is_sent() {
    tokio::time::pause();
    let bench = Bench::steps(
        |c| {
            c.circuit_breaker.failure_threshold = 2;
            c.retry.max_attempts = 2;
        },
        &[NETWORK],
    );
    for _ in 0..2 {
        assert!(bench.get().await.unwrap_err().is_connection());
    }
    assert_eq!((bench.sent(), bench.state()), (4, BreakerState::Open));
    let error = bench.get().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::CircuitOpen { retry_after: Some(seconds(30)) });
    assert!(error.is_circuit_open() && error.attempts().is_empty() && error.request_id().is_some());
    assert_eq!(bench.sent(), 4);
}

#[actix_rt::test]
async fn a_call_that_queued_while_the_breaker_opened_is_rejected_when_it_gets_a_slot() {
    tokio::time::pause();
    let bench = Bench::new(
        |c| {
            c.bulkhead.max_concurrency = 1;
            c.circuit_breaker.failure_threshold = 1;
            c.retry.max_attempts = 1;
        },
        |_| (seconds(1), NETWORK),
    );
    let (first, queued) = futures::join!(bench.get(), async {
        let queued = bench.get().await;
        (queued, bench.sent())
    });
    assert!(first.unwrap_err().is_connection());
    let (queued, sent) = queued;
    assert!(queued.unwrap_err().is_circuit_open());
    assert_eq!(sent, 1);
    bench.assert_idle();
}

async fn open_breaker(probes: u32, after: impl Fn(usize) -> Step + 'static) -> Bench {
    let bench = Bench::new(
        |c| {
            c.circuit_breaker.failure_threshold = 1;
            c.circuit_breaker.half_open_max_calls = probes;
            c.bulkhead.max_concurrency = 5_000;
        },
        move |n| if n < 3 { (Duration::ZERO, NETWORK) } else { (seconds(1), after(n - 3)) },
    );
    bench.get().await.unwrap_err();
    assert_eq!((bench.sent(), bench.state()), (3, BreakerState::Open));
    bench.script.seen.borrow_mut().truncate(3);
    tokio::time::advance(seconds(30)).await;
    bench
}

#[actix_rt::test]
async fn of_a_thousand_callers_at_the_moment_of_recovery_exactly_the_allowed_are_sent() {
    tokio::time::pause();
    for probes in [1, 7] {
        let bench = open_breaker(probes, |_| Step::Answer(200)).await;
        let replies = join_all((0..1_000).map(|_| bench.get())).await;
        assert_eq!(bench.sent(), 3 + probes as usize);
        assert_eq!(replies.iter().filter(|reply| reply.is_ok()).count(), probes as usize);
        let refused = replies.iter().filter_map(|reply| reply.as_ref().err());
        assert!(refused.clone().all(|error| error.is_circuit_open() && error.retry_after().is_some()));
        assert_eq!(bench.state(), BreakerState::Closed);
        bench.assert_idle();
    }
}

#[actix_rt::test]
async fn a_probe_that_fails_is_the_only_request_of_its_half_open_state() {
    tokio::time::pause();
    let bench = open_breaker(1, |_| Step::Answer(500)).await;
    let replies = join_all((0..1_000).map(|_| bench.get())).await;
    assert_eq!((bench.sent(), bench.state()), (4, BreakerState::Open));
    let failed: Vec<_> =
        replies.iter().filter_map(|r| r.as_ref().err()).filter(|e| e.is_connection()).collect();
    assert_eq!(failed.len(), 1);
    assert_eq!(failed[0].gave_up(), Some(GaveUp::CircuitOpen));
}

#[actix_rt::test]
async fn a_probe_that_is_dropped_lets_the_next_one_through() {
    tokio::time::pause();
    let bench = open_breaker(1, |_| Step::Answer(200)).await;
    {
        let mut probe = Box::pin(bench.get());
        // Ask, be granted, be under way.
        while bench.sent() < 4 {
            assert!(probe.as_mut().now_or_never().is_none());
            tokio::task::yield_now().await;
        }
        assert!(bench.get().await.unwrap_err().is_circuit_open());
    }
    bench.get().await.unwrap();
    assert_eq!(bench.state(), BreakerState::Closed);
}

#[actix_rt::test]
async fn a_probe_whose_server_hangs_lets_the_next_one_through_after_its_deadline() {
    tokio::time::pause();
    let bench = open_breaker(1, |n| if n == 0 { Step::Hang } else { Step::Answer(200) }).await;
    let hung = bench.call(Call::get("/").deadline(seconds(5))).await.unwrap_err();
    assert_eq!(hung.kind(), ErrorKind::DeadlineExceeded);
    bench.get().await.unwrap();
    assert_eq!(bench.state(), BreakerState::Closed);
}

#[actix_rt::test]
async fn a_late_answer_does_not_close_a_breaker_that_opened_meanwhile() {
    tokio::time::pause();
    let bench = Bench::new(
        |c| {
            c.circuit_breaker.failure_threshold = 1;
            c.retry.max_attempts = 1;
        },
        |n| if n == 0 { (seconds(5), Step::Answer(200)) } else { (Duration::ZERO, NETWORK) },
    );
    let (late, failed) = futures::join!(bench.get(), bench.get());
    assert_eq!(late.unwrap().status(), 200);
    failed.unwrap_err();
    assert_eq!(bench.state(), BreakerState::Open);
}

#[actix_rt::test]
async fn a_retry_whose_breaker_opened_meanwhile_ends_with_its_own_error() {
    tokio::time::pause();
    let bench = Bench::new(
        |c| {
            c.circuit_breaker.failure_threshold = 1;
            c.circuit_breaker.recovery_timeout = seconds(100);
        },
        |n| {
            (
                Duration::from_millis(if n == 0 { 0 } else { 500 }),
                if n == 0 { Step::Answer(502) } else { NETWORK },
            )
        },
    );
    let own = RetryConfig { max_attempts: 1, ..RetryConfig::default() };
    let (retried, opener) = futures::join!(bench.get(), bench.call(Call::get("/").retry(own)));
    assert_eq!(opener.unwrap_err().kind().name(), "network");
    let error = retried.unwrap_err();
    assert_eq!((error.kind().name(), error.gave_up()), ("service_unavailable", Some(GaveUp::CircuitOpen)));
    assert!(error.to_string().ends_with("(not retried: the circuit breaker is open)"), "{error}");
}

#[actix_rt::test]
async fn the_breaker_opens_when_half_of_the_calls_fail_although_never_two_in_a_row() {
    tokio::time::pause();
    let bench = Bench::new(
        |c| {
            c.retry.max_attempts = 1;
            c.circuit_breaker.failure_rate = 0.5;
            c.circuit_breaker.minimum_calls = 8;
        },
        |n| (Duration::ZERO, if n % 2 == 0 { Step::Answer(200) } else { NETWORK }),
    );
    for n in 0..8 {
        assert_eq!(bench.state(), BreakerState::Closed, "after {n} calls");
        let _ = bench.get().await;
    }
    assert_eq!((bench.sent(), bench.state()), (8, BreakerState::Open));
    assert!(bench.get().await.unwrap_err().is_circuit_open());
}

#[actix_rt::test]
async fn the_breaker_opens_when_attempts_are_slow_and_neither_queue_nor_backoff_makes_a_call_slow() {
    tokio::time::pause();
    for (takes, expected) in [(490, BreakerState::Closed), (500, BreakerState::Open)] {
        let bench = Bench::new(
            |c| {
                c.bulkhead.max_concurrency = 1;
                c.circuit_breaker.slow_call_rate = 1.0;
                c.circuit_breaker.slow_call_duration = Duration::from_millis(500);
            },
            // Every second attempt fails and is repeated after a wait of a second.
            move |n| (Duration::from_millis(takes), if n % 2 == 0 { NETWORK } else { Step::Answer(200) }),
        );
        let replies = join_all((0..10).map(|_| bench.get())).await;
        assert_eq!((replies.len(), bench.state()), (10, expected), "{takes} ms");
    }
}

#[actix_rt::test]
async fn of_1_025_origins_the_breaker_of_the_longest_unused_one_is_forgotten() {
    tokio::time::pause();
    let bench = Bench::new(
        |c| {
            c.retry.max_attempts = 1;
            c.circuit_breaker.failure_threshold = 1;
            c.circuit_breaker.scope = BreakerScope::Origin;
        },
        |n| (Duration::ZERO, if n == 0 { NETWORK } else { Step::Answer(200) }),
    );
    let call = |n| bench.call(Call::get(format!("http://host-{n}/")));
    let first = || bench.state.supervisor.state_of(|| "http://host-0");
    call(0).await.unwrap_err();
    for n in 1..1_024 {
        call(n).await.unwrap();
    }
    assert_eq!(first(), BreakerState::Open, "1,024 origins have been called");
    call(1_024).await.unwrap();
    assert_eq!(first(), BreakerState::Closed);
    call(0).await.unwrap();
}
