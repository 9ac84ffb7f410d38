//! The actor through its handle, under a paused clock. Panics in a handler have a file of their own,
//! and so have the breakers of origins.

mod origins;
mod panics;

use std::time::Duration;

use futures::{FutureExt, future::join_all};

use super::*;
use crate::supervisor::{
    LogTarget, Scope, TransitionHook,
    backoff::{Backoff, Jitter},
    breaker::BreakerSettings,
    budget::BudgetSettings,
    retry::{GiveUp, Retryability},
};

const RECOVERY: Duration = Duration::from_secs(30);

fn settings(threshold: u32, probes: u32, retries_per_second: f64) -> SupervisorSettings {
    SupervisorSettings {
        breaker: BreakerSettings {
            failure_threshold: threshold,
            recovery_timeout: RECOVERY,
            half_open_max_calls: probes,
            rates: None,
        },
        scope: Scope::Client,
        budget: BudgetSettings { ratio: 0.2, per_second: retries_per_second },
        log: LogTarget { target: "test".into(), level: log::LevelFilter::Info },
        on_transition: TransitionHook::default(),
        seed: Some(1),
    }
}

fn start(threshold: u32, probes: u32, retries_per_second: f64) -> SupervisorHandle {
    tokio::time::pause();
    SupervisorHandle::start(settings(threshold, probes, retries_per_second))
}

fn policy(max_attempts: u32) -> Arc<RetryPolicy> {
    let backoff = Backoff {
        min: Duration::from_secs(1),
        max: Duration::from_secs(60),
        multiplier: 2.0,
        jitter: Jitter::None,
    };
    Arc::new(RetryPolicy { max_attempts, backoff, retry_after_max: Duration::from_secs(60) })
}

fn lease() -> Instant {
    now() + Duration::from_secs(60)
}

fn attempt(number: u32) -> FailedAttempt {
    FailedAttempt { number, retryability: Retryability::Retryable, retry_after: None, deadline: lease() }
}

async fn fail(supervisor: &SupervisorHandle, permit: Permit, number: u32, of: u32) -> (Decision, Permit) {
    supervisor.failed(permit, attempt(number), Outcome::Failure, policy(of)).await.unwrap()
}

/// One call that fails for good.
async fn failed_call(supervisor: &SupervisorHandle) {
    let permit = supervisor.admit(&Circuit::CLIENT, lease()).await.unwrap();
    fail(supervisor, permit, 1, 1).await;
}

async fn opened(probes: u32) -> SupervisorHandle {
    let supervisor = start(1, probes, 10.0);
    failed_call(&supervisor).await;
    assert_eq!(supervisor.state(), BreakerState::Open);
    supervisor
}

#[actix_rt::test]
async fn while_nothing_fails_no_call_waits_for_the_actor() {
    let supervisor = start(5, 1, 10.0);
    let permit =
        supervisor.admit(&Circuit::CLIENT, lease()).now_or_never().expect("no message is sent").unwrap();
    let permit = supervisor.renew(permit, lease()).now_or_never().expect("no message is sent").unwrap();
    supervisor.succeeded(permit).now_or_never().expect("no message is sent");
}

#[actix_rt::test]
async fn an_open_breaker_refuses_without_asking_the_actor() {
    let supervisor = opened(1).await;
    tokio::time::advance(Duration::from_secs(10)).await;
    let wait = Refusal { retry_after: Some(Duration::from_secs(20)) };
    assert_eq!(supervisor.fail_fast(&Circuit::CLIENT), Err(wait));
    let refused = supervisor.admit(&Circuit::CLIENT, lease()).now_or_never().expect("no message is sent");
    assert_eq!(refused.unwrap_err(), Rejection::Refused(wait));
}

