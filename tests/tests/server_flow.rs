//! The complete flow that a user of the server goes through, step by step, on one server.

use std::time::Duration;

use workspace_tests::{TestServer, answer, within};

#[tokio::test]
async fn the_complete_flow_holds_from_healthy_to_failure_precedence() {
    let server = TestServer::start().await;

    // 1. Healthy.
    let health = answer(server.get("/health")).await;
    assert_eq!((health.status, health.body["status"].as_str()), (200, Some("ok")));

    // 2. and 3. Three failures are armed, and three requests fail.
    assert_eq!(answer(server.post("/fail/count/3")).await.status, 200);
    for _ in 0..3 {
        assert_eq!(answer(server.get("/msg")).await.status, 500);
    }

    // 4. Recovery.
    answer(server.get("/msg")).await.message_id();

    // 5. Idempotency.
    let first = answer(server.get_keyed("/msg", "test-123")).await;
    let repeat = answer(server.get_keyed("/msg", "test-123")).await;
    assert_eq!(first.message_id(), repeat.message_id());

    // 6. A failure comes before a cached answer, and leaves it.
    assert_eq!(answer(server.post("/fail/count/1")).await.status, 200);
    assert_eq!(answer(server.get_keyed("/msg", "test-123")).await.status, 500);
    let after = answer(server.get_keyed("/msg", "test-123")).await;
    assert_eq!(after.message_id(), first.message_id());
    assert!(after.is_replayed());
}

#[tokio::test]
async fn a_client_that_retries_gets_through_an_outage_with_one_message() {
    let server = TestServer::start().await;
    answer(server.post("/fail/duration/1")).await;
    let retried = async {
        loop {
            let attempt = answer(server.get_keyed("/msg?delay=10", "order-42")).await;
            if attempt.status == 200 {
                return attempt;
            }
            assert_eq!(attempt.status, 500);
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let success = within("the outage's end", retried).await;
    assert!(!success.is_replayed());
    assert_eq!(answer(server.get_keyed("/msg", "order-42")).await.message_id(), success.message_id());
}
