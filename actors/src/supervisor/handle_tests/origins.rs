//! Breakers of origins: each on its own, the longest unused forgotten.

use std::{collections::HashMap, num::NonZeroUsize, sync::Mutex};

use super::*;
use crate::supervisor::{
    Change,
    breaker::{Cause, Transition},
};

/// The changes that the hook was called with.
type Changes = Arc<Mutex<Vec<(Option<String>, Transition)>>>;

/// A supervisor whose breakers open after `threshold` failed calls, for at most `most` origins.
fn start_for_origins(threshold: u32, most: usize) -> (SupervisorHandle, Changes) {
    let changes = Changes::default();
    let seen = Arc::clone(&changes);
    let on_transition = TransitionHook::new(move |Change { origin, transition }| {
        seen.lock().unwrap().push((origin.map(str::to_owned), transition));
    });
    let scope = Scope::Origin { most: NonZeroUsize::new(most).unwrap() };
    let settings = SupervisorSettings { scope, on_transition, ..settings(threshold, 1, 10.0) };
    (SupervisorHandle::start(settings), changes)
}

async fn call(supervisor: &SupervisorHandle, origin: &str, outcome: Outcome) -> Result<(), Rejection> {
    let circuit = supervisor.circuit(|| origin);
    let permit = supervisor.admit(&circuit, lease()).await?;
    match outcome {
        Outcome::Success => supervisor.succeeded(permit).await,
        _ => drop(fail(supervisor, permit, 1, 1).await),
    }
    Ok(())
}

#[actix_rt::test]
async fn where_all_calls_share_a_breaker_no_origin_is_asked_for() {
    let supervisor = start(1, 1, 10.0);
    let circuit = supervisor.circuit(|| -> &str { panic!("the origin does not matter") });
    assert_eq!(circuit.origin(), None);
    failed_call(&supervisor).await;
    let state = supervisor.state_of(|| -> &str { panic!("the origin does not matter") });
    assert_eq!((state, supervisor.state()), (BreakerState::Open, BreakerState::Open));
}

#[actix_rt::test]
async fn an_origin_that_fails_refuses_no_call_to_another_one() {
    tokio::time::pause();
    let (supervisor, changes) = start_for_origins(2, 10);
    for _ in 0..2 {
        call(&supervisor, "dead", Outcome::Failure).await.unwrap();
        call(&supervisor, "live", Outcome::Success).await.unwrap();
    }
    let (dead, live) = (supervisor.circuit(|| "dead"), supervisor.circuit(|| "live"));
    let refusal = Refusal { retry_after: Some(RECOVERY) };
    assert_eq!(supervisor.fail_fast(&dead), Err(refusal));
    assert_eq!((supervisor.fail_fast(&live), dead.origin()), (Ok(()), Some("dead")));
    let permit = supervisor.admit(&live, lease()).now_or_never().expect("no message is sent").unwrap();
    supervisor.succeeded(permit).now_or_never().expect("no message is sent");
    let states = ["dead", "live", "never called"].map(|origin| supervisor.state_of(|| origin));
    assert_eq!(states, [BreakerState::Open, BreakerState::Closed, BreakerState::Closed]);
    assert_eq!(supervisor.state(), BreakerState::Open, "the worst of all");
    let opened = Transition::Opened { cause: Cause::Consecutive { failures: 2 }, recovery: Some(RECOVERY) };
    assert_eq!(*changes.lock().unwrap(), [(Some("dead".to_owned()), opened)]);

    tokio::time::advance(RECOVERY).await;
    assert_eq!(supervisor.state(), BreakerState::HalfOpen);
    let probe = supervisor.admit(&dead, lease()).await.unwrap();
    assert!(probe.is_probe() && supervisor.admit(&dead, lease()).await.is_err());
    supervisor.succeeded(probe).await;
    assert_eq!(supervisor.state(), BreakerState::Closed);
}

