//! Hedges: when they are sent, what they cost, and what happens to the request that is slower.

use super::*;
use crate::observe::AttemptEnding;

const fn millis(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// A client that sends a hedge after 100 ms, whose server takes these times and steps.
fn bench(change: impl FnOnce(&mut ClientConfig), steps: &[(u64, Step)]) -> Bench {
    let steps = steps.to_vec();
    let hedged = |c: &mut ClientConfig| {
        c.hedge = HedgeConfig { after: HedgeAfter::Delay(millis(100)), max: 1 };
        change(c);
    };
    Bench::new(hedged, move |n| {
        let (takes, step) = steps[n.min(steps.len() - 1)].clone();
        (millis(takes), step)
    })
}

const OK: Step = Step::Answer(200);

/// Milliseconds, in whole tens: timers are exact to a few milliseconds.
fn tens(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap() / 10 * 10
}

/// What a caller sees of the attempts: the role, the status, whether it was cancelled, and the time in ms.
fn summary(attempts: &[Attempt]) -> Vec<(AttemptRole, Option<u16>, bool, u64)> {
    let seen = |a: &Attempt| (a.role, a.status, a.is_cancelled(), tens(a.duration));
    attempts.iter().map(seen).collect()
}

/// Polls a call until its server has seen this many requests, without letting time pass.
async fn under_way<F: Future>(mut call: std::pin::Pin<&mut F>, bench: &Bench, sent: usize) {
    while bench.sent() < sent {
        assert!(call.as_mut().now_or_never().is_none());
        tokio::task::yield_now().await;
    }
}

#[actix_rt::test]
async fn a_slow_attempt_gets_a_hedge_and_the_faster_one_answers() {
    use AttemptRole::{Hedge, Regular};
    tokio::time::pause();
    let bench = bench(|_| (), &[(10_000, OK), (30, OK)]);
    let start = Instant::now();
    let reply = bench.get().await.unwrap();
    assert_eq!(tens(start.elapsed()), 130);
    assert_eq!(
        summary(reply.attempts()),
        [(Regular, None, true, 130), (Hedge, Some(200), false, 30)],
        "the slow one was cancelled"
    );
    let seen = bench.script.seen.borrow();
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[0].headers, seen[1].headers, "the hedge has the same request id");
    assert_eq!(bench.state.supervisor.stats().hedges, 1);
    bench.assert_idle();
}

#[actix_rt::test]
async fn an_attempt_that_is_faster_than_its_hedge_answers() {
    use AttemptRole::{Hedge, Regular};
    tokio::time::pause();
    let bench = bench(|_| (), &[(150, OK), (10_000, OK)]);
    let reply = bench.get().await.unwrap();
    assert_eq!(summary(reply.attempts()), [(Regular, Some(200), false, 150), (Hedge, None, true, 50)]);
    bench.assert_idle();
}

#[actix_rt::test]
async fn an_attempt_that_ends_before_the_delay_gets_no_hedge() {
    tokio::time::pause();
    for step in [OK, Step::Answer(404)] {
        let bench = bench(|_| (), &[(99, step), (0, OK)]);
        let _ = bench.get().await;
        assert_eq!((bench.sent(), bench.state.supervisor.stats().hedges), (1, 0));
    }
}

#[actix_rt::test]
async fn observers_see_the_hedge_and_both_attempts_begin_and_end() {
    tokio::time::pause();
    let bench = bench(|c| c.bulkhead.max_concurrency = 7, &[(10_000, OK), (30, OK)]);
    let reply = bench.call(Call::get("/").request_id("mine")).await.unwrap();
    assert_eq!(reply.status(), 200);
    let id = &RequestId::parse(b"mine").unwrap();
    let took = |attempt: usize| reply.attempts()[attempt - 1].duration;
    let ended = |number, ending| Event::AttemptEnded { id, number, ending, duration: took(number as usize) };
    let expected = [
        Event::SlotAcquired { id, available: 6 },
        Event::AttemptBegun { id, number: 1 },
        Event::HedgeSent { id, number: 2 },
        Event::AttemptBegun { id, number: 2 },
        ended(2, AttemptEnding::Succeeded { status: 200 }),
        ended(1, AttemptEnding::Cancelled),
    ];
    assert_eq!(*bench.heard.0.lock().unwrap(), expected.map(|event| format!("{event:?}")));
}

