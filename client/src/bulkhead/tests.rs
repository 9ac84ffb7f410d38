//! The bulkhead with a fixed number of slots.

use std::{cell::RefCell, rc::Rc};

use super::*;

fn one_slot(acquisition_timeout: Duration) -> Bulkhead {
    Bulkhead::new(&BulkheadConfig { max_concurrency: 1, acquisition_timeout, ..BulkheadConfig::default() })
}

#[tokio::test(start_paused = true)]
async fn callers_are_served_in_the_order_of_their_arrival() {
    let bulkhead = Rc::new(one_slot(Duration::from_secs(30)));
    let order = Rc::new(RefCell::new(Vec::new()));
    let first = bulkhead.acquire(|| ()).await.unwrap();
    let tasks = tokio::task::LocalSet::new();
    for n in 0..10 {
        let (bulkhead, order) = (Rc::clone(&bulkhead), Rc::clone(&order));
        tasks.spawn_local(async move {
            let _slot = bulkhead.acquire(|| ()).await.unwrap();
            order.borrow_mut().push(n);
            tokio::task::yield_now().await;
        });
    }
    tasks.run_until(tokio::task::yield_now()).await;
    drop(first);
    tasks.await;
    assert_eq!(*order.borrow(), (0..10).collect::<Vec<_>>());
    assert_eq!(bulkhead.available(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_wait_ends_after_the_acquisition_timeout_and_leaves_no_trace() {
    let bulkhead = one_slot(Duration::from_secs(30));
    let slot = bulkhead.acquire(|| ()).await.unwrap();
    let start = tokio::time::Instant::now();
    assert_eq!(bulkhead.acquire(|| ()).await.unwrap_err(), Full);
    assert_eq!(start.elapsed(), Duration::from_secs(30));
    drop(slot);
    assert_eq!(bulkhead.acquire(|| ()).await.unwrap().came, Came::AtOnce);
}

#[tokio::test(start_paused = true)]
async fn with_an_acquisition_timeout_of_zero_a_call_does_not_wait() {
    let bulkhead = one_slot(Duration::ZERO);
    let _slot = bulkhead.acquire(|| ()).await.unwrap();
    let start = tokio::time::Instant::now();
    assert_eq!(bulkhead.acquire(|| ()).await.unwrap_err(), Full);
    assert_eq!(start.elapsed(), Duration::ZERO);
}
