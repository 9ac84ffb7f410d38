//! Random sequences of failures: the plan compared with a list of tickets, and the actor with callers that leave.
//!
//! A failing sequence is shrunk to its shortest form. `PROPTEST_CASES` sets how many are tried, `SEED` repeats a run.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on ends there")]

mod property;

use std::collections::HashMap;
use std::time::{Duration, Instant};

use futures::FutureExt;
use futures::future::LocalBoxFuture;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use resilience_actors::ActorError;
use resilience_actors::failure::{self, Decision, FailurePlan, InducedFailure, Reason};

/// What can happen to a plan. Times are in milliseconds.
#[derive(Debug, Clone)]
enum Event {
    FailNext(u32),
    FailFor(u64),
    Reset,
    Decide,
    GiveBack(Index),
    Pass(u64),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        (0..5u32).prop_map(Event::FailNext),
        prop_oneof![0..50u64, Just(u64::MAX)].prop_map(Event::FailFor),
        Just(Event::Reset),
        Just(Event::Decide),
        Just(Event::Decide),
        any::<Index>().prop_map(Event::GiveBack),
        (0..30u64).prop_map(Event::Pass),
    ]
}

/// The naive plan: a list of tickets, each with the number of the change that armed it, and a time.
#[derive(Default)]
struct Model {
    order: usize,
    pile: Vec<usize>,
    until: u64,
    now: u64,
}

impl Model {
    fn print(&mut self, tickets: u32) {
        self.order += 1;
        self.pile = vec![self.order; tickets as usize];
    }

    /// The ticket that was taken; `Some(None)` is a failure by duration, which needs no ticket.
    fn decide(&mut self) -> Option<Option<usize>> {
        self.pile.pop().map(Some).or_else(|| (self.until > self.now).then_some(None))
    }

    fn give_back(&mut self, ticket: Option<usize>) {
        self.pile.extend(ticket.filter(|order| *order == self.order));
    }
}

proptest! {
    #![proptest_config(property::config())]

    #[test]
    fn the_plan_behaves_like_a_list_of_tickets(sequence in vec(event(), 0..60)) {
        let start = Instant::now();
        let (mut plan, mut model) = (FailurePlan::default(), Model::default());
        let mut taken: Vec<(Reason, Option<usize>)> = Vec::new();
        for event in sequence {
            let now = start + Duration::from_millis(model.now);
            match event {
                Event::FailNext(count) => {
                    plan.fail_next(count);
                    model.print(count);
                }
                Event::FailFor(millis) => {
                    plan.fail_for(Duration::from_millis(millis), now);
                    model.until = model.now.saturating_add(millis);
                }
                Event::Reset => {
                    plan.reset();
                    model.print(0);
                    model.until = 0;
                }
                Event::Decide => {
                    let (reason, ticket) = (plan.decide(now), model.decide());
                    prop_assert_eq!(reason.is_some(), ticket.is_some());
                    if let Some((reason, ticket)) = reason.zip(ticket) {
                        prop_assert_eq!(matches!(reason, Reason::Count { .. }), ticket.is_some());
                        taken.push((reason, ticket));
                    }
                }
                Event::GiveBack(which) if !taken.is_empty() => {
                    let (reason, ticket) = taken.swap_remove(which.index(taken.len()));
                    plan.give_back(reason);
                    model.give_back(ticket);
                }
                Event::GiveBack(_) => {}
                Event::Pass(millis) => model.now += millis,
            }
            let now = start + Duration::from_millis(model.now);
            let status = plan.status(now);
            prop_assert_eq!(status.count as usize, model.pile.len());
            prop_assert_eq!(status.remaining.is_some(), model.until > model.now);
            prop_assert_eq!(status.failing(), !model.pile.is_empty() || model.until > model.now);
            if let Some(left) = status.remaining.filter(|_| model.until < u64::MAX) {
                prop_assert_eq!(left, Duration::from_millis(model.until - model.now));
            }
        }
    }
}