#[actix_rt::test]
async fn a_call_with_all_its_attempts_counts_once() {
    let supervisor = start(2, 1, 10.0);
    let mut permit = supervisor.admit(&Circuit::CLIENT, lease()).await.unwrap();
    for number in 1..=3 {
        let (decision, back) = fail(&supervisor, permit, number, 4).await;
        assert_eq!(decision, Decision::Retry { wait: Duration::from_secs(1 << (number - 1)) });
        permit = supervisor.renew(back, lease()).await.unwrap();
    }
    let (decision, _) = fail(&supervisor, permit, 4, 4).await;
    assert_eq!(decision, Decision::GiveUp(GiveUp::AttemptsExhausted));
    assert_eq!(supervisor.state(), BreakerState::Closed);
    failed_call(&supervisor).await;
    assert_eq!(supervisor.state(), BreakerState::Open);
}

#[actix_rt::test]
async fn a_hedge_is_taken_from_the_budget_and_only_the_closed_breaker_that_admitted_its_call_allows_it() {
    let supervisor = start(1, 1, 2.0);
    let permit = supervisor.admit(&Circuit::CLIENT, lease()).await.unwrap();
    for allowed in [Ok(()), Ok(()), Err(NoHedge::BudgetSpent)] {
        assert_eq!(supervisor.hedge(&permit).await, allowed);
    }
    tokio::time::advance(Duration::from_secs(5)).await;
    failed_call(&supervisor).await;
    assert_eq!(supervisor.hedge(&permit).await, Err(NoHedge::BreakerChanged), "the breaker is open");
    tokio::time::advance(RECOVERY).await;
    let probe = supervisor.admit(&Circuit::CLIENT, lease()).await.unwrap();
    assert_eq!(supervisor.hedge(&probe).await, Err(NoHedge::BreakerChanged), "a probe");
    assert_eq!(supervisor.hedge(&permit).await, Err(NoHedge::BreakerChanged), "it is half-open");
    supervisor.succeeded(probe).await;
    assert_eq!(supervisor.hedge(&permit).await, Err(NoHedge::BreakerChanged), "it has been open meanwhile");
    let permit = supervisor.admit(&Circuit::CLIENT, lease()).await.unwrap();
    assert_eq!(supervisor.hedge(&permit).await, Ok(()));
    assert_eq!(supervisor.stats().hedges, 3);
}

#[actix_rt::test]
async fn a_success_after_failures_resets_the_count() {
    let supervisor = start(2, 1, 10.0);
    for _ in 0..5 {
        failed_call(&supervisor).await;
        let permit = supervisor.admit(&Circuit::CLIENT, lease()).await.unwrap();
        supervisor.succeeded(permit).await;
        assert_eq!(supervisor.state(), BreakerState::Closed);
    }
}

async fn a_thousand_ask_at_the_moment_of_recovery(allowed: u32) {
    let supervisor = opened(allowed).await;
    tokio::time::advance(RECOVERY).await;
    assert_eq!(supervisor.state(), BreakerState::HalfOpen);
    let answers = join_all((0..1_000).map(|_| supervisor.admit(&Circuit::CLIENT, lease()))).await;
    let permits: Vec<_> = answers.iter().flatten().collect();
    assert_eq!(permits.len(), allowed as usize);
    assert!(permits.iter().all(|permit| permit.is_probe()));
    for refused in answers.iter().filter_map(|answer| answer.as_ref().err()) {
        let Rejection::Refused(Refusal { retry_after: Some(wait) }) = refused else { panic!("{refused:?}") };
        assert!(*wait <= RECOVERY);
    }
}

#[actix_rt::test]
async fn of_a_thousand_calls_at_the_moment_of_recovery_exactly_one_is_admitted() {
    a_thousand_ask_at_the_moment_of_recovery(1).await;
}

#[actix_rt::test]
async fn of_a_thousand_calls_at_the_moment_of_recovery_exactly_the_allowed_ten_are_admitted() {
    a_thousand_ask_at_the_moment_of_recovery(10).await;
}

