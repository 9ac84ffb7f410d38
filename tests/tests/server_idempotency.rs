//! One key, one message: stored, replayed, evicted and expired as documented.

use std::time::{Duration, Instant};

use futures::future::join_all;
use serde_json::json;
use workspace_tests::logs::LogLine;
use workspace_tests::{Answer, TestServer, answer, within};

async fn keyed(server: &TestServer, key: &str) -> Answer {
    answer(server.get_keyed("/msg", key)).await
}

/// Asserts which of `keys` are replayed, asked in this order: asking for a key makes it the latest.
async fn assert_replayed(server: &TestServer, keys: &[(&str, bool)]) {
    for (key, replayed) in keys {
        assert_eq!(keyed(server, key).await.is_replayed(), *replayed, "{key} of {keys:?}");
    }
}

#[tokio::test]
async fn a_key_used_again_gets_the_same_message_marked_as_replayed() {
    let server = TestServer::builder().flag("--workers", 2).start().await;
    let first = keyed(&server, "order-1").await;
    assert!(!first.is_replayed());
    for _ in 0..5 {
        let again = keyed(&server, "order-1").await;
        assert_eq!(again.message_id(), first.message_id());
        assert!(again.is_replayed());
        assert_ne!(again.correlation_id(), first.correlation_id());
    }
    // On every worker.
    for mut connection in join_all((0..8).map(|_| server.connect())).await {
        connection.request("GET", "/msg", "X-Request-ID: order-1\r\n").await;
        assert_eq!(connection.response().await.json()["message_id"], first.body["message_id"]);
    }
}

#[tokio::test]
async fn keys_differ_by_every_character_and_by_case() {
    let server = TestServer::start().await;
    let long = "k".repeat(255);
    let nearly = "k".repeat(254);
    let mut ids = Vec::new();
    for key in ["a", "A", "a.", "%61", "\"a\"", &long, &nearly] {
        let message = keyed(&server, key).await;
        assert!(!message.is_replayed(), "{key}");
        ids.push(message.message_id());
    }
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 7);
}

#[tokio::test]
async fn without_a_key_nothing_is_kept() {
    let server = TestServer::start().await;
    let (first, second) = (answer(server.get("/msg")).await, answer(server.get("/msg")).await);
    assert_ne!(first.message_id(), second.message_id());
    assert!(!first.is_replayed() && !second.is_replayed());
}

#[tokio::test]
async fn a_replay_does_not_wait_for_the_delay() {
    let server = TestServer::builder().flag("--request-timeout", 1).start().await;
    let first = keyed(&server, "k").await;
    // Had it slept, the timeout would have come first.
    let replay = answer(server.get_keyed("/msg?delay=30000", "k")).await;
    assert_eq!(replay.message_id(), first.message_id());
}

#[tokio::test]
async fn an_induced_failure_hides_the_cached_answer_and_leaves_it() {
    let server = TestServer::start().await;
    let first = keyed(&server, "k").await;
    for arm in ["/fail/count/1", "/fail/duration/60"] {
        answer(server.post(arm)).await;
        let hidden = keyed(&server, "k").await;
        hidden.assert_is(500, &json!({ "detail": "Induced server failure" }));
        assert!(!hidden.is_replayed());
        answer(server.post("/fail/reset")).await;
        let again = keyed(&server, "k").await;
        assert_eq!(again.message_id(), first.message_id());
        assert!(again.is_replayed());
    }
}

#[tokio::test]
async fn a_failure_is_never_stored() {
    let server = TestServer::start().await;
    answer(server.post("/fail/count/2")).await;
    assert_eq!(keyed(&server, "k").await.status, 500);
    assert_eq!(keyed(&server, "k").await.status, 500);
    let success = keyed(&server, "k").await;
    success.message_id();
    assert!(!success.is_replayed());
}

#[tokio::test]
async fn a_timeout_is_never_stored() {
    let server = TestServer::builder().flag("--request-timeout", 1).start().await;
    assert_eq!(answer(server.get_keyed("/msg?delay=30000", "k")).await.status, 408);
    let success = keyed(&server, "k").await;
    success.message_id();
    assert!(!success.is_replayed());
}

#[tokio::test]
async fn the_least_recently_used_entry_is_evicted_first() {
    let server = TestServer::builder().flag("--cache-max-size", 3).flag("--workers", 2).start().await;
    assert_replayed(&server, &[("a", false), ("b", false), ("c", false)]).await;
    // A hit makes an entry recent: the oldest is now b, then c, then a.
    assert_replayed(&server, &[("a", true), ("d", false)]).await;
    assert_replayed(&server, &[("a", true), ("c", true), ("d", true)]).await;
    // Storing b again evicts a; storing a again evicts c.
    assert_replayed(&server, &[("b", false), ("a", false), ("c", false)]).await;
    assert_replayed(&server, &[("b", true), ("a", true), ("c", true), ("d", false)]).await;
}

#[tokio::test]
async fn a_cache_of_one_holds_the_last() {
    let server = TestServer::builder().flag("--cache-max-size", 1).start().await;
    assert_replayed(
        &server,
        &[("a", false), ("a", true), ("b", false), ("b", true), ("a", false), ("b", false)],
    )
    .await;
}

