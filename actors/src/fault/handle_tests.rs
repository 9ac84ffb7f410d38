//! The handle and its actor: order, replacement, abandonment, failure.

use std::collections::BTreeMap;
use std::time::Duration;

use super::*;
use crate::fault::matcher::tests::Sent;
use crate::fault::{Action, Glob, Matcher, Per, Rule, Step, Then, Window};
use crate::lifecycle::Panic;

type Faults = FaultHandle<u32>;

fn started() -> Faults {
    let (handle, actor) = prepare(KeyBudget::new(1_000_000), "faults");
    actor.start();
    handle
}

fn script(per: Per, steps: impl IntoIterator<Item = u32>) -> Rule<u32> {
    let steps = steps.into_iter().map(|fault| Step { delay: None, fault: Some(fault) }).collect();
    let action = Action::Script { per, steps, then: Then::Pass };
    Rule { name: None, matcher: Matcher::default(), action, window: None, times: None }
}

fn rules(rules: Vec<Rule<u32>>) -> Arc<Rules<u32>> {
    Arc::new(Rules { seed: 1, source: Box::default(), rules })
}

async fn next(faults: &Faults, request: &Sent) -> Option<u32> {
    faults.decide(request, 0).await.unwrap()?.fault().copied()
}

async fn matched(faults: &Faults) -> Vec<u64> {
    let report = faults.report().await.unwrap().unwrap();
    report.status.rules.iter().map(|rule| rule.matched).collect()
}

#[actix_rt::test]
async fn without_a_plan_or_a_match_no_message_is_sent() {
    let (faults, unstarted) = prepare::<u32>(KeyBudget::new(10), "faults");
    assert!(
        faults.decide(&Sent::default(), 0).await.unwrap().is_none(),
        "an actor that does not run cannot answer"
    );
    unstarted.start();
    let matcher = Matcher { path: Some(Glob::new("/other")), ..Matcher::default() };
    faults.replace(rules(vec![Rule { matcher, ..script(Per::Session, [1]) }])).await.unwrap();
    assert_eq!(next(&faults, &Sent { path: "/msg", ..Sent::default() }).await, None);
    assert_eq!(matched(&faults).await, [0]);
}

#[actix_rt::test]
async fn a_plan_that_is_put_again_begins_anew() {
    let (faults, request) = (started(), Sent::default());
    let plan = rules(vec![script(Per::Session, [1, 2])]);
    for _ in 0..2 {
        faults.replace(Arc::clone(&plan)).await.unwrap();
        assert_eq!(next(&faults, &request).await, Some(1));
    }
    assert_eq!(next(&faults, &request).await, Some(2));
    faults.clear().await.unwrap();
    assert_eq!(next(&faults, &request).await, None);
    assert!(faults.report().await.unwrap().is_none());
}

#[actix_rt::test]
async fn a_request_that_has_left_takes_no_step() {
    let (faults, request) = (started(), Sent::default());
    faults.replace(rules(vec![script(Per::Session, [1, 2])])).await.unwrap();
    let mut question = Box::pin(faults.decide(&request, 0));
    assert!(futures_poll(question.as_mut()).await.is_pending(), "the message is in the mailbox");
    drop(question);
    assert_eq!(next(&faults, &request).await, Some(1));
    assert_eq!(matched(&faults).await, [1]);
}

/// Polls once.
async fn futures_poll<F: Future>(mut future: std::pin::Pin<&mut F>) -> std::task::Poll<F::Output> {
    std::future::poll_fn(|context| std::task::Poll::Ready(future.as_mut().poll(context))).await
}

#[actix_rt::test]
async fn a_window_runs_by_the_clock_of_the_runtime() {
    tokio::time::pause();
    let (faults, request) = (started(), Sent::default());
    let window = Some(Window { after: Duration::from_secs(5), lasts: Some(Duration::from_secs(5)) });
    faults.replace(rules(vec![Rule { window, ..script(Per::Session, [1, 2]) }])).await.unwrap();
    assert_eq!(next(&faults, &request).await, None);
    tokio::time::advance(Duration::from_secs(5)).await;
    assert_eq!(next(&faults, &request).await, Some(1));
    tokio::time::advance(Duration::from_secs(5)).await;
    assert_eq!(next(&faults, &request).await, None);
}

#[actix_rt::test]
async fn what_hangs_learns_that_its_plan_has_ended() {
    let (faults, request) = (started(), Sent::default());
    let plan = rules(vec![script(Per::Session, [1, 2])]);
    faults.replace(Arc::clone(&plan)).await.unwrap();
    let hanging = faults.decide(&request, 0).await.unwrap().unwrap();
    let mut ended = Box::pin(hanging.plan_ended());
    assert!(futures_poll(ended.as_mut()).await.is_pending());
    faults.replace(plan).await.unwrap();
    ended.await;
    let hanging = faults.decide(&request, 0).await.unwrap().unwrap();
    faults.clear().await.unwrap();
    hanging.plan_ended().await;
}

#[actix_rt::test]
async fn a_panic_ends_the_plan_and_not_the_actor() {
    let (faults, request) = (started(), Sent::default());
    let plan = rules(vec![script(Per::Session, [1])]);
    faults.replace(Arc::clone(&plan)).await.unwrap();
    assert_eq!(faults.address().ask(Panic).await, Err(ActorError::Failed("fault")));
    assert_eq!(next(&faults, &request).await, None);
    faults.replace(plan).await.unwrap();
    assert_eq!(next(&faults, &request).await, Some(1));
}

#[actix_rt::test]
async fn every_step_is_given_out_once_across_threads() {
    let faults = started();
    faults.replace(rules(vec![script(Per::Key, 0..300), script(Per::Session, 0..300)])).await.unwrap();
    let threads: Vec<_> = (0..4)
        .map(|thread| {
            let faults = faults.clone();
            std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                let keyed =
                    Sent { key: Some(if thread % 2 == 0 { "even" } else { "odd" }), ..Sent::default() };
                runtime.block_on(async {
                    let mut got = Vec::new();
                    for _ in 0..200 {
                        let injection = faults.decide(&keyed, thread).await.unwrap().unwrap();
                        got.push((
                            thread % 2,
                            injection.decision.source.unwrap().rule,
                            *injection.fault().unwrap(),
                        ));
                    }
                    got
                })
            })
        })
        .collect();
    while !threads.iter().all(std::thread::JoinHandle::is_finished) {
        actix_rt::task::yield_now().await;
    }
    let mut times = BTreeMap::new();
    for got in threads.into_iter().flat_map(|thread| thread.join().unwrap()) {
        *times.entry(got).or_insert(0) += 1;
    }
    let once = |group, rule, steps: u32| (0..steps).all(|step| times.get(&(group, rule, step)) == Some(&1));
    assert!(once(0, 0, 300) && once(1, 0, 300), "each key had each of its steps once");
    let behind =
        (0..200).filter(|step| (0..2).map(|g| times.get(&(g, 1, *step)).unwrap_or(&0)).sum::<i32>() == 1);
    assert_eq!(behind.count(), 200, "what was left went through the second rule once");
    assert_eq!(matched(&faults).await, [800, 200]);
}