#[actix_rt::test]
async fn what_must_not_be_sent_twice_is_never_hedged() {
    use Method::{Delete, Get, Head, Options, Patch, Post, Put};
    tokio::time::pause();
    for method in [Get, Head, Options, Put, Delete, Post, Patch] {
        for key in [None, Some("mine")] {
            for methods in [RetryMethods::All, RetryMethods::IdempotentOnly] {
                let bench = bench(|c| c.retry.methods = methods, &[(1_000, OK)]);
                let call = Call::new(method, "/");
                let call = key.into_iter().fold(call, Call::request_id);
                bench.call(call).await.unwrap();
                let hedged = method.is_idempotent() || (key.is_some() && methods == RetryMethods::All);
                assert_eq!(bench.sent(), 1 + usize::from(hedged), "{method} {key:?} {methods:?}");
            }
        }
    }
}

#[actix_rt::test]
async fn a_call_can_have_hedging_of_its_own() {
    tokio::time::pause();
    let bench = bench(|_| (), &[(1_000, OK)]);
    bench.call(Call::get("/").hedge(HedgeConfig::default())).await.unwrap();
    assert_eq!(bench.sent(), 1);
    let two = HedgeConfig { after: HedgeAfter::Delay(millis(50)), max: 2 };
    bench.call(Call::get("/").hedge(two)).await.unwrap();
    assert_eq!(bench.sent(), 1 + 3);
    let bad = HedgeConfig { after: HedgeAfter::Quantile(1.0), max: 2 };
    let error = bench.call(Call::get("/").hedge(bad)).await.unwrap_err();
    assert_eq!(error.field().unwrap().field(), "hedge.after");
}

#[actix_rt::test]
async fn a_call_sends_no_more_hedges_than_the_most_over_all_its_attempts() {
    tokio::time::pause();
    // Each attempt is slow and fails, so that there are 3 rounds.
    let bench = bench(|c| c.hedge.max = 4, &[(250, Step::Answer(503))]);
    bench.get().await.unwrap_err();
    assert_eq!((bench.sent(), bench.state.supervisor.stats().hedges), (3 + 4, 4));
    assert_eq!(bench.state.supervisor.stats().retries, 2);
}

#[actix_rt::test]
async fn a_hedge_is_paid_for_from_the_retry_budget() {
    tokio::time::pause();
    let budget = RetryBudget { ratio: 0.25, per_second: 0.0 };
    let bench = bench(|c| c.retry.budget = budget, &[(1_000, OK)]);
    for _ in 0..40 {
        bench.get().await.unwrap();
    }
    // The credit of a call is valid for 10 s, in which there are at most 10 calls of 1 s.
    let hedges = bench.state.supervisor.stats().hedges;
    assert_eq!(bench.sent(), 40 + usize::try_from(hedges).unwrap());
    assert!((8..=10).contains(&hedges), "{hedges} hedges of 40 calls");
}

#[actix_rt::test]
async fn a_hedge_does_not_wait_for_a_slot_and_takes_none_from_a_caller_that_waits() {
    tokio::time::pause();
    let bench = bench(|c| c.bulkhead.max_concurrency = 1, &[(1_000, OK), (10, OK)]);
    let (first, second) = futures::join!(bench.get(), bench.get());
    assert_eq!((first.unwrap().attempts().len(), second.unwrap().attempts().len()), (1, 1));
    assert_eq!((bench.sent(), bench.state.supervisor.stats().hedges), (2, 0));
    bench.assert_idle();
}

