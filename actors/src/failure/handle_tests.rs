//! The failure actor through its handle, under a paused clock where time matters.

use futures::future::join3;

use super::super::testing::fails;
use super::*;
use crate::lifecycle::Panic;
use tokio::time::{advance, pause};

fn started() -> FailureHandle {
    let (handle, actor) = prepare("test");
    actor.start();
    handle
}

#[actix_rt::test]
async fn a_duration_runs_out_by_the_runtimes_clock() {
    pause();
    let handle = started();
    handle.fail_for(Duration::from_secs(10)).await.unwrap();
    advance(Duration::from_secs(9)).await;
    assert!(fails(&handle).await);
    assert_eq!(handle.status().await.unwrap().remaining, Some(Duration::from_secs(1)));
    advance(Duration::from_secs(1)).await;
    assert!(!fails(&handle).await);
    assert!(!handle.status().await.unwrap().failing());
}

#[actix_rt::test]
async fn without_anything_armed_no_message_is_sent() {
    let (handle, unstarted) = prepare("test");
    assert!(!fails(&handle).await, "an actor that does not run yet could not have answered");
    unstarted.start();
}

#[actix_rt::test]
async fn a_dropped_failure_is_due_again() {
    let handle = started();
    handle.fail_next(1).await.unwrap();
    drop(handle.decide().await.unwrap());
    assert_eq!(handle.status().await.unwrap().count, 1);
    assert!(fails(&handle).await);
    assert!(!fails(&handle).await);
}

#[actix_rt::test]
async fn a_request_that_leaves_before_its_decision_takes_no_failure() {
    let handle = started();
    handle.fail_next(1).await.unwrap();
    let mut question = Box::pin(handle.decide());
    assert!(futures::poll!(question.as_mut()).is_pending(), "the message is in the mailbox");
    drop(question);
    assert_eq!(handle.status().await.unwrap().count, 1);
}

#[actix_rt::test]
async fn an_ended_actor_is_an_error_and_not_a_wait() {
    let (handle, unstarted) = prepare("test");
    drop(unstarted);
    assert_eq!(handle.reset().await, Err(ActorError::Ended("failure")));
    assert_eq!(handle.status().await.unwrap_err().to_string(), "the failure actor has ended");
}

#[actix_rt::test]
async fn counts_are_exact_across_threads() {
    let handle = started();
    handle.fail_next(500).await.unwrap();
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let handle = handle.clone();
            std::thread::spawn(move || {
                futures::executor::block_on(async {
                    let mut failed = 0;
                    for _ in 0..400 {
                        failed += usize::from(fails(&handle).await);
                    }
                    failed
                })
            })
        })
        .collect();
    while !threads.iter().all(std::thread::JoinHandle::is_finished) {
        actix_rt::task::yield_now().await;
    }
    let failed: usize = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
    assert_eq!(failed, 500);
}

async fn panic_in_handler(handle: &FailureHandle) {
    assert_eq!(handle.address().ask(Panic).await, Err(ActorError::Failed("failure")));
}

#[actix_rt::test]
async fn a_panic_in_a_handler_disarms_everything_and_the_actor_goes_on() {
    let handle = started();
    handle.fail_next(5).await.unwrap();
    handle.fail_for(Duration::from_secs(60)).await.unwrap();
    panic_in_handler(&handle).await;
    assert!(!handle.armed.load(Ordering::Acquire), "what is published is what the new state says");
    assert_eq!(handle.status().await.unwrap(), FailureStatus { count: 0, remaining: None });
    handle.fail_next(1).await.unwrap();
    assert!(fails(&handle).await);
    assert!(!fails(&handle).await);
    assert_eq!(handle.restarts(), 1);
}

#[actix_rt::test]
async fn messages_behind_the_one_that_panics_are_handled() {
    let handle = started();
    handle.fail_next(5).await.unwrap();
    let (panicked, decision, armed) =
        join3(handle.address().ask(Panic), handle.decide(), handle.fail_next(2)).await;
    assert_eq!(panicked, Err(ActorError::Failed("failure")));
    assert!(matches!(decision, Ok(Decision::Pass)), "{decision:?}");
    armed.unwrap();
    assert_eq!(handle.status().await.unwrap().count, 2);
}

#[actix_rt::test]
async fn a_failure_from_before_a_panic_is_not_given_back_to_the_plan_after_it() {
    let handle = started();
    handle.fail_next(3).await.unwrap();
    let before = handle.decide().await.unwrap();
    panic_in_handler(&handle).await;
    // The same number of changes as before the panic, so that only a numbering that goes on tells the plans apart.
    handle.fail_next(3).await.unwrap();
    drop(before);
    assert_eq!(handle.status().await.unwrap().count, 3);
}
