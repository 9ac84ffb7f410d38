//! Sequences of a call, with a scripted transport, under a clock that stands still until everybody waits.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};

use futures::{FutureExt, future::join_all};
use resilience_actors::supervisor::{BreakerState, SupervisorHandle};

use super::*;
use crate::{
    call::Call,
    config::{ClientConfig, RetryBudget, RetryConfig, RetryMethods},
    error::ConnectionError,
    headers::Headers,
    lifetime::Lifetime,
    observe::{CallLog, Observers},
    policy,
    response::Attempt,
    transport::{Cause, Limits, Request, Sent},
};

/// What the scripted server does with an exchange.
#[derive(Clone)]
enum Step {
    Answer(u16),
    AnswerWith(u16, &'static str, String),
    Fail(Cause, Sent),
    Hang,
}

/// A transport that follows a script: the step for exchange 0, 1, 2, ...
struct Script {
    steps: Box<dyn Fn(usize) -> (Duration, Step)>,
    seen: RefCell<Vec<Request>>,
    open: Rc<Cell<usize>>,
}

/// An exchange that is under way.
struct Open(Rc<Cell<usize>>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

impl Transport for Script {
    async fn exchange(&self, request: &Request, _: Limits) -> Result<Reply, Fault> {
        let n = self.seen.borrow().len();
        self.seen.borrow_mut().push(request.clone());
        self.open.set(self.open.get() + 1);
        let _open = Open(Rc::clone(&self.open));
        let (takes, step) = (self.steps)(n);
        if !takes.is_zero() {
            sleep(takes).await;
        }
        let reply = |status, headers: Headers| Ok(Reply { status, headers, body: "body".into() });
        match step {
            Step::Answer(status) => reply(status, Headers::default()),
            Step::AnswerWith(status, name, value) => {
                let header = (http::header::HeaderName::from_static(name), value.parse().unwrap());
                reply(status, [header].into_iter().collect())
            }
            Step::Fail(cause, sent) => Err(Fault::new(cause, sent, "scripted")),
            Step::Hang => std::future::pending().await,
        }
    }
}

#[derive(Clone)]
struct Bench {
    state: Arc<ClientState>,
    script: Rc<Script>,
}

impl Bench {
    /// A client that waits 1, 2, 4, ... seconds between attempts.
    fn new(
        change: impl FnOnce(&mut ClientConfig),
        steps: impl Fn(usize) -> (Duration, Step) + 'static,
    ) -> Self {
        let mut config = ClientConfig::new("http://test");
        config.retry.jitter = false;
        change(&mut config);
        config.validate().unwrap();
        let log = CallLog::new(&config.logging);
        let supervisor = SupervisorHandle::start(policy::supervisor_settings(&config, log.target()));
        let observers = Observers::new(log, Vec::new());
        let state = ClientState::new(&config, supervisor, observers, Lifetime::default()).unwrap();
        let script = Script { steps: Box::new(steps), seen: RefCell::default(), open: Rc::default() };
        Self { state: Arc::new(state), script: Rc::new(script) }
    }

    /// A client whose server takes these steps at once, and then the last one for ever.
    fn steps(change: impl FnOnce(&mut ClientConfig), steps: &[Step]) -> Self {
        let steps = steps.to_vec();
        Self::new(change, move |n| (Duration::ZERO, steps[n.min(steps.len() - 1)].clone()))
    }

    async fn call(&self, call: Call) -> Result<Response, Error> {
        let call = admit(&self.state, call.parts)?;
        run(&self.state, &*self.script, call).await
    }

    async fn get(&self) -> Result<Response, Error> {
        self.call(Call::get("/")).await
    }

    fn sent(&self) -> usize {
        self.script.seen.borrow().len()
    }

    /// What must hold whenever nobody is calling.
    fn assert_idle(&self) {
        assert_eq!(self.state.lifetime.in_flight(), 0);
        assert_eq!(self.state.bulkhead.available(), self.state.bulkhead.size());
        assert_eq!(self.script.open.get(), 0);
    }

    fn state(&self) -> BreakerState {
        self.state.supervisor.state()
    }
}

const NETWORK: Step = Step::Fail(Cause::Network, Sent::Maybe);

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// Whole seconds: timers are exact to a millisecond.
fn since(start: Instant) -> u64 {
    start.elapsed().as_secs()
}

fn waits(attempts: &[Attempt]) -> Vec<Option<u64>> {
    attempts.iter().map(|attempt| attempt.wait.map(|wait| wait.as_secs())).collect()
}

fn asks_to_wait(status: u16, value: impl Into<String>) -> Step {
    Step::AnswerWith(status, "retry-after", value.into())
}

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
async fn what_a_retry_cannot_help_is_not_retried_and_does_not_count() {
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
async fn a_server_that_asks_to_wait_is_waited_for() {
    tokio::time::pause();
    for (value, waited) in [("7", 7), ("60", 60), ("0", 1), ("soon", 1), ("-5", 1), ("", 1)] {
        let bench =
            Bench::steps(|c| c.deadline = seconds(90), &[asks_to_wait(503, value), Step::Answer(200)]);
        let start = Instant::now();
        bench.get().await.unwrap();
        assert_eq!(since(start), waited, "{value:?}");
    }
}

#[actix_rt::test]
async fn a_server_that_names_a_date_is_waited_for_until_then() {
    tokio::time::pause();
    let date = |ahead| httpdate::fmt_http_date(SystemTime::now() + ahead);
    for (value, at_least, at_most) in
        [(date(seconds(50)), 5, 50), (httpdate::fmt_http_date(SystemTime::UNIX_EPOCH), 1, 1)]
    {
        let bench = Bench::steps(|_| (), &[asks_to_wait(429, value.clone()), Step::Answer(200)]);
        let start = Instant::now();
        bench.get().await.unwrap();
        let waited = since(start);
        assert!((at_least..=at_most).contains(&waited), "{value}: {waited} s");
    }
}

#[actix_rt::test]
async fn a_server_that_asks_to_wait_too_long_ends_the_call_at_once() {
    tokio::time::pause();
    for value in ["61", "99999999999999999999999", "Fri, 31 Dec 9999 23:59:59 GMT"] {
        let bench = Bench::steps(|_| (), &[asks_to_wait(429, value)]);
        let start = Instant::now();
        let error = bench.get().await.unwrap_err();
        assert_eq!(error.gave_up(), Some(GaveUp::RetryAfterTooLong), "{value}");
        assert!(error.retry_after().unwrap() > seconds(60));
        assert_eq!((since(start), bench.sent()), (0, 1));
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
async fn a_call_that_queued_while_the_breaker_opened_is_refused_when_its_turn_comes() {
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

#[actix_rt::test]
async fn at_most_ten_redirects_are_followed() {
    tokio::time::pause();
    let bench = Bench::steps(|_| (), &[Step::AnswerWith(302, "location", "/on".into())]);
    let error = bench.get().await.unwrap_err();
    assert_eq!((bench.sent(), error.status(), error.kind().name()), (11, Some(302), "status"));
    assert_eq!(error.attempts().len(), 1, "they belong to one attempt");
}

#[actix_rt::test]
async fn redirects_are_kept_when_they_are_not_to_be_followed() {
    tokio::time::pause();
    let bench =
        Bench::steps(|c| c.follow_redirects = false, &[Step::AnswerWith(307, "location", "/on".into())]);
    let error = bench.get().await.unwrap_err();
    assert_eq!((bench.sent(), error.status()), (1, Some(307)));
    assert_eq!(error.response().unwrap().headers().get("Location"), Some("/on"));
}

#[actix_rt::test]
async fn closing_ends_the_calls_under_way() {
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
    let rng = RefCell::new(fastrand::Rng::with_seed(5));
    let bench = Bench::new(
        |c| {
            c.bulkhead.max_concurrency = 20;
            c.circuit_breaker.failure_threshold = 3;
            c.circuit_breaker.recovery_timeout = seconds(2);
            c.retry.budget.per_second = 1_000.0;
        },
        move |_| {
            let mut rng = rng.borrow_mut();
            let step = match rng.u8(0..4) {
                0 => Step::Answer(200),
                1 => Step::Answer(500),
                2 => NETWORK,
                _ => Step::Hang,
            };
            (Duration::from_millis(rng.u64(0..3_000)), step)
        },
    );
    let mut rng = fastrand::Rng::with_seed(6);
    for _ in 0..100 {
        let calls = (0..100).map(|_| {
            let patience = Duration::from_millis(rng.u64(0..8_000));
            let bench = &bench;
            async move { drop(tokio::time::timeout(patience, bench.get()).await) }
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
async fn the_supervisor_killed_with_a_hundred_calls_in_flight_costs_none_of_them() {
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
