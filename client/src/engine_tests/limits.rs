//! The deadline and the bulkhead.

use super::*;

#[actix_rt::test]
async fn no_wait_is_begun_that_would_end_past_the_deadline() {
    tokio::time::pause();
    let bench = Bench::steps(|c| c.deadline = seconds(3), &[Step::Answer(500)]);
    let start = Instant::now();
    let error = bench.get().await.unwrap_err();
    // After one second there is the second attempt; two more would end at the deadline.
    assert_eq!((since(start), bench.sent()), (1, 2));
    assert_eq!(error.kind().name(), "server");
    assert_eq!(error.gave_up(), Some(GaveUp::DeadlineTooNear));
}

#[actix_rt::test]
async fn at_its_deadline_a_call_ends_wherever_it_is() {
    tokio::time::pause();
    let bench = Bench::steps(
        |c| {
            c.deadline = seconds(10);
            c.bulkhead.max_concurrency = 1;
        },
        &[Step::Hang],
    );
    let start = Instant::now();
    let (hung, queued) = futures::join!(bench.get(), bench.call(Call::get("/").deadline(seconds(4))));
    assert_eq!(since(start), 10);
    let hung = hung.unwrap_err();
    assert_eq!(hung.kind(), ErrorKind::DeadlineExceeded);
    assert_eq!(hung.attempts().len(), 1);
    assert_eq!(hung.attempts()[0].duration.as_secs(), 10);
    let queued = queued.unwrap_err();
    assert_eq!((queued.kind(), queued.attempts().len()), (ErrorKind::DeadlineExceeded, 0));
    bench.assert_idle();
}

#[actix_rt::test]
async fn a_slot_is_not_held_between_attempts() {
    tokio::time::pause();
    let bench = Bench::steps(|c| c.bulkhead.max_concurrency = 1, &[Step::Answer(500), Step::Answer(200)]);
    let start = Instant::now();
    let when = |reply: Result<Response, Error>| {
        reply.unwrap();
        since(start)
    };
    let (first, second) = futures::join!(bench.get().map(when), bench.get().map(when));
    assert_eq!((first, second), (1, 0));
}

#[actix_rt::test]
async fn without_a_free_slot_a_call_waits_its_time_and_is_neither_retried_nor_counted() {
    tokio::time::pause();
    let bench = Bench::steps(
        |c| {
            c.bulkhead.max_concurrency = 1;
            c.circuit_breaker.failure_threshold = 1;
            c.bulkhead.acquisition_timeout = seconds(2);
        },
        &[Step::Hang],
    );
    let mut hung = Box::pin(bench.get());
    assert!(hung.as_mut().now_or_never().is_none());
    let start = Instant::now();
    let error = bench.get().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PoolTimeout);
    assert_eq!((since(start), bench.sent(), error.attempts().len()), (2, 1, 0));
    assert_eq!(bench.state(), BreakerState::Closed);
    drop(hung);
    bench.assert_idle();
}
