//! The events that observers see.

use super::*;
use crate::observe::{AttemptEnding, FailedAttempt};

#[actix_rt::test]
async fn an_observer_sees_what_happens_to_a_call_in_order() {
    tokio::time::pause();
    let bench = Bench::steps(|c| c.bulkhead.max_concurrency = 7, &[Step::Answer(503), Step::Answer(200)]);
    let reply = bench.get().await.unwrap();
    bench.state.close();
    let id = RequestId::parse(reply.request_id().as_bytes()).unwrap();
    let failed = FailedAttempt {
        number: 1,
        total: 3,
        error: ErrorKind::Connection(ConnectionError::ServiceUnavailable),
        status: Some(503),
    };
    let expected = [
        Event::RequestIdMade { id: &id },
        Event::SlotAcquired { id: &id, available: 6 },
        Event::AttemptBegun { id: &id, number: 1 },
        Event::AttemptEnded {
            id: &id,
            number: 1,
            ending: AttemptEnding::Failed { error: failed.error, status: Some(503) },
            duration: Duration::ZERO,
        },
        Event::RetryPlanned { id: &id, failed, wait: seconds(1) },
        Event::SlotAcquired { id: &id, available: 6 },
        Event::AttemptBegun { id: &id, number: 2 },
        Event::AttemptEnded {
            id: &id,
            number: 2,
            ending: AttemptEnding::Succeeded { status: 200 },
            duration: Duration::ZERO,
        },
        Event::ClientClosed,
    ];
    assert_eq!(*bench.heard.0.lock().unwrap(), expected.map(|event| format!("{event:?}")));
}

#[actix_rt::test]
async fn an_observer_sees_a_call_wait_for_a_slot() {
    tokio::time::pause();
    let bench = Bench::new(|c| c.bulkhead.max_concurrency = 1, |_| (seconds(1), Step::Answer(200)));
    let (first, second) = futures::join!(bench.get(), bench.call(Call::get("/").request_id("second")));
    assert_eq!((first.unwrap().status(), second.unwrap().status()), (200, 200));
    let id = RequestId::parse(b"second").unwrap();
    let awaited = format!("{:?}", Event::SlotAwaited { id: &id });
    assert_eq!(bench.heard.0.lock().unwrap().iter().filter(|event| **event == awaited).count(), 1);
}

/// The states that the breaker has entered so far, as the observer saw them.
fn assert_changes(bench: &Bench, states: &[BreakerState]) {
    let heard = bench.heard.0.lock().unwrap();
    let changes: Vec<_> = heard.iter().filter(|event| event.starts_with("BreakerChanged")).collect();
    let expected: Vec<_> =
        states.iter().map(|&state| format!("{:?}", Event::BreakerChanged { origin: None, state })).collect();
    assert_eq!(changes, expected.iter().collect::<Vec<_>>());
}

#[actix_rt::test]
async fn an_observer_sees_every_change_of_the_breaker() {
    tokio::time::pause();
    let bench = Bench::new(
        |c| {
            c.circuit_breaker.failure_threshold = 1;
            c.retry.max_attempts = 1;
        },
        |n| (Duration::ZERO, if n == 0 { NETWORK } else { Step::Answer(200) }),
    );
    bench.get().await.unwrap_err();
    tokio::time::advance(seconds(30)).await;
    bench.get().await.unwrap();
    assert_changes(&bench, &[BreakerState::Open, BreakerState::HalfOpen, BreakerState::Closed]);
}

#[actix_rt::test]
async fn an_observer_sees_that_a_panic_of_the_supervisor_closed_the_breaker() {
    tokio::time::pause();
    let bench = Bench::steps(|_| (), &[NETWORK]);
    bench.state.supervisor.force_open().await.unwrap();
    bench.state.supervisor.panic_in_handler().await.unwrap_err();
    assert_eq!(bench.state(), BreakerState::Closed);
    assert_changes(&bench, &[BreakerState::Open, BreakerState::Closed]);
}

#[actix_rt::test]
async fn an_observer_that_is_added_later_sees_what_happens_from_then_on_and_a_ninth_is_rejected() {
    tokio::time::pause();
    let bench = Bench::steps(|_| (), &[Step::Answer(200)]);
    bench.get().await.unwrap();
    let later = Arc::new(Heard::default());
    for _ in 1..8 {
        bench.state.observers.add(Arc::clone(&later) as Arc<dyn Observer>).unwrap();
    }
    let error = bench.state.observers.add(Arc::clone(&later) as Arc<dyn Observer>).unwrap_err();
    assert_eq!(error.field().unwrap().field(), "observers");
    bench.get().await.unwrap();
    let begun = |heard: &Heard| {
        heard.0.lock().unwrap().iter().filter(|event| event.starts_with("AttemptBegun")).count()
    };
    assert_eq!((begun(&bench.heard), begun(&later)), (2, 7));
}
