//! Failures happen exactly as configured: by count or by duration, and never one more or fewer.

use std::time::{Duration, Instant};

use futures::future::join_all;
use serde_json::{Value, json};
use workspace_tests::logs::LogLine;
use workspace_tests::{TestServer, answer, within};

/// Sends `total` requests over `connections` connections, as fast as each goes; the number of failures.
async fn count_failures(server: &TestServer, total: usize, connections: usize) -> usize {
    let one_connection = |n: usize| async move {
        let mut connection = server.connect().await;
        let mut failures = 0;
        for _ in 0..(total + n) / connections {
            let response = connection.get("/msg").await;
            match response.status {
                200 => {}
                500 => failures += 1,
                other => panic!("{other}: {response:?}"),
            }
        }
        failures
    };
    within("all requests", join_all((0..connections).map(one_connection))).await.into_iter().sum()
}

async fn failure_status(server: &TestServer) -> Value {
    answer(server.get("/fail/status")).await.body["failure_status"].clone()
}

async fn statuses<const N: usize>(server: &TestServer) -> [u16; N] {
    let mut statuses = [0; N];
    for status in &mut statuses {
        *status = answer(server.get("/msg")).await.status;
    }
    statuses
}

#[tokio::test]
async fn of_1500_requests_over_64_connections_exactly_200_fail() {
    let server = TestServer::builder().flag("--workers", 2).start().await;
    answer(server.post("/fail/count/200")).await;
    assert_eq!(count_failures(&server, 1500, 64).await, 200);
    assert_eq!(failure_status(&server).await["fail_requests_count"], 0);
}

#[tokio::test]
async fn any_count_is_exact_on_any_number_of_workers() {
    let server = TestServer::builder().flag("--workers", 4).start().await;
    for (count, total) in [(1, 300), (63, 640), (64, 640), (0, 200), (499, 640), (640, 640), (1000, 1100)] {
        answer(server.post(&format!("/fail/count/{count}"))).await;
        assert_eq!(count_failures(&server, total, 64).await, count, "of {total}");
    }
}

#[tokio::test]
async fn a_count_is_exact_when_requests_wait_for_slots() {
    let server = TestServer::builder().flag("--workers", 2).flag("--max-concurrency", 2).start().await;
    answer(server.post("/fail/count/100")).await;
    assert_eq!(count_failures(&server, 640, 64).await, 100);
}

#[tokio::test]
async fn a_count_set_while_requests_run_is_exact_from_then_on() {
    let server = TestServer::builder().flag("--workers", 2).start().await;
    for round in 1..20_usize {
        // These began before the count was set: their status says which of them failed.
        let earlier = count_failures(&server, 64, 16);
        let arm = answer(server.post(&format!("/fail/count/{round}")));
        let (earlier, _) = futures::join!(earlier, arm);
        let later = count_failures(&server, 64, 16).await;
        assert_eq!(earlier + later, round);
    }
}

#[tokio::test]
async fn the_first_request_after_the_answer_fails_on_every_worker() {
    let server = TestServer::builder().flag("--workers", 4).start().await;
    let connections = join_all((0..8).map(|_| server.connect())).await;
    for mut connection in connections {
        assert_eq!(connection.get("/msg").await.status, 200);
        answer(server.post("/fail/count/1")).await;
        assert_eq!(connection.get("/msg").await.status, 500);
        answer(server.post("/fail/duration/60")).await;
        assert_eq!(connection.get("/msg").await.status, 500);
        answer(server.post("/fail/reset")).await;
    }
}

#[tokio::test]
async fn a_new_count_replaces_the_old_one() {
    let server = TestServer::start().await;
    answer(server.post("/fail/count/9")).await;
    answer(server.post("/fail/count/2")).await;
    assert_eq!(statuses(&server).await, [500, 500, 200]);
    answer(server.post("/fail/count/5")).await;
    answer(server.post("/fail/count/0")).await;
    assert_eq!(statuses(&server).await, [200]);
}

#[tokio::test]
async fn the_status_counts_down_and_reading_it_costs_nothing() {
    let server = TestServer::start().await;
    answer(server.post("/fail/count/3")).await;
    for left in [3, 2, 1, 0] {
        for _ in 0..3 {
            let status = failure_status(&server).await;
            assert_eq!(
                (&status["fail_requests_count"], &status["currently_failing"]),
                (&json!(left), &json!(left > 0))
            );
        }
        assert_eq!(statuses(&server).await, [if left > 0 { 500 } else { 200 }]);
    }
}