#[actix_rt::test]
async fn a_slot_that_becomes_free_later_is_used_at_the_next_turn() {
    tokio::time::pause();
    let bench = bench(|c| c.bulkhead.max_concurrency = 2, &[(10_000, OK), (150, OK), (30, OK)]);
    let never = HedgeConfig::default();
    let start = Instant::now();
    let (slow, _other) = futures::join!(bench.get(), bench.call(Call::get("/").hedge(never)));
    // No slot at 100 ms, one at 200 ms.
    assert_eq!(slow.unwrap().attempts().len(), 2);
    assert_eq!(tens(start.elapsed()), 230);
}

#[actix_rt::test]
async fn no_hedge_is_sent_while_a_retry_after_runs() {
    tokio::time::pause();
    let bench = bench(|_| (), &[(0, asks_to_wait(503, "5")), (300, OK)]);
    let asked = bench.call(Call::get("/").retry(RetryConfig { max_attempts: 1, ..RetryConfig::default() }));
    asked.await.unwrap_err();
    // Slow calls, which would have a hedge each.
    for _ in 0..15 {
        bench.get().await.unwrap();
    }
    assert_eq!(bench.state.supervisor.stats().hedges, 0);
    tokio::time::advance(seconds(1)).await;
    bench.get().await.unwrap();
    assert_eq!(bench.state.supervisor.stats().hedges, 1);
}

#[actix_rt::test]
async fn a_retry_after_of_a_hedged_attempt_is_waited_for_whichever_request_it_came_to() {
    tokio::time::pause();
    let answers = [(200, asks_to_wait(429, "7")), (200, Step::Answer(503)), (0, OK)];
    let bench = bench(|c| c.hedge.max = 3, &answers);
    let start = Instant::now();
    let reply = bench.get().await.unwrap();
    // The hedge of 100 ms fails at 300 ms. The next one would have been due at 200 ms.
    assert_eq!(tens(start.elapsed()), 7_300);
    assert_eq!((bench.sent(), waits(reply.attempts())), (3, vec![None, Some(7), None]));
}

#[actix_rt::test]
async fn a_failed_attempt_waits_for_its_hedge_and_both_are_one_call_for_the_breaker() {
    tokio::time::pause();
    let bench = bench(
        |c| {
            c.circuit_breaker.failure_threshold = 2;
            c.retry.max_attempts = 1;
        },
        &[(150, NETWORK)],
    );
    let error = bench.get().await.unwrap_err();
    assert_eq!((error.kind().name(), error.attempts().len()), ("network", 2));
    assert!(error.attempts().iter().all(|attempt| attempt.error == Some(error.kind())));
    assert_eq!(bench.state(), BreakerState::Closed, "two requests failed, but one call");
    bench.get().await.unwrap_err();
    assert_eq!(bench.state(), BreakerState::Open);
    bench.assert_idle();
}

#[actix_rt::test]
async fn a_hedge_that_succeeds_hides_the_failure_of_its_attempt() {
    tokio::time::pause();
    let bench = bench(|c| c.circuit_breaker.failure_threshold = 1, &[(150, NETWORK), (500, OK)]);
    let reply = bench.get().await.unwrap();
    assert_eq!((reply.attempts().len(), bench.state.supervisor.stats().retries), (2, 0));
    assert_eq!(bench.state(), BreakerState::Closed);
}

#[actix_rt::test]
async fn an_answer_that_no_retry_can_change_ends_the_call_at_once() {
    tokio::time::pause();
    let bench = bench(|_| (), &[(10_000, OK), (20, Step::Answer(404))]);
    let start = Instant::now();
    let error = bench.get().await.unwrap_err();
    assert_eq!((error.status(), tens(start.elapsed())), (Some(404), 120));
    assert!(error.attempts()[0].is_cancelled());
    bench.assert_idle();
}