#[actix_rt::test]
async fn a_probe_that_is_dropped_gives_its_place_back() {
    let supervisor = opened(1).await;
    tokio::time::advance(RECOVERY).await;
    let probe = supervisor.admit(&Circuit::CLIENT, lease()).await.unwrap();
    assert!(supervisor.admit(&Circuit::CLIENT, lease()).await.is_err());
    drop(probe);
    assert!(supervisor.admit(&Circuit::CLIENT, lease()).await.is_ok());
}

#[actix_rt::test]
async fn a_probe_whose_caller_left_before_it_was_granted_gives_its_place_back() {
    let supervisor = opened(1).await;
    tokio::time::advance(RECOVERY).await;
    for _ in 0..100 {
        // Dropped before the answer is made, or with the answer unread in the channel.
        assert!(supervisor.admit(&Circuit::CLIENT, lease()).now_or_never().is_none());
        let unread = supervisor.admit(&Circuit::CLIENT, lease());
        futures::pin_mut!(unread);
        assert!(unread.as_mut().now_or_never().is_none());
        tokio::task::yield_now().await;
    }
    tokio::task::yield_now().await;
    assert!(supervisor.admit(&Circuit::CLIENT, lease()).await.is_ok());
}

#[actix_rt::test]
async fn a_probe_that_hangs_gives_its_place_back_when_its_lease_ends() {
    let supervisor = opened(1).await;
    tokio::time::advance(RECOVERY).await;
    let _hung = supervisor.admit(&Circuit::CLIENT, lease()).await.unwrap();
    tokio::time::advance(Duration::from_secs(59)).await;
    assert!(supervisor.admit(&Circuit::CLIENT, lease()).await.is_err());
    tokio::time::advance(Duration::from_secs(1)).await;
    assert!(supervisor.admit(&Circuit::CLIENT, lease()).await.is_ok());
}

#[actix_rt::test]
async fn a_probe_that_fails_opens_the_breaker_at_once_and_is_not_retried() {
    let supervisor = opened(1).await;
    tokio::time::advance(RECOVERY).await;
    let probe = supervisor.admit(&Circuit::CLIENT, lease()).await.unwrap();
    let (decision, _) = fail(&supervisor, probe, 1, 5).await;
    assert_eq!(decision, Decision::GiveUp(GiveUp::CircuitOpen));
    assert_eq!(supervisor.state(), BreakerState::Open);
    assert_eq!(supervisor.stats().opened, 2);
}

#[actix_rt::test]
async fn a_probe_that_succeeds_closes_the_breaker_before_its_call_returns() {
    let supervisor = opened(1).await;
    tokio::time::advance(RECOVERY).await;
    let probe = supervisor.admit(&Circuit::CLIENT, lease()).await.unwrap();
    supervisor.succeeded(probe).await;
    assert_eq!(supervisor.state(), BreakerState::Closed);
    let stats = supervisor.stats();
    assert_eq!((stats.opened, stats.half_opened, stats.closed), (1, 1, 1));
}

#[actix_rt::test]
async fn a_result_from_before_the_breaker_opened_changes_nothing_after() {
    let supervisor = start(1, 1, 10.0);
    let early = supervisor.admit(&Circuit::CLIENT, lease()).await.unwrap();
    let earlier = supervisor.admit(&Circuit::CLIENT, lease()).await.unwrap();
    failed_call(&supervisor).await;
    supervisor.succeeded(early).await;
    assert_eq!(supervisor.state(), BreakerState::Open);

    tokio::time::advance(RECOVERY).await;
    let probe = supervisor.admit(&Circuit::CLIENT, lease()).await.unwrap();
    fail(&supervisor, earlier, 1, 1).await;
    supervisor.succeeded(probe).await;
    assert_eq!(supervisor.state(), BreakerState::Closed);
}

#[actix_rt::test]
async fn a_retry_asks_the_breaker_again() {
    let supervisor = start(2, 1, 10.0);
    let permit = supervisor.admit(&Circuit::CLIENT, lease()).await.unwrap();
    let (decision, permit) = fail(&supervisor, permit, 1, 3).await;
    assert_eq!(decision, Decision::Retry { wait: Duration::from_secs(1) });
    failed_call(&supervisor).await;
    failed_call(&supervisor).await;
    let refused = supervisor.renew(permit, lease()).await.unwrap_err();
    assert!(matches!(refused, Rejection::Refused(_)));
}