#[tokio::test]
async fn only_messages_fail_and_only_they_are_counted() {
    let server = TestServer::start().await;
    answer(server.post("/fail/count/2")).await;
    answer(server.post("/fail/duration/60")).await;
    for path in ["/health", "/fail/status", "/openapi.json", "/nope"] {
        assert!(answer(server.get(path)).await.status < 500, "{path}");
    }
    assert_eq!(failure_status(&server).await["fail_requests_count"], 2);
}

#[tokio::test]
async fn a_duration_fails_everything_until_it_has_passed() {
    let server = TestServer::start().await;
    let armed = Instant::now();
    answer(server.post("/fail/duration/1")).await;
    let recovered = async {
        while answer(server.get("/msg")).await.status == 500 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    within("recovery", recovered).await;
    assert!(armed.elapsed() >= Duration::from_secs(1));
    let status = failure_status(&server).await;
    assert_eq!(status["currently_failing"], false);
    assert_eq!(status["duration_remaining_seconds"], 0.0);
    assert_eq!(statuses(&server).await, [200, 200]);
}

#[tokio::test]
async fn a_duration_of_zero_ends_the_duration() {
    let server = TestServer::start().await;
    answer(server.post("/fail/duration/60")).await;
    assert_eq!(statuses(&server).await, [500]);
    answer(server.post("/fail/duration/0")).await;
    assert_eq!(statuses(&server).await, [200]);
    assert_eq!(failure_status(&server).await["currently_failing"], false);
}

#[tokio::test]
async fn the_modes_are_independent_and_both_count_down_at_once() {
    let server = TestServer::start().await;
    answer(server.post("/fail/count/2")).await;
    answer(server.post("/fail/duration/3600")).await;
    assert_eq!(failure_status(&server).await["fail_requests_count"], 2);
    // A failure that the duration alone would cause uses up the count as well.
    assert_eq!(statuses(&server).await, [500, 500, 500]);
    assert_eq!(failure_status(&server).await["fail_requests_count"], 0);
    // Ending one mode leaves the other.
    answer(server.post("/fail/count/1")).await;
    answer(server.post("/fail/duration/0")).await;
    assert_eq!(statuses(&server).await, [500, 200]);
    answer(server.post("/fail/duration/3600")).await;
    answer(server.post("/fail/count/0")).await;
    assert_eq!(statuses(&server).await, [500]);
}

#[tokio::test]
async fn reset_ends_both_modes_at_once() {
    let server = TestServer::builder().flag("--workers", 2).start().await;
    answer(server.post("/fail/count/1000")).await;
    answer(server.post("/fail/duration/3600")).await;
    assert_eq!(count_failures(&server, 64, 64).await, 64);
    answer(server.post("/fail/reset")).await;
    assert_eq!(count_failures(&server, 64, 64).await, 0);
    // A second reset changes nothing.
    assert_eq!(answer(server.post("/fail/reset")).await.status, 200);
}

#[tokio::test]
async fn a_failure_does_not_wait_for_the_delay() {
    let server = TestServer::builder().flag("--request-timeout", 1).start().await;
    answer(server.post("/fail/count/1")).await;
    // Had it slept, the timeout would have come first.
    assert_eq!(answer(server.get("/msg?delay=30000")).await.status, 500);
}

#[tokio::test]
async fn whether_a_request_fails_is_decided_before_its_delay() {
    let server = TestServer::verbose().start().await;
    let slow = tokio::spawn(answer(server.get_keyed("/msg?delay=1500", "slow")));
    server.wait_for_log("a miss", |line| line.logger() == "server.cache" && line.mentions("slow")).await;
    answer(server.post("/fail/count/1")).await;
    slow.await.unwrap().message_id();
    assert_eq!(failure_status(&server).await["fail_requests_count"], 1);
}

#[tokio::test]
async fn what_is_left_of_a_failure_mode_is_logged_as_an_integer_or_as_seconds() {
    let server = TestServer::verbose().start().await;
    for (arm, reason) in [("/fail/count/1", "count"), ("/fail/duration/60", "duration")] {
        answer(server.post("/fail/reset")).await;
        answer(server.post(arm)).await;
        let id = answer(server.get("/msg")).await.correlation_id().to_string();
        let induced = |line: &LogLine| line.logger() == "server.failure" && line.mentions(&id);
        let event = server.wait_for_log(reason, induced).await.event;
        assert_eq!(event["reason"], reason);
        assert_eq!(
            (event["left"].is_u64(), event["left"].is_f64()),
            (reason == "count", reason != "count"),
            "{event}"
        );
    }
}
