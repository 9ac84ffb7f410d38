//! An execution that has begun under a key is finished even if its client leaves. One that fails is handed over to
//! the first of the requests that wait for the same key, and none of them hangs.

use std::collections::HashSet;
use std::time::Duration;

use futures::future::join_all;
use workspace_tests::logs::LogLine;
use workspace_tests::{Answer, Program, RawConnection, TestServer, answer, within};

/// How a client leaves.
#[derive(Clone, Copy, Debug)]
enum Exit {
    Reset,
    Closed,
}

const EXITS: [Exit; 2] = [Exit::Reset, Exit::Closed];

impl Exit {
    fn apply(self, connection: RawConnection) {
        match self {
            Exit::Reset => connection.abort(),
            Exit::Closed => connection.close(),
        }
    }
}

/// A server that logs everything, and on which no request times out within a test.
fn patient() -> Program {
    TestServer::verbose().flag("--workers", 2).flag("--request-timeout", 300)
}

/// Begins an execution under `key` that takes `delay` milliseconds, and returns once it waits for its delay.
async fn begin(server: &TestServer, key: &str, delay: u32) -> RawConnection {
    let mut connection = server.connect().await;
    connection.request("GET", &format!("/msg?delay={delay}"), &format!("X-Request-ID: {key}\r\n")).await;
    server.delayed(key).await;
    connection
}

/// Returns once the server has seen that the client of the request with `key` has left.
async fn seen_leaving(server: &TestServer, key: &str) {
    let left = |line: &LogLine| line.says("aborted by the client") && line.mentions(key);
    server.wait_for_log(&format!("the client of {key} has left"), left).await;
}

async fn keyed(server: &TestServer, key: &str) -> Answer {
    answer(server.get_keyed("/msg", key)).await
}

#[tokio::test]
async fn a_client_that_leaves_and_comes_back_with_its_key_gets_the_answer_made_meanwhile() {
    let server = patient().start().await;
    for exit in EXITS {
        let key = format!("{exit:?}");
        exit.apply(begin(&server, &key, 700).await);
        seen_leaving(&server, &key).await;
        let stored = |line: &LogLine| line.says("cache store") && line.mentions(&key);
        let store = server.wait_for_log("the store", stored).await;
        assert_eq!(store.event["correlation_id"], server.correlation_id_of(&key).await);
        let again = keyed(&server, &key).await;
        again.message_id();
        assert!(again.is_replayed(), "{exit:?}: it was made while no request waited");
    }
}

#[tokio::test]
async fn followers_get_the_answer_of_a_leader_whose_client_has_left() {
    let server = patient().start().await;
    for exit in EXITS {
        let key = format!("{exit:?}");
        let leader = begin(&server, &key, 1500).await;
        // A follower whose own execution would take longer than the test.
        let follow = || answer(server.get_keyed("/msg?delay=30000", &key));
        let leave = async {
            exit.apply(leader);
            seen_leaving(&server, &key).await;
            follow().await
        };
        let (early, late) = futures::join!(join_all((0..10).map(|_| follow())), leave);
        let answers: Vec<_> = early.into_iter().chain([late]).collect();
        assert_eq!(answers.iter().map(Answer::message_id).collect::<HashSet<_>>().len(), 1, "{exit:?}");
        assert!(answers.iter().all(Answer::is_replayed), "{exit:?}: none of them executed");
    }
}

#[tokio::test]
async fn a_client_whose_timeout_is_shorter_than_the_delay_succeeds_by_retrying_with_its_key() {
    let server = patient().start().await;
    let impatient = async {
        loop {
            let attempt = tokio::time::timeout(
                Duration::from_millis(200),
                answer(server.get_keyed("/msg?delay=1000", "k")),
            );
            if let Ok(answer) = attempt.await {
                return answer;
            }
        }
    };
    let success = within("a success", impatient).await;
    success.message_id();
    assert!(success.is_replayed());
}

#[tokio::test]
async fn an_execution_whose_client_has_left_keeps_its_slot_until_it_ends() {
    let server = patient().flag("--max-concurrency", 1).start().await;
    for exit in EXITS {
        let (first, second) = (format!("first-{exit:?}"), format!("second-{exit:?}"));
        exit.apply(begin(&server, &first, 1000).await);
        seen_leaving(&server, &first).await;
        let mut waiting = server.connect().await;
        waiting.request("GET", "/msg", &format!("X-Request-ID: {second}\r\n")).await;
        server.queued(&second).await;
        assert_eq!(waiting.response().await.status, 200);
        // The answer may come before its log lines.
        server
            .wait_for_log("the second miss", |line| line.says("cache miss") && line.mentions(&second))
            .await;
        let lines = server.logs();
        let position = |what: &str, key: &str| {
            lines.iter().position(|line| line.says(what) && line.mentions(key)).expect("it is logged")
        };
        assert!(position("cache store", &first) < position("cache miss", &second), "{exit:?}");
    }
}