#[tokio::test]
async fn a_cache_holds_as_many_entries_as_configured_and_no_more() {
    let server = TestServer::builder().flag("--cache-max-size", 100).start().await;
    let keys: Vec<String> = (0..101).map(|n| format!("key-{n}")).collect();
    for key in &keys {
        assert!(!keyed(&server, key).await.is_replayed());
    }
    for key in &keys[1..] {
        assert!(keyed(&server, key).await.is_replayed(), "{key}");
    }
    assert!(!keyed(&server, &keys[0]).await.is_replayed());
}

#[tokio::test]
async fn an_entry_is_kept_as_long_as_configured_and_hits_do_not_extend_it() {
    let server = TestServer::builder().flag("--cache-ttl-seconds", 2).start().await;
    let asked = Instant::now();
    let first = keyed(&server, "k").await;
    // Hits all the while: if they extended its time, it would never expire.
    let expired = async {
        loop {
            let again = keyed(&server, "k").await;
            if again.message_id() != first.message_id() {
                return again;
            }
            assert!(again.is_replayed());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let renewed = within("the entry's end", expired).await;
    assert!(asked.elapsed() >= Duration::from_secs(2), "expired too early");
    assert!(!renewed.is_replayed());
    assert_eq!(keyed(&server, "k").await.message_id(), renewed.message_id());
}

/// When the server wrote `line`, in milliseconds since midnight.
fn written_at(line: &LogLine) -> u64 {
    let timestamp = line.event["timestamp"].as_str().expect("a timestamp");
    let (_, time) = timestamp.trim_end_matches('Z').split_once('T').expect("a date and a time");
    let digits: Vec<u64> = time.split([':', '.']).map(|digits| digits.parse().expect("digits")).collect();
    ((digits[0] * 60 + digits[1]) * 60 + digits[2]) * 1000 + digits[3]
}

#[tokio::test]
async fn the_time_of_an_entry_counts_from_its_storing_and_not_from_its_request() {
    const MIDNIGHT: u64 = 24 * 60 * 60 * 1000;
    let server = TestServer::verbose().flag("--cache-ttl-seconds", 2).start().await;
    answer(server.get_keyed("/msg?delay=1500", "k")).await.message_id();
    let event = |what: &'static str| {
        move |line: &LogLine| line.logger() == "server.cache" && line.mentions("k") && line.says(what)
    };
    let stored = written_at(&server.wait_for_log("the store", event("store")).await);
    let expired = written_at(&server.wait_for_log("the expiry", event("expired")).await);
    // Counted from its request, it would live half a second from here, and a second more until it is swept.
    let lived = (expired + MIDNIGHT - stored) % MIDNIGHT;
    assert!(lived >= 1990, "the entry lived {lived} ms");
}

#[tokio::test]
async fn expired_entries_are_swept_without_being_read() {
    let server = TestServer::verbose().flag("--cache-ttl-seconds", 1).start().await;
    keyed(&server, "k").await;
    server.wait_for_log("expiry", |line| line.logger() == "server.cache" && line.says("expir")).await;
}

#[tokio::test]
async fn forty_overlapping_requests_with_one_key_get_one_message() {
    let server = TestServer::builder().flag("--workers", 2).start().await;
    let all = join_all((0..40).map(|_| answer(server.get_keyed("/msg?delay=300", "k")))).await;
    let id = all[0].message_id();
    assert!(all.iter().all(|answer| answer.message_id() == id));
    assert_eq!(all.iter().filter(|answer| answer.is_replayed()).count(), 39);
}

#[tokio::test]
async fn single_flight_works_with_fewer_slots_than_followers() {
    for slots in [1, 2] {
        let server = TestServer::builder().flag("--max-concurrency", slots).start().await;
        let all = join_all((0..20).map(|_| answer(server.get_keyed("/msg?delay=100", "k")))).await;
        assert!(all.iter().all(|answer| answer.message_id() == all[0].message_id()));
        assert_eq!(all.iter().filter(|answer| answer.is_replayed()).count(), 19);
    }
}

#[tokio::test]
async fn executions_of_different_keys_do_not_wait_for_each_other() {
    let server = TestServer::verbose().start().await;
    let slow = answer(server.get_keyed("/msg?delay=30000", "slow"));
    let others = async {
        server.received("slow").await;
        for n in 0..10 {
            keyed(&server, &format!("key-{n}")).await.message_id();
        }
    };
    tokio::select! {
        biased;
        () = others => {}
        _ = slow => panic!("the slow one came first"),
    }
}

#[tokio::test]
async fn an_entry_in_flight_is_never_evicted() {
    let server = TestServer::verbose().flag("--cache-max-size", 1).start().await;
    let leader = answer(server.get_keyed("/msg?delay=1500", "k"));
    let follower = async {
        server.received("k").await;
        for n in 0..5 {
            keyed(&server, &format!("key-{n}")).await.message_id();
        }
        keyed(&server, "k").await
    };
    let (leader, follower) = futures::join!(leader, follower);
    assert_eq!(leader.message_id(), follower.message_id());
    assert!(!leader.is_replayed() && follower.is_replayed());
    assert!(keyed(&server, "k").await.is_replayed());
}