#[actix_rt::test]
async fn the_longest_unused_origin_is_forgotten_and_begins_closed() {
    tokio::time::pause();
    let (supervisor, changes) = start_for_origins(1, 2);
    call(&supervisor, "a", Outcome::Failure).await.unwrap();
    call(&supervisor, "b", Outcome::Failure).await.unwrap();
    // A refused call is a use too; a question for the state is not.
    assert!(call(&supervisor, "a", Outcome::Failure).await.is_err());
    assert_eq!(supervisor.state_of(|| "b"), BreakerState::Open);
    call(&supervisor, "c", Outcome::Success).await.unwrap();
    let states = ["a", "b", "c"].map(|origin| supervisor.state_of(|| origin));
    assert_eq!(states, [BreakerState::Open, BreakerState::Closed, BreakerState::Closed]);
    call(&supervisor, "b", Outcome::Failure).await.unwrap();
    let closed = changes.lock().unwrap().iter().filter(|(_, change)| *change == Transition::Closed).count();
    assert_eq!((closed, supervisor.stats().closed), (2, 2), "both that were forgotten were open");
}

#[actix_rt::test]
async fn a_call_of_a_forgotten_breaker_ends_and_counts_for_no_breaker() {
    tokio::time::pause();
    let (supervisor, _) = start_for_origins(1, 1);
    let early = supervisor.circuit(|| "a");
    let [first, second, third] = [(); 3].map(|()| supervisor.admit(&early, lease()));
    let (first, second, third) = (first.await.unwrap(), second.await.unwrap(), third.await.unwrap());
    fail(&supervisor, first, 1, 1).await;
    assert_eq!(supervisor.state(), BreakerState::Open);

    // The same origin again, but another breaker.
    supervisor.circuit(|| "b");
    call(&supervisor, "a", Outcome::Success).await.unwrap();
    assert_eq!(supervisor.hedge(&second).await, Err(NoHedge::BreakerChanged));
    supervisor.succeeded(second).await;
    let (decision, permit) = fail(&supervisor, third, 1, 2).await;
    assert!(matches!(decision, Decision::Retry { .. }));
    let permit = supervisor.renew(permit, lease()).await.expect("its breaker refuses nothing any more");
    fail(&supervisor, permit, 2, 2).await;
    assert_eq!(supervisor.state(), BreakerState::Closed);
    supervisor.admit(&early, lease()).await.expect("its breaker refuses nothing any more");
    call(&supervisor, "a", Outcome::Failure).await.unwrap();
    assert_eq!(supervisor.state_of(|| "a"), BreakerState::Open, "the new breaker counts");
}

#[actix_rt::test]
async fn commands_concern_every_origin() {
    tokio::time::pause();
    let (supervisor, _) = start_for_origins(1, 10);
    call(&supervisor, "dead", Outcome::Failure).await.unwrap();
    let live = supervisor.circuit(|| "live");
    let early = supervisor.admit(&live, lease()).await.unwrap();
    supervisor.force_open().await.unwrap();
    let new = supervisor.circuit(|| "new");
    for circuit in [&live, &new] {
        assert_eq!(supervisor.fail_fast(circuit), Err(Refusal { retry_after: None }));
        assert!(supervisor.admit(circuit, lease()).await.is_err());
    }
    assert_eq!(supervisor.state_of(|| "never called"), BreakerState::Open);
    assert_eq!(supervisor.hedge(&early).await, Err(NoHedge::BreakerChanged));
    let (decision, permit) = fail(&supervisor, early, 1, 3).await;
    assert_eq!(decision, Decision::GiveUp(GiveUp::CircuitOpen));
    assert!(supervisor.renew(permit, lease()).await.is_err());

    supervisor.force_closed().await.unwrap();
    for origin in ["dead", "live", "new"] {
        assert_eq!(supervisor.state_of(|| origin), BreakerState::Closed, "{origin}");
        call(&supervisor, origin, Outcome::Success).await.unwrap();
    }
    call(&supervisor, "dead", Outcome::Failure).await.unwrap();
    supervisor.reset().await.unwrap();
    assert_eq!(supervisor.state(), BreakerState::Closed);
}