#[tokio::test]
async fn an_execution_whose_client_has_left_ends_at_its_request_timeout_and_gives_its_slot_back() {
    let server =
        TestServer::verbose().flag("--request-timeout", 1).flag("--max-concurrency", 1).start().await;
    Exit::Reset.apply(begin(&server, "k", 30000).await);
    seen_leaving(&server, "k").await;
    // Both the slot and the key come free: a request that waits for both is answered, or times out before.
    let fresh = async {
        loop {
            let again = keyed(&server, "k").await;
            if again.status == 200 {
                return again;
            }
            assert_eq!(again.status, 408);
        }
    };
    let fresh = within("a fresh answer", fresh).await;
    assert!(!fresh.is_replayed());
}

#[tokio::test]
async fn a_request_without_a_key_is_dropped_with_its_client() {
    let server = patient().flag("--max-concurrency", 1).start().await;
    for exit in EXITS {
        let query = format!("delay=30000&exit={exit:?}");
        let mut leaving = server.connect().await;
        leaving.request("GET", &format!("/msg?{query}"), "").await;
        server.delayed(&query).await;
        exit.apply(leaving);
        // It gets the slot before the delay is over.
        answer(server.get("/msg")).await.message_id();
    }
}

#[tokio::test]
async fn an_execution_whose_client_has_left_does_not_hold_up_a_stop() {
    let mut server = patient().flag("--shutdown-timeout", 300).start().await;
    Exit::Closed.apply(begin(&server, "k", 30000).await);
    seen_leaving(&server, "k").await;
    server.terminate();
    assert_eq!(server.wait_exit().await.code, Some(0));
}

#[tokio::test]
async fn a_stop_waits_for_the_followers_of_an_execution_whose_client_has_left() {
    // On one worker and on several: the execution, its followers and the cache may live on different threads.
    for workers in [1, 4] {
        let mut server =
            TestServer::verbose().flag("--workers", workers).flag("--shutdown-timeout", 300).start().await;
        let leader = begin(&server, "k", 1500).await;
        let mut followers = Vec::new();
        for n in 0..4 {
            let mut follower = server.connect().await;
            follower.request("GET", &format!("/msg?follower={n}"), "X-Request-ID: k\r\n").await;
            server.received(&format!("follower={n}")).await;
            followers.push(follower);
        }
        leader.abort();
        server.terminate();
        let answers = join_all(followers.iter_mut().map(RawConnection::response)).await;
        for answer in &answers {
            assert_eq!((answer.status, answer.json()), (200, answers[0].json()), "{workers} workers");
        }
        assert_eq!(server.wait_exit().await.code, Some(0));
    }
}

#[tokio::test]
async fn after_the_first_has_timed_out_another_takes_over() {
    let server = TestServer::builder().flag("--request-timeout", 1).flag("--workers", 2).start().await;
    let leader = answer(server.get_keyed("/msg?delay=30000", "k"));
    let followers = (1..=15_u64).map(|n| {
        let server = &server;
        async move {
            tokio::time::sleep(Duration::from_millis(100 * n)).await;
            answer(server.get_keyed("/msg", "k")).await
        }
    });
    let (leader, followers) = futures::join!(leader, join_all(followers));
    assert_eq!(leader.status, 408);
    // One that arrived while the leader executed waits no longer than its own timeout.
    assert!(followers.iter().all(|answer| [200, 408].contains(&answer.status)), "{followers:#?}");
    let successes: Vec<_> = followers.iter().filter(|answer| answer.status == 200).collect();
    assert!(!successes.is_empty());
    assert_eq!(successes.iter().map(|answer| answer.message_id()).collect::<HashSet<_>>().len(), 1);
    assert_eq!(successes.iter().filter(|answer| !answer.is_replayed()).count(), 1);
}

#[tokio::test]
async fn a_follower_that_times_out_leaves_the_first_alone() {
    let server = TestServer::verbose().flag("--request-timeout", 2).start().await;
    let leader = begin(&server, "k", 30000).await;
    // The follower's timeout begins later than the leader's: both end in a 408, and a third is fresh.
    let follower = answer(server.get_keyed("/msg?delay=30000", "k")).await;
    assert_eq!(follower.status, 408);
    drop(leader);
    let fresh = answer(server.get_keyed("/msg", "k")).await;
    assert!(!fresh.is_replayed());
    fresh.message_id();
}

#[tokio::test]
async fn a_follower_that_leaves_takes_nothing_from_the_others() {
    let server = TestServer::verbose().start().await;
    let leader = answer(server.get_keyed("/msg?delay=1500", "k"));
    let followers = async {
        server.received("k").await;
        let mut leaving = server.connect().await;
        leaving.request("GET", "/msg", "X-Request-ID: k\r\n").await;
        let staying = tokio::spawn(answer(server.get_keyed("/msg", "k")));
        leaving.abort();
        staying.await.expect("an answer")
    };
    let (leader, follower) = futures::join!(leader, followers);
    assert_eq!(leader.message_id(), follower.message_id());
    assert!(follower.is_replayed());
}