#[actix_rt::test]
async fn a_probe_is_not_hedged_and_a_call_whose_breaker_has_changed_neither() {
    tokio::time::pause();
    let bench = Bench::new(
        |c| {
            c.hedge.after = HedgeAfter::Delay(millis(100));
            c.circuit_breaker.failure_threshold = 1;
            c.retry.max_attempts = 1;
        },
        |n| if n == 1 { (millis(10), NETWORK) } else { (seconds(1), OK) },
    );
    let (slow, failed) = futures::join!(bench.get(), bench.get());
    assert!(slow.is_ok() && failed.is_err());
    assert_eq!((bench.sent(), bench.state()), (2, BreakerState::Open));
    tokio::time::advance(seconds(30)).await;
    bench.get().await.unwrap();
    assert_eq!((bench.sent(), bench.state()), (3, BreakerState::Closed));
    bench.get().await.unwrap();
    assert_eq!(bench.sent(), 5, "the closed breaker allows it again");
}

#[actix_rt::test]
async fn a_quantile_hedges_nothing_before_twenty_calls_and_then_what_is_slower() {
    tokio::time::pause();
    let bench = Bench::new(
        |c| c.hedge.after = HedgeAfter::Quantile(0.9),
        |n| if n < 20 { (millis(200), OK) } else { (millis(if n % 2 == 0 { 10_000 } else { 200 }), OK) },
    );
    for _ in 0..20 {
        bench.get().await.unwrap();
    }
    assert_eq!(bench.sent(), 20);
    let start = Instant::now();
    bench.get().await.unwrap();
    assert_eq!(bench.sent(), 22);
    let took = start.elapsed();
    assert!(
        (millis(400)..=millis(415)).contains(&took),
        "{took:?}: 200 ms, up to 5 % more, and 200 ms again"
    );
}

#[actix_rt::test]
async fn a_call_that_is_closed_or_dropped_or_past_its_deadline_ends_all_its_requests() {
    tokio::time::pause();
    let bench = bench(|c| c.deadline = seconds(5), &[(0, Step::Hang)]);
    let error = bench.get().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DeadlineExceeded);
    let times: Vec<_> = error.attempts().iter().map(|attempt| tens(attempt.duration)).collect();
    assert_eq!(times, [5_000, 4_900]);
    assert!(error.attempts().iter().all(|attempt| attempt.error == Some(ErrorKind::DeadlineExceeded)));
    bench.assert_idle();

    let mut dropped = Box::pin(bench.get());
    under_way(dropped.as_mut(), &bench, 3).await;
    tokio::time::advance(millis(101)).await;
    under_way(dropped.as_mut(), &bench, 4).await;
    assert_eq!(
        (bench.script.open.get(), bench.state.bulkhead.available()),
        (2, bench.state.bulkhead.size() - 2)
    );
    drop(dropped);
    bench.assert_idle();

    let (closed, ()) = futures::join!(bench.get(), async {
        sleep(millis(200)).await;
        bench.state.close();
    });
    let closed = closed.unwrap_err();
    assert_eq!((closed.kind(), closed.attempts().len()), (ErrorKind::Closed, 2));
    bench.assert_idle();
}

/// An observer that notes how many slots were free when an attempt was cancelled.
struct FreeSlots(Mutex<Vec<u32>>, std::sync::OnceLock<std::sync::Weak<ClientState>>);

impl Observer for FreeSlots {
    fn on(&self, event: &Event<'_>) {
        if let Event::AttemptEnded { ending: AttemptEnding::Cancelled, .. } = event {
            let state = self.1.get().and_then(std::sync::Weak::upgrade).unwrap();
            self.0.lock().unwrap().push(state.bulkhead.available());
        }
    }
}

#[actix_rt::test]
async fn the_slot_of_the_slower_request_is_free_before_its_end_is_seen() {
    tokio::time::pause();
    let bench = bench(|c| c.bulkhead.max_concurrency = 2, &[(10_000, OK), (30, OK)]);
    let observer = Arc::new(FreeSlots(Mutex::default(), std::sync::OnceLock::new()));
    observer.1.set(Arc::downgrade(&bench.state)).unwrap();
    bench.state.observers.add(Arc::clone(&observer) as Arc<dyn Observer>).unwrap();
    bench.get().await.unwrap();
    assert_eq!(*observer.0.lock().unwrap(), [1], "that of the faster one is still held");
}
