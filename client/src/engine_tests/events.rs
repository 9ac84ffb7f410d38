//! The events that listeners see.

use super::*;

#[actix_rt::test]
async fn a_listener_sees_what_happens_to_a_call_in_order() {
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
        Event::RetryPlanned { id: &id, failed, wait: seconds(1) },
        Event::SlotAcquired { id: &id, available: 6 },
        Event::ClientClosed,
    ];
    assert_eq!(*bench.heard.0.lock().unwrap(), expected.map(|event| format!("{event:?}")));
}

#[actix_rt::test]
async fn a_listener_sees_a_call_wait_for_a_slot() {
    tokio::time::pause();
    let bench = Bench::new(|c| c.bulkhead.max_concurrency = 1, |_| (seconds(1), Step::Answer(200)));
    let (first, second) = futures::join!(bench.get(), bench.call(Call::get("/").request_id("second")));
    assert_eq!((first.unwrap().status(), second.unwrap().status()), (200, 200));
    let id = RequestId::parse(b"second").unwrap();
    let awaited = format!("{:?}", Event::SlotAwaited { id: &id });
    assert_eq!(bench.heard.0.lock().unwrap().iter().filter(|event| **event == awaited).count(), 1);
}