#[actix_rt::test]
async fn no_wait_is_begun_whose_end_an_open_breaker_would_refuse() {
    let supervisor = start(1, 1, 10.0);
    let permit = supervisor.admit(&Circuit::CLIENT, lease()).await.unwrap();
    failed_call(&supervisor).await;
    let (decision, _) = fail(&supervisor, permit, 1, 3).await;
    assert_eq!(decision, Decision::GiveUp(GiveUp::CircuitOpen));
}

#[actix_rt::test]
async fn when_the_budget_is_spent_there_are_no_retries_until_it_is_earned() {
    let supervisor = start(1_000, 1, 2.0);
    let decide = || async {
        let permit = supervisor.admit(&Circuit::CLIENT, lease()).await.unwrap();
        fail(&supervisor, permit, 1, 3).await.0
    };
    let retry = Decision::Retry { wait: Duration::from_secs(1) };
    let spent = Decision::GiveUp(GiveUp::BudgetSpent);
    assert_eq!([decide().await, decide().await, decide().await], [retry, retry, spent]);
    for _ in 0..5 {
        supervisor.count_call();
    }
    assert_eq!([decide().await, decide().await], [retry, spent], "five calls earn one");
    tokio::time::advance(Duration::from_millis(500)).await;
    assert_eq!([decide().await, decide().await], [retry, spent], "half a second earns one");
    supervisor.reset().await.unwrap();
    assert_eq!(decide().await, retry);
}

/// So many calls, of which every attempt fails; returns how many retries were granted.
async fn failing_calls(supervisor: &SupervisorHandle, calls: u32) -> u64 {
    let before = supervisor.stats().retries;
    for _ in 0..calls {
        supervisor.count_call();
        let mut permit = supervisor.admit(&Circuit::CLIENT, lease()).await.unwrap();
        for number in 1..=4 {
            let (decision, back) = fail(supervisor, permit, number, 4).await;
            if matches!(decision, Decision::GiveUp(_)) {
                break;
            }
            permit = back;
        }
    }
    supervisor.stats().retries - before
}

#[actix_rt::test]
async fn after_a_reset_only_later_calls_add_to_the_retry_budget() {
    let supervisor = start(10_000, 1, 10.0);
    for _ in 0..3_000 {
        supervisor.count_call();
    }
    supervisor.reset().await.unwrap();
    assert_eq!(failing_calls(&supervisor, 300).await, 70, "20 % of 300 calls, and one second's worth");
}

#[actix_rt::test]
async fn the_breaker_obeys_commands() {
    let supervisor = start(1, 1, 10.0);
    supervisor.force_open().await.unwrap();
    tokio::time::advance(RECOVERY * 1_000).await;
    assert_eq!(supervisor.state(), BreakerState::Open);
    assert_eq!(supervisor.fail_fast(&Circuit::CLIENT), Err(Refusal { retry_after: None }));
    supervisor.force_closed().await.unwrap();
    assert_eq!(supervisor.state(), BreakerState::Closed);
    failed_call(&supervisor).await;
    assert_eq!(supervisor.state(), BreakerState::Open);
    supervisor.reset().await.unwrap();
    assert_eq!(supervisor.state(), BreakerState::Closed);
}

#[actix_rt::test]
async fn a_question_to_an_ended_actor_is_an_error() {
    let arbiter = actix::Arbiter::new();
    let (send, receive) = std::sync::mpsc::channel();
    arbiter.spawn_fn(move || send.send(SupervisorHandle::start(settings(1, 1, 10.0))).unwrap());
    let supervisor = receive.recv().unwrap();
    arbiter.stop();
    arbiter.join().unwrap();
    assert_eq!(supervisor.force_open().await, Err(ActorError::Ended("supervisor")));
}
