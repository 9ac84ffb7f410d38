//! Which failures are repeated, when, and how many times.

use super::*;

#[actix_rt::test]
async fn a_success_takes_one_attempt_and_no_time() {
    tokio::time::pause();
    let bench = Bench::steps(|_| (), &[Step::Answer(200)]);
    let start = Instant::now();
    let reply = bench.get().await.unwrap();
    assert_eq!((reply.status(), reply.attempts().len(), start.elapsed()), (200, 1, Duration::ZERO));
    assert_eq!(reply.attempts()[0].error, None);
    bench.assert_idle();
}

#[actix_rt::test]
async fn a_failure_is_retried_after_waits_that_double() {
    tokio::time::pause();
    let bench = Bench::steps(|c| c.retry.max_attempts = 5, &[Step::Answer(500), NETWORK, Step::Answer(200)]);
    let start = Instant::now();
    let reply = bench.get().await.unwrap();
    assert_eq!(since(start), 3);
    assert_eq!(waits(reply.attempts()), [Some(1), Some(2), None]);
    let statuses: Vec<_> =
        reply.attempts().iter().map(|a| (a.status, a.error.map(ErrorKind::name))).collect();
    assert_eq!(statuses, [(Some(500), Some("server")), (None, Some("network")), (Some(200), None)]);
}

#[actix_rt::test]
async fn every_attempt_carries_the_same_request_id_and_the_whole_body() {
    tokio::time::pause();
    let bench = Bench::steps(|_| (), &[Step::Answer(500), Step::Answer(503), Step::Answer(200)]);
    let reply = bench.call(Call::post("/charges").json(&[1, 2, 3])).await.unwrap();
    let seen = bench.script.seen.borrow();
    assert_eq!(seen.len(), 3);
    for request in seen.iter() {
        let id = request.headers.iter().find(|(name, _)| name == "x-request-id").unwrap();
        assert_eq!(id.1, reply.request_id());
        assert_eq!(&request.body[..], b"[1,2,3]");
    }
}

#[actix_rt::test]
async fn when_all_attempts_fail_the_last_failure_is_the_error() {
    tokio::time::pause();
    let bench = Bench::steps(|_| (), &[Step::Answer(500), Step::Answer(500), Step::Answer(503)]);
    let error = bench.call(Call::get("/").request_id("mine")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connection(ConnectionError::ServiceUnavailable));
    assert_eq!((error.status(), error.attempts().len()), (Some(503), 3));
    assert_eq!(error.gave_up(), Some(GaveUp::AttemptsExhausted));
    assert_eq!(error.request_id(), Some("mine"));
    assert_eq!(error.response().unwrap().text().unwrap(), "body");
    assert!(error.is_connection() && error.is_retryable() && !error.is_status());
    bench.assert_idle();
}

#[actix_rt::test]
async fn a_status_that_a_retry_cannot_help_is_not_retried_and_does_not_count() {
    tokio::time::pause();
    for status in [301, 400, 401, 403, 404, 409, 418, 422] {
        let bench = Bench::steps(|c| c.circuit_breaker.failure_threshold = 1, &[Step::Answer(status)]);
        let error = bench.get().await.unwrap_err();
        assert!(error.is_status() && !error.is_retryable(), "{status}");
        assert_eq!((bench.sent(), error.gave_up()), (1, Some(GaveUp::NotRetryable)), "{status}");
        assert_eq!(bench.state(), BreakerState::Closed, "{status}");
    }
}

#[actix_rt::test]
async fn a_certificate_error_is_not_retried_but_counts() {
    tokio::time::pause();
    let bench = Bench::steps(
        |c| c.circuit_breaker.failure_threshold = 1,
        &[Step::Fail(Cause::Certificate, Sent::Nothing)],
    );
    let error = bench.get().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connection(ConnectionError::Network));
    assert!(!error.is_retryable());
    assert_eq!((bench.sent(), bench.state()), (1, BreakerState::Open));
}

#[actix_rt::test]
async fn with_idempotent_methods_only_a_post_is_retried_if_nothing_was_sent() {
    tokio::time::pause();
    for (call, step, sent) in [
        (Call::post("/"), NETWORK, 1),
        (Call::post("/"), Step::Answer(503), 1),
        (Call::patch("/"), Step::Answer(503), 1),
        (Call::post("/"), Step::Fail(Cause::Network, Sent::Nothing), 3),
        (Call::get("/"), NETWORK, 3),
        (Call::put("/"), NETWORK, 3),
        (Call::delete("/"), NETWORK, 3),
    ] {
        let bench = Bench::steps(|c| c.retry.methods = RetryMethods::IdempotentOnly, &[step]);
        let error = bench.call(call).await.unwrap_err();
        assert!(error.is_connection());
        assert_eq!(bench.sent(), sent);
    }
}

#[actix_rt::test]
async fn too_many_requests_is_retried_and_does_not_count() {
    tokio::time::pause();
    let bench = Bench::steps(|c| c.circuit_breaker.failure_threshold = 1, &[asks_to_wait(429, "2")]);
    let error = bench.get().await.unwrap_err();
    assert_eq!(error.kind().name(), "rate_limited");
    assert_eq!((error.attempts().len(), error.retry_after()), (3, Some(seconds(2))));
    assert!(error.is_status() && error.is_retryable());
    assert_eq!(bench.state(), BreakerState::Closed);
}

#[actix_rt::test]
async fn traffic_to_a_server_that_only_fails_stays_within_the_budget() {
    tokio::time::pause();
    let bench = Bench::steps(
        |c| {
            c.circuit_breaker.failure_threshold = 1_000_000;
            c.bulkhead.max_concurrency = 5_000;
            c.retry.max_attempts = 10;
        },
        &[Step::Answer(503)],
    );
    let start = Instant::now();
    let mut spent = 0;
    for _ in 0..50 {
        let errors = join_all((0..100).map(|_| bench.get())).await;
        let out_of_budget = errors
            .iter()
            .filter_map(|r| r.as_ref().err())
            .filter(|e| e.gave_up() == Some(GaveUp::BudgetSpent));
        spent += out_of_budget.clone().count();
        assert!(out_of_budget.clone().all(|error| error.to_string().contains("the retry budget is spent")));
    }
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few thousand seconds")]
    let elapsed = start.elapsed().as_secs_f64().ceil() as usize;
    let allowed = 5_000 + 5_000 / 5 + 10 * (elapsed + 1);
    assert!(bench.sent() <= allowed, "{} > {allowed}", bench.sent());
    assert!(spent > 0 && bench.sent() > 5_000);
}

#[actix_rt::test]
async fn the_two_thousandth_attempt_is_like_any_other() {
    tokio::time::pause();
    let bench = Bench::steps(
        |c| {
            c.retry.max_attempts = 2_500;
            c.retry.min_wait = Duration::from_millis(1);
            c.retry.max_wait = Duration::from_millis(5);
            c.retry.budget = RetryBudget { ratio: 100.0, per_second: 1_000_000.0 };
        },
        &[NETWORK],
    );
    let error = bench.get().await.unwrap_err();
    assert_eq!((error.attempts().len(), bench.sent()), (2_500, 2_500));
    assert_eq!(error.attempts()[2_000].wait, Some(Duration::from_millis(5)));
}
