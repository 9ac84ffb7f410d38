//! Thousands of requests that overlap at random, many of them aborted at random, while failures are armed and reset.
//! Afterwards counts are exact, and all slots, descriptors and memory have been released.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use fastrand::Rng;
use futures::future::join_all;
use futures::stream::{self, StreamExt};
use workspace_tests::logs::LogLine;
use workspace_tests::raw::RawResponse;
use workspace_tests::{RawConnection, TestServer, answer, seed, within};

const SLOTS: usize = 8;
const ROUNDS: u32 = 6;
const REQUESTS: u32 = 700;

/// How much the server's memory may grow between the second round and the last.
const GROWTH: u64 = 16 << 20;

/// The message in the answers to each key.
type Messages = Mutex<HashMap<String, String>>;

fn assert_one_message(messages: &Messages, key: &str, response: &RawResponse) {
    let message = response.json()["message_id"].as_str().expect("a message").to_owned();
    let mut messages = messages.lock().expect("no test panics while it holds the lock");
    let known = messages.entry(key.to_owned()).or_insert_with(|| message.clone());
    assert_eq!(*known, message, "{key} has two messages");
}

async fn arm(server: &TestServer, path: &str) {
    let mut connection = server.connect().await;
    connection.request("POST", path, "Connection: close\r\n").await;
    assert_eq!(connection.response().await.status, 200, "{path}");
}

/// Sends one request that is answered, or whose connection is closed or reset before that.
async fn request(server: &TestServer, messages: &Messages, round: u32, mut rng: Rng) {
    tokio::time::sleep(Duration::from_millis(rng.u64(..20))).await;
    match rng.u32(..100) {
        0 => return arm(server, "/fail/reset").await,
        1 | 2 => return arm(server, &format!("/fail/count/{}", rng.u32(..40))).await,
        _ => {}
    }
    let key = rng.bool().then(|| format!("{round}-{}", rng.u32(..60)));
    let header = key.iter().map(|key| format!("X-Request-ID: {key}\r\n")).collect::<String>();
    let mut connection = server.connect().await;
    connection.request("GET", &format!("/msg?delay={}", rng.u32(..50)), &header).await;
    let moment = Duration::from_micros(rng.u64(..80_000));
    match rng.u32(..4) {
        0 => {
            tokio::time::sleep(moment).await;
            connection.abort();
        }
        1 => {
            tokio::time::sleep(moment).await;
            connection.close();
        }
        _ => {
            let response = connection.response().await;
            assert!([200, 500].contains(&response.status), "{response:?}");
            if let (200, Some(key)) = (response.status, key) {
                assert_one_message(messages, &key, &response);
            }
        }
    }
}

/// Waits until no aborted request is in flight: the server has as many descriptors as at its start.
async fn settled(server: &TestServer, fresh: usize) {
    // Connections are accepted in order, and handed to the two workers in turn.
    for _ in 0..8 {
        let mut connection = server.connect().await;
        connection.request("GET", "/health", "Connection: close\r\n").await;
        assert_eq!(connection.response().await.status, 200);
    }
    let back = async {
        while server.footprint().descriptors > fresh {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    within("every descriptor is back", back).await;
}

/// Asserts that of many requests at once exactly as many fail as were armed.
async fn assert_exact(server: &TestServer, rng: &mut Rng) {
    let armed = rng.usize(1..100);
    arm(server, &format!("/fail/count/{armed}")).await;
    let requests = (0..armed + rng.usize(1..50)).map(|_| async {
        let mut connection = server.connect().await;
        connection.request("GET", "/msg", "Connection: close\r\n").await;
        connection.response().await.status
    });
    let statuses: Vec<u16> = stream::iter(requests).buffer_unordered(48).collect().await;
    assert_eq!(statuses.iter().filter(|status| **status == 500).count(), armed, "{statuses:?}");
    assert!(statuses.iter().all(|status| [200, 500].contains(status)), "{statuses:?}");
}

/// Takes a slot for half a minute, or until the client leaves: a request without a key. Returns once it has the slot.
async fn hang(server: &TestServer, name: &str) -> RawConnection {
    let mut connection = server.connect().await;
    let query = format!("delay=30000&name={name}");
    connection.request("GET", &format!("/msg?{query}"), "").await;
    server.delayed(&query).await;
    connection
}

/// Asserts that the last free slot serves, and that a request waits when all slots are taken.
async fn assert_slots(server: &TestServer) {
    let keys: Vec<_> = (1..SLOTS).map(|n| format!("hung-{n}")).collect();
    let hung = join_all(keys.iter().map(|key| hang(server, key))).await;
    let mut connection = server.connect().await;
    assert_eq!(connection.get("/msg").await.status, 200);
    let last = hang(server, "hung-last").await;
    connection.request("GET", "/msg", "X-Request-ID: waiting\r\n").await;
    server.queued("waiting").await;
    last.close();
    assert_eq!(connection.response().await.status, 200);
    drop(hung);
}

#[tokio::test]
async fn after_thousands_of_overlapping_requests_and_aborts_everything_is_exact_and_back() {
    let mut rng = seed::rng();
    let builder = TestServer::verbose().flag("--workers", 2).flag("--max-concurrency", SLOTS);
    let server = builder.flag("--request-timeout", 300).start().await;
    answer(server.get("/health")).await;
    let (fresh, messages) = (server.footprint(), Messages::default());
    let mut warm = fresh;
    for round in 0..ROUNDS {
        let requests = (0..REQUESTS).map(|_| request(&server, &messages, round, rng.fork()));
        within("a round's end", stream::iter(requests).buffer_unordered(96).for_each(|()| async {})).await;
        arm(&server, "/fail/reset").await;
        settled(&server, fresh.descriptors).await;
        assert_exact(&server, &mut rng).await;
        // No key is stuck after its request was aborted, and each key still has its message.
        for key in (0..60).map(|n| format!("{round}-{n}")) {
            let mut connection = server.connect().await;
            connection.request("GET", "/msg", &format!("X-Request-ID: {key}\r\n")).await;
            assert_one_message(&messages, &key, &connection.response().await);
        }
        settled(&server, fresh.descriptors).await;
        if round == 1 {
            warm = server.footprint();
        }
    }
    assert_slots(&server).await;
    settled(&server, fresh.descriptors).await;
    let now = server.footprint();
    assert!(now.resident < warm.resident + GROWTH, "{fresh:?}, later {warm:?}, now {now:?}");
    let alarming = |line: &LogLine| ["error", "warning"].contains(&line.level());
    assert!(!server.logs().iter().any(alarming), "there are warnings or errors in the log");
    assert!(server.errors().is_empty());
}
