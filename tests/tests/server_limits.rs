//! Slots and timeouts: every wait is bounded, and every slot is given back.

use std::time::{Duration, Instant};

use futures::future::join_all;
use serde_json::json;
use workspace_tests::logs::LogLine;
use workspace_tests::{Program, RawConnection, TestServer, answer};

/// A server with so many slots, whose requests do not time out within a test, and which tells who waits.
fn slots(count: usize) -> Program {
    TestServer::verbose().flag("--max-concurrency", count).flag("--request-timeout", 300)
}

/// Takes a slot for half a minute, or until the client leaves: a request without a key. Returns once it has the slot.
async fn hang(server: &TestServer, name: &str) -> RawConnection {
    let mut connection = server.connect().await;
    let query = format!("delay=30000&name={name}");
    connection.request("GET", &format!("/msg?{query}"), "").await;
    server.delayed(&query).await;
    connection
}

/// Sends a request that will wait for a slot; returns once it waits.
async fn wait_in_line(server: &TestServer, key: &str) -> RawConnection {
    let mut connection = server.connect().await;
    connection.request("GET", "/msg?delay=20", &format!("X-Request-ID: {key}\r\n")).await;
    server.queued(key).await;
    connection
}

#[tokio::test]
async fn with_every_slot_hung_the_control_plane_answers() {
    let server = slots(2).flag("--workers", 2).start().await;
    let hung = [hang(&server, "one").await, hang(&server, "two").await];
    let waiting = wait_in_line(&server, "three").await;
    for path in ["/health", "/fail/status", "/openapi.json", "/redoc"] {
        assert_eq!(answer(server.get(path)).await.status, 200, "{path}");
    }
    for path in ["/fail/count/3", "/fail/duration/3", "/fail/reset"] {
        assert_eq!(answer(server.post(path)).await.status, 200, "{path}");
    }
    assert_eq!(answer(server.get("/nope")).await.status, 404);
    drop((hung, waiting));
}

#[tokio::test]
async fn no_more_than_the_slots_are_processed_at_once() {
    let server = TestServer::builder().flag("--max-concurrency", 3).flag("--workers", 2).start().await;
    let start = Instant::now();
    let all = join_all((0..12).map(|_| answer(server.get("/msg?delay=200")))).await;
    assert!(all.iter().all(|answer| answer.status == 200));
    // Four turns of three; with more at once it would take less.
    assert!(start.elapsed() >= Duration::from_millis(4 * 200));
}

#[tokio::test]
async fn the_slots_are_of_the_server_and_not_of_each_worker() {
    let server = TestServer::builder().flag("--max-concurrency", 1).flag("--workers", 4).start().await;
    let start = Instant::now();
    join_all((0..8).map(|_| answer(server.get("/msg?delay=100")))).await;
    assert!(start.elapsed() >= Duration::from_millis(8 * 100));
}

#[tokio::test]
async fn a_free_slot_is_used_while_another_hangs() {
    let server = slots(2).start().await;
    let _hung = hang(&server, "one").await;
    for _ in 0..10 {
        answer(server.get("/msg")).await.message_id();
    }
}

#[tokio::test]
async fn a_client_that_disconnects_gives_its_slot_back_at_once() {
    let server = slots(1).flag("--workers", 2).start().await;
    let first = hang(&server, "first").await;
    let mut second = wait_in_line(&server, "second").await;
    first.abort();
    assert_eq!(second.response().await.status, 200, "after RST");
    let third = hang(&server, "third").await;
    let mut fourth = wait_in_line(&server, "fourth").await;
    third.close();
    assert_eq!(fourth.response().await.status, 200, "after FIN");
}

#[tokio::test]
async fn a_client_that_disconnects_gives_its_place_in_line_back() {
    let server = slots(1).flag("--workers", 1).start().await;
    let first = hang(&server, "first").await;
    let gone = [wait_in_line(&server, "reset").await, wait_in_line(&server, "closed").await];
    let mut last = wait_in_line(&server, "last").await;
    let [reset, closed] = gone;
    reset.abort();
    closed.close();
    // The only worker answers this after it has seen both ends.
    answer(server.post("/fail/count/1")).await;
    answer(server.get("/health")).await;
    first.abort();
    // Had one of those that left been processed, it would have used up the one failure.
    assert_eq!(last.response().await.status, 500);
    answer(server.get("/msg")).await.message_id();
}

