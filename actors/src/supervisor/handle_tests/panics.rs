//! What a panic in a handler of the actor costs: the answer to one message, and the state.

use std::sync::Mutex;

use futures::future::join3;

use super::*;
use crate::supervisor::Change;
use crate::supervisor::breaker::{Cause, Transition};

/// A supervisor of threshold 1, and the changes of its breaker so far.
fn observed(
    and_then: impl Fn(Transition) + Send + Sync + 'static,
) -> (SupervisorHandle, Arc<Mutex<Vec<Transition>>>) {
    tokio::time::pause();
    let changes = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&changes);
    let on_transition = TransitionHook::new(move |Change { transition, .. }| {
        seen.lock().unwrap().push(transition);
        and_then(transition);
    });
    (SupervisorHandle::start(SupervisorSettings { on_transition, ..settings(1, 1, 10.0) }), changes)
}

#[actix_rt::test]
async fn a_panic_that_closes_the_breaker_is_a_transition_and_one_that_finds_it_closed_is_none() {
    let (supervisor, changes) = observed(|_| ());
    supervisor.panic_in_handler().await.unwrap_err();
    assert_eq!(*changes.lock().unwrap(), [], "it was closed");
    let opened = Transition::Opened { cause: Cause::Consecutive { failures: 1 }, recovery: Some(RECOVERY) };

    failed_call(&supervisor).await;
    supervisor.panic_in_handler().await.unwrap_err();
    assert_eq!(*changes.lock().unwrap(), [opened, Transition::Closed], "it was open");

    failed_call(&supervisor).await;
    tokio::time::advance(RECOVERY).await;
    let _probe = supervisor.admit(&Circuit::CLIENT, lease()).await.unwrap();
    supervisor.panic_in_handler().await.unwrap_err();
    let half_open = [opened, Transition::HalfOpened, Transition::Closed];
    assert_eq!(changes.lock().unwrap()[2..], half_open, "it was half-open");
    let stats = supervisor.stats();
    assert_eq!((stats.opened, stats.half_opened, stats.closed), (2, 1, 2));
}

#[actix_rt::test]
async fn a_hook_that_panics_costs_no_answer_and_no_state() {
    let (supervisor, changes) = observed(|_| panic!("thrown by a hook"));
    failed_call(&supervisor).await;
    assert_eq!((supervisor.state(), supervisor.stats().restarts), (BreakerState::Open, 0));
    supervisor.panic_in_handler().await.unwrap_err();
    supervisor.admit(&Circuit::CLIENT, lease()).await.expect("the breaker was built anew, closed");
    supervisor.force_open().await.expect("the actor has been restarted");
    assert_eq!(changes.lock().unwrap().len(), 3);
}

#[actix_rt::test]
async fn after_a_restart_only_later_calls_add_to_the_retry_budget() {
    let supervisor = start(10_000, 1, 10.0);
    for _ in 0..3_000 {
        supervisor.count_call();
    }
    supervisor.panic_in_handler().await.unwrap_err();
    assert_eq!(failing_calls(&supervisor, 300).await, 70, "20 % of 300 calls, and one second's worth");
}

#[actix_rt::test]
async fn a_panic_in_a_handler_costs_its_own_caller_the_answer_and_no_other() {
    let supervisor = opened(1).await;
    tokio::time::advance(RECOVERY).await;
    // The questions are in the mailbox before the actor runs for the first time, the panic is among them.
    let ask = || join_all((0..50).map(|_| supervisor.admit(&Circuit::CLIENT, lease())));
    let (before, panicked, after) = join3(ask(), supervisor.panic_in_handler(), ask()).await;
    assert_eq!(panicked, Err(ActorError::Failed("supervisor")));
    assert_eq!(before.iter().filter(|answer| answer.is_ok()).count(), 1, "one probe is admitted");
    assert!(after.iter().all(Result::is_ok), "the breaker was built anew, closed");
    assert_eq!((supervisor.stats().restarts, supervisor.state()), (1, BreakerState::Closed));
}