/// What callers of the actor do.
#[derive(Debug, Clone)]
enum Step {
    Arm(u32),
    Reset,
    /// A request asks; its message is sent, and has not been answered yet.
    Ask,
    /// The actor gets to run.
    Run,
    /// A request that asked takes its decision, if that has come.
    Take(Index),
    /// A client leaves while its request waits for the decision, which may be on its way.
    Leave(Index),
    /// The failure is answered.
    Spend(Index),
    /// The client leaves between the decision and the answer.
    Drop(Index),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        1 => (0..20u32).prop_map(Step::Arm),
        1 => Just(Step::Reset),
        6 => Just(Step::Ask),
        4 => Just(Step::Run),
        4 => any::<Index>().prop_map(Step::Take),
        3 => any::<Index>().prop_map(Step::Leave),
        3 => any::<Index>().prop_map(Step::Spend),
        2 => any::<Index>().prop_map(Step::Drop),
    ]
}

type Asked = LocalBoxFuture<'static, Result<Decision, ActorError>>;

async fn run_the_actor() {
    for _ in 0..3 {
        actix_rt::task::yield_now().await;
    }
}

/// Failures that were answered and those that are left are together those that the last change armed, whichever clients left.
async fn act(sequence: Vec<Step>) -> Result<(), TestCaseError> {
    let (handle, actor) = failure::prepare("test");
    actor.start();
    let mut asked: Vec<Asked> = Vec::new();
    let mut held: Vec<InducedFailure> = Vec::new();
    let mut answered: HashMap<u64, u32> = HashMap::new();
    // The plan is of generation 1 at the start, and of the next one after each change.
    let (mut generation, mut armed) = (1, 0);
    for step in sequence {
        match step {
            Step::Arm(count) => {
                handle.fail_next(count).await.expect("the actor runs");
                (generation, armed) = (generation + 1, count);
            }
            Step::Reset => {
                handle.reset().await.expect("the actor runs");
                (generation, armed) = (generation + 1, 0);
            }
            Step::Ask => {
                let handle = handle.clone();
                let mut decision = async move { handle.decide().await }.boxed_local();
                match futures::poll!(&mut decision).map(Result::unwrap) {
                    std::task::Poll::Pending => asked.push(decision),
                    std::task::Poll::Ready(Decision::Pass) => {}
                    std::task::Poll::Ready(Decision::Fail(_)) => panic!("the actor has not run yet"),
                }
            }
            Step::Run => run_the_actor().await,
            Step::Take(which) if !asked.is_empty() => {
                let place = which.index(asked.len());
                if let std::task::Poll::Ready(decision) = futures::poll!(&mut asked[place]) {
                    drop(asked.swap_remove(place));
                    if let Decision::Fail(failure) = decision.expect("true in this test") {
                        held.push(failure);
                    }
                }
            }
            Step::Leave(which) if !asked.is_empty() => drop(asked.swap_remove(which.index(asked.len()))),
            Step::Spend(which) if !held.is_empty() => {
                if let Reason::Count { generation, .. } = held.swap_remove(which.index(held.len())).spend() {
                    *answered.entry(generation).or_default() += 1;
                }
            }
            Step::Drop(which) if !held.is_empty() => drop(held.swap_remove(which.index(held.len()))),
            Step::Take(_) | Step::Leave(_) | Step::Spend(_) | Step::Drop(_) => {}
        }
    }
    drop((asked, held));
    run_the_actor().await;
    let left = handle.status().await.expect("true in this test").count;
    prop_assert_eq!(answered.get(&generation).copied().unwrap_or_default() + left, armed);
    Ok(())
}

proptest! {
    #![proptest_config(property::config())]

    #[test]
    fn failures_answered_and_failures_left_add_up_to_those_that_were_armed(sequence in vec(step(), 0..80)) {
        actix_rt::System::new().block_on(act(sequence))?;
    }
}