#[tokio::test]
async fn slots_are_given_first_come_first_served() {
    let server = slots(1).flag("--workers", 2).start().await;
    let first = hang(&server, "first").await;
    let mut waiting = Vec::new();
    let mut arrivals = Vec::new();
    for n in 0..8 {
        let key = format!("key-{n}");
        waiting.push(wait_in_line(&server, &key).await);
        arrivals.push(server.correlation_id_of(&key).await);
    }
    first.abort();
    for connection in &mut waiting {
        assert_eq!(connection.response().await.status, 200);
    }
    // Each looks in the cache once it has its slot: the log has the order in which that happened.
    let log = server.stop().await.stdout;
    let lines: Vec<LogLine> = log.lines().map(|line| LogLine::new(line.to_owned())).collect();
    let missed = |id: &String| {
        let is_miss = |line: &LogLine| line.logger() == "server.cache" && line.mentions(id);
        lines.iter().position(is_miss).expect("a look into the cache carries its request's id")
    };
    let order: Vec<usize> = arrivals.iter().map(missed).collect();
    assert!(order.is_sorted(), "{order:?}");
}

#[tokio::test]
async fn a_request_past_its_timeout_is_a_408_and_its_connection_stays_usable() {
    let server = TestServer::builder().flag("--request-timeout", 1).start().await;
    let mut connection = server.connect().await;
    let start = Instant::now();
    let late = connection.get("/msg?delay=30000").await;
    assert!(start.elapsed() >= Duration::from_secs(1));
    assert_eq!((late.status, late.json()), (408, json!({ "detail": "Request timeout" })));
    assert!(late.header("X-Correlation-ID").is_some());
    assert!(late.header("Connection").is_none_or(|value| !value.eq_ignore_ascii_case("close")), "{late:?}");
    for _ in 0..3 {
        assert_eq!(connection.get("/msg").await.status, 200);
    }
}

#[tokio::test]
async fn a_timeout_gives_the_slot_back() {
    let server =
        TestServer::builder().flag("--request-timeout", 1).flag("--max-concurrency", 1).start().await;
    for _ in 0..2 {
        assert_eq!(answer(server.get("/msg?delay=30000")).await.status, 408);
        answer(server.get("/msg")).await.message_id();
        // An execution under a key holds the slot as a task of its own.
        assert_eq!(answer(server.get_keyed("/msg?delay=30000", "k")).await.status, 408);
        answer(server.get("/msg")).await.message_id();
    }
}

#[tokio::test]
async fn the_timeout_covers_the_wait_for_a_slot() {
    let server =
        TestServer::builder().flag("--request-timeout", 1).flag("--max-concurrency", 1).start().await;
    let start = Instant::now();
    // One after another, each with a second of its own, they would outlast the guard on a wait.
    let all = join_all((0..40).map(|_| answer(server.get("/msg?delay=30000")))).await;
    assert!(all.iter().all(|answer| answer.status == 408), "{all:#?}");
    assert!(start.elapsed() >= Duration::from_secs(1));
    // Neither the slot nor a place in line is left taken.
    answer(server.get("/msg")).await.message_id();
}

#[tokio::test]
async fn the_control_plane_has_no_request_of_its_own_timed_out_by_a_busy_one() {
    let server =
        TestServer::builder().flag("--request-timeout", 1).flag("--max-concurrency", 1).start().await;
    let busy = join_all((0..5).map(|_| answer(server.get("/msg?delay=30000"))));
    let control = join_all((0..20).map(|_| answer(server.get("/health"))));
    let (_, control) = futures::join!(busy, control);
    assert!(control.iter().all(|answer| answer.status == 200));
}

#[tokio::test]
async fn many_clients_that_connect_and_leave_keep_no_slot() {
    let server = TestServer::builder().flag("--max-concurrency", 4).flag("--workers", 2).start().await;
    for _ in 0..5 {
        let clients = (0..60).map(|n| {
            let server = &server;
            async move {
                let mut connection = server.connect().await;
                connection.request("GET", "/msg?delay=30000", "").await;
                tokio::time::sleep(Duration::from_millis(n)).await;
                if n % 2 == 0 { connection.abort() } else { connection.close() }
            }
        });
        join_all(clients).await;
    }
    // All four slots are free.
    let all = join_all((0..7).map(|_| answer(server.get("/msg?delay=50")))).await;
    assert!(all.iter().all(|answer| answer.status == 200));
}