#[actix_rt::test]
async fn a_panic_closes_the_breaker_of_every_origin_and_voids_what_was_issued() {
    tokio::time::pause();
    let (supervisor, changes) = start_for_origins(1, 10);
    let live = supervisor.circuit(|| "live");
    let early = supervisor.admit(&live, lease()).await.unwrap();
    call(&supervisor, "dead", Outcome::Failure).await.unwrap();
    supervisor.panic_in_handler().await.unwrap_err();
    call(&supervisor, "new", Outcome::Success).await.unwrap();
    assert_eq!(supervisor.state(), BreakerState::Closed);
    assert_eq!(changes.lock().unwrap()[1..], [(Some("dead".to_owned()), Transition::Closed)]);
    fail(&supervisor, early, 1, 1).await;
    assert_eq!(supervisor.state(), BreakerState::Closed, "it was issued before the panic");
    for origin in ["live", "new", "dead"] {
        call(&supervisor, origin, Outcome::Failure).await.unwrap();
        assert_eq!(supervisor.state_of(|| origin), BreakerState::Open, "{origin}");
    }
}

#[actix_rt::test]
async fn no_state_of_an_origin_after_a_panic_has_the_number_of_one_before_it() {
    tokio::time::pause();
    let (supervisor, _) = start_for_origins(1, 10);
    let circuit = supervisor.circuit(|| "a");
    call(&supervisor, "a", Outcome::Failure).await.unwrap();
    tokio::time::advance(RECOVERY).await;
    call(&supervisor, "a", Outcome::Success).await.unwrap();
    // Of the fourth state: closed, open, half-open, closed.
    let late = supervisor.admit(&circuit, lease()).await.unwrap();
    supervisor.panic_in_handler().await.unwrap_err();
    for state in 0..6 {
        let late = Permit::regular(circuit.clone(), late.ticket().generation);
        fail(&supervisor, late, 1, 1).await;
        assert_eq!(supervisor.state(), BreakerState::Closed, "after {state} changes");
        supervisor.force_closed().await.unwrap();
    }
}

/// Origins of which each counts its own failures, the last used one at the back.
struct Naive {
    threshold: u32,
    most: usize,
    used: Vec<usize>,
    failures: HashMap<usize, u32>,
}

impl Naive {
    /// Whether the call passes, in a history in which no time passes.
    fn call(&mut self, origin: usize, outcome: Outcome) -> bool {
        self.used.retain(|used| *used != origin);
        self.used.push(origin);
        if self.used.len() > self.most {
            self.failures.remove(&self.used.remove(0));
        }
        let failures = self.failures.entry(origin).or_default();
        if *failures >= self.threshold {
            return false;
        }
        *failures = if outcome == Outcome::Failure { *failures + 1 } else { 0 };
        true
    }
}

#[actix_rt::test]
async fn in_random_histories_each_origin_has_a_breaker_of_its_own() {
    tokio::time::pause();
    let mut rng = fastrand::Rng::with_seed(crate::seed::seed());
    let (mut refused, mut forgotten) = (0, 0);
    for _ in 0..200 {
        let (threshold, most) = (rng.u32(1..4), rng.usize(1..6));
        let (supervisor, _) = start_for_origins(threshold, most);
        let mut naive = Naive { threshold, most, used: Vec::new(), failures: HashMap::new() };
        for _ in 0..100 {
            let origin = rng.usize(..7);
            let outcome = if rng.bool() { Outcome::Success } else { Outcome::Failure };
            let passed = call(&supervisor, &origin.to_string(), outcome).await.is_ok();
            assert_eq!(passed, naive.call(origin, outcome), "{origin}");
            refused += u32::from(!passed);
            for origin in 0..7 {
                let open = supervisor.state_of(|| origin.to_string()) == BreakerState::Open;
                assert_eq!(open, naive.failures.get(&origin).is_some_and(|n| *n >= threshold), "{origin}");
            }
        }
        forgotten += supervisor.stats().closed;
    }
    assert!(refused > 1_000 && forgotten > 1_000, "{refused} {forgotten}");
}