#[actix_rt::test]
async fn after_a_panic_the_breaker_is_closed_whatever_it_was() {
    let supervisor = start(1, 1, 10.0);
    for restarts in 1..=3 {
        match restarts {
            1 => failed_call(&supervisor).await,
            2 => supervisor.force_open().await.unwrap(),
            _ => {}
        }
        supervisor.panic_in_handler().await.unwrap_err();
        assert_eq!(
            (supervisor.state(), supervisor.fail_fast(&Circuit::CLIENT)),
            (BreakerState::Closed, Ok(()))
        );
        assert!(
            supervisor.admit(&Circuit::CLIENT, lease()).now_or_never().is_some(),
            "the new state is published"
        );
        assert_eq!(supervisor.stats().restarts, restarts);
    }
    failed_call(&supervisor).await;
    assert_eq!(supervisor.state(), BreakerState::Open);
}

#[actix_rt::test]
async fn a_result_from_before_a_panic_changes_nothing_after_it() {
    let supervisor = start(2, 1, 10.0);
    let early = [
        supervisor.admit(&Circuit::CLIENT, lease()).await.unwrap(),
        supervisor.admit(&Circuit::CLIENT, lease()).await.unwrap(),
    ];
    supervisor.panic_in_handler().await.unwrap_err();
    for permit in early {
        fail(&supervisor, permit, 1, 1).await;
    }
    assert_eq!(supervisor.state(), BreakerState::Closed, "two failures would have opened it");
    failed_call(&supervisor).await;
    let after = supervisor.admit(&Circuit::CLIENT, lease()).await.unwrap();
    fail(&supervisor, after, 1, 1).await;
    assert_eq!(supervisor.state(), BreakerState::Open, "failures of the new state count");
}

/// A probe of the state before a panic ends like this while a probe of the state after it is out.
async fn a_late_probe(outcome: Outcome) {
    let supervisor = opened(1).await;
    tokio::time::advance(RECOVERY).await;
    let early = supervisor.admit(&Circuit::CLIENT, lease()).await.unwrap();
    supervisor.panic_in_handler().await.unwrap_err();
    failed_call(&supervisor).await;
    tokio::time::advance(RECOVERY).await;
    // It is the first probe of the new state, as the early one was of the old.
    let probe = supervisor.admit(&Circuit::CLIENT, lease()).await.unwrap();
    match outcome {
        Outcome::Success => supervisor.succeeded(early).await,
        Outcome::Failure => drop(fail(&supervisor, early, 1, 1).await),
        Outcome::Abandoned => drop(early),
    }
    let refused = supervisor.admit(&Circuit::CLIENT, lease()).await.unwrap_err();
    assert!(matches!(refused, Rejection::Refused(_)), "{refused:?}");
    assert_eq!(supervisor.state(), BreakerState::HalfOpen);
    supervisor.succeeded(probe).await;
    assert_eq!(supervisor.state(), BreakerState::Closed);
}

#[actix_rt::test]
async fn a_probe_from_before_a_panic_that_succeeds_does_not_close_the_breaker_after_it() {
    a_late_probe(Outcome::Success).await;
}

#[actix_rt::test]
async fn a_probe_from_before_a_panic_that_fails_does_not_open_the_breaker_after_it() {
    a_late_probe(Outcome::Failure).await;
}

#[actix_rt::test]
async fn a_probe_from_before_a_panic_that_is_dropped_frees_no_place_after_it() {
    a_late_probe(Outcome::Abandoned).await;
}

#[actix_rt::test]
async fn a_permit_from_before_a_panic_is_exchanged_for_one_of_the_new_state() {
    let supervisor = start(1, 1, 10.0);
    let permit = supervisor.admit(&Circuit::CLIENT, lease()).await.unwrap();
    supervisor.panic_in_handler().await.unwrap_err();
    let permit = supervisor.renew(permit, lease()).await.unwrap();
    fail(&supervisor, permit, 1, 1).await;
    assert_eq!(supervisor.state(), BreakerState::Open, "its failure counts");
}
