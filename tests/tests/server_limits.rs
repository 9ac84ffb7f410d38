//! Slots, timeouts, bodies and connections: every wait has an end, and everything taken comes back.

use std::time::{Duration, Instant};

use futures::future::join_all;
use serde_json::json;
use workspace_tests::{Answer, Program, RawConnection, TestServer, answer, within};

/// A server with so many slots, whose requests do not time out within a test, and which tells who waits.
fn slots(count: usize) -> Program {
    TestServer::verbose().flag("--max-concurrency", count).flag("--request-timeout", 300)
}

/// Takes a slot for half a minute; returns once the request has it.
async fn hang(server: &TestServer, key: &str) -> RawConnection {
    let mut connection = server.connect().await;
    connection.request("GET", "/msg?delay=30000", &format!("X-Request-ID: {key}\r\n")).await;
    server.wait_for_log("a miss", |line| line.logger() == "server.cache" && line.mentions(key)).await;
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
    assert_eq!(answer(server.post("/msg")).await.status, 405);
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
    let lines = server.logs();
    let missed = |id: &String| {
        let is_miss =
            |line: &workspace_tests::logs::LogLine| line.logger() == "server.cache" && line.mentions(id);
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
async fn a_small_body_is_ignored() {
    let server = TestServer::start().await;
    let mut connection = server.connect().await;
    let body = format!("{{\"text\":\"{}\"}}", "x".repeat(1000));
    for (method, path) in
        [("GET", "/msg"), ("POST", "/fail/reset"), ("POST", "/fail/count/0"), ("GET", "/health")]
    {
        let head = format!("{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", body.len());
        connection.send(head + &body).await.unwrap();
        assert_eq!(connection.response().await.status, 200, "{path}");
        let head = format!("{method} {path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
        connection.send(head + "5\r\nhello\r\n0\r\n\r\n").await.unwrap();
        assert_eq!(connection.response().await.status, 200, "{path}, chunked");
    }
}

/// Sends `pieces` until they are through or the server has had enough; its answer, if it gave one.
async fn send_much(connection: &mut RawConnection, piece: &[u8], pieces: usize) -> (usize, Option<u16>) {
    let mut sent = 0;
    while sent < pieces && connection.send(piece).await.is_ok() {
        sent += 1;
    }
    (sent, connection.try_response().await.map(|response| response.status))
}

#[tokio::test]
async fn a_body_announced_as_huge_is_refused_and_changes_nothing() {
    let server = TestServer::start().await;
    for (method, path) in
        [("POST", "/fail/count/5"), ("POST", "/fail/duration/60"), ("GET", "/msg"), ("GET", "/health")]
    {
        let mut connection = server.connect().await;
        connection.request(method, path, "Content-Length: 1000000000\r\n").await;
        let refused = connection.response().await;
        assert_eq!(refused.status, 413, "{path}: {refused:?}");
        assert!(refused.json()["detail"].is_string(), "{path}: {refused:?}");
        assert!(refused.header("X-Correlation-ID").is_some(), "{path}: {refused:?}");
    }
    let status = answer(server.get("/fail/status")).await.body;
    assert_eq!(status["currently_failing"], false);
}

#[tokio::test]
async fn a_huge_body_is_not_read_to_its_end() {
    let server = TestServer::start().await;
    let mebibyte = vec![b'x'; 1 << 20];
    let chunk = [b"100000\r\n", mebibyte.as_slice(), b"\r\n"].concat();
    for (headers, piece) in
        [("Content-Length: 268435456\r\n", &mebibyte), ("Transfer-Encoding: chunked\r\n", &chunk)]
    {
        for (method, path) in [("POST", "/fail/count/5"), ("GET", "/msg")] {
            let mut connection = server.connect().await;
            connection.request(method, path, headers).await;
            let (sent, status) = send_much(&mut connection, piece, 256).await;
            assert!(sent < 256, "{path} with {headers}: all of it was taken");
            // The answer may be lost when bytes are still under way as the connection ends.
            assert!(status.is_none_or(|status| status == 413), "{path} with {headers}: {status:?}");
        }
    }
    assert_eq!(answer(server.get("/fail/status")).await.body["currently_failing"], false);
    answer(server.get("/msg")).await.message_id();
}

#[tokio::test]
async fn a_body_that_never_comes_hangs_nobody() {
    let settings =
        [("--request-timeout", 1), ("--max-concurrency", 1), ("--header-timeout", 1), ("--keep-alive", 1)];
    let builder =
        settings.iter().fold(TestServer::builder(), |builder, (name, value)| builder.flag(name, value));
    let server = builder.start().await;
    for (method, path) in [("GET", "/msg"), ("POST", "/fail/reset")] {
        let mut connection = server.connect().await;
        connection.request(method, path, "Content-Length: 10\r\n").await;
        // Whatever the answer, or none: it comes, and the connection ends when the rest never does.
        let _ = connection.try_response().await;
        connection.closed().await;
    }
    answer(server.get("/msg")).await.message_id();
}

#[tokio::test]
async fn a_head_that_never_ends_is_not_waited_for() {
    let server = TestServer::builder().flag("--header-timeout", 1).start().await;
    let beginnings: [&[u8]; 3] = [b"", b"GE", b"GET /msg HTTP/1.1\r\nHost: x\r\nX-Long: "];
    let ends = beginnings.map(|bytes| {
        let server = &server;
        async move {
            let mut connection = server.connect().await;
            connection.send(bytes).await.unwrap();
            connection.closed().await
        }
    });
    for (answer, beginning) in join_all(ends).await.iter().zip(beginnings) {
        let text = String::from_utf8_lossy(answer).to_lowercase();
        assert!(text.is_empty() || text.starts_with("http/1.1 408"), "{beginning:?}: {text}");
        assert!(text.is_empty() || text.contains("x-correlation-id: "), "{beginning:?}: {text}");
    }
}

#[tokio::test]
async fn a_head_that_drips_in_is_not_waited_for_either() {
    let server = TestServer::builder().flag("--header-timeout", 1).start().await;
    let mut connection = server.connect().await;
    connection.send("GET /msg HTTP/1.1\r\nX-Long: ").await.unwrap();
    let start = Instant::now();
    let drip = async {
        while connection.send("x").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    within("the server stops a sender that drips", drip).await;
    assert!(start.elapsed() >= Duration::from_millis(500));
}

#[tokio::test]
async fn a_head_that_is_too_long_is_refused() {
    let server = TestServer::start().await;
    let mut connection = server.connect().await;
    let _ = connection.send("GET /msg HTTP/1.1\r\nX-Long: ").await;
    let (sent, status) = send_much(&mut connection, &vec![b'x'; 1 << 16], 256).await;
    assert!(sent < 256, "all of it was taken");
    assert!(status.is_none_or(|status| (400..500).contains(&status)), "{status:?}");
    answer(server.get("/msg")).await.message_id();
}

#[tokio::test]
async fn an_idle_connection_is_closed_after_its_keep_alive() {
    let server = TestServer::builder().flag("--keep-alive", 1).start().await;
    let mut connection = server.connect().await;
    assert_eq!(connection.get("/msg").await.status, 200);
    assert_eq!(connection.get("/msg").await.status, 200);
    assert!(connection.closed().await.is_empty());
}

#[tokio::test]
async fn without_keep_alive_each_connection_has_one_answer() {
    let server = TestServer::builder().flag("--keep-alive", 0).start().await;
    let mut connection = server.connect().await;
    assert_eq!(connection.get("/msg").await.status, 200);
    assert!(connection.closed().await.is_empty());
    answer(server.get("/msg")).await.message_id();
}

#[tokio::test]
async fn a_delay_longer_than_the_keep_alive_is_not_idle() {
    let server = TestServer::builder().flag("--keep-alive", 1).flag("--header-timeout", 1).start().await;
    let mut connection = server.connect().await;
    assert_eq!(connection.get("/msg?delay=2500").await.status, 200);
    assert_eq!(connection.get("/msg").await.status, 200);
}

#[tokio::test]
async fn past_its_connections_a_worker_serves_the_next_when_one_ends() {
    let server = TestServer::builder().flag("--workers", 1).flag("--max-connections", 1).start().await;
    let mut first = server.connect().await;
    assert_eq!(first.get("/health").await.status, 200);
    let mut second = server.connect().await;
    second.request("GET", "/health", "").await;
    let early = tokio::time::timeout(Duration::from_millis(300), second.try_response()).await;
    assert!(early.is_err(), "a second connection was served beside the first");
    assert_eq!(first.get("/health").await.status, 200);
    first.close();
    assert_eq!(second.response().await.status, 200);
}

#[tokio::test]
async fn many_clients_that_come_and_go_leave_nothing_taken() {
    let server = TestServer::builder().flag("--max-concurrency", 4).flag("--workers", 2).start().await;
    for round in 0..5 {
        let clients = (0..60).map(|n| {
            let server = &server;
            async move {
                let mut connection = server.connect().await;
                let key = format!("X-Request-ID: {round}-{}\r\n", n % 7);
                connection.request("GET", "/msg?delay=30000", &key).await;
                tokio::time::sleep(Duration::from_millis(n)).await;
                if n % 2 == 0 { connection.abort() } else { connection.close() }
            }
        });
        join_all(clients).await;
    }
    // All four slots are free, and so is every key.
    let all = join_all((0..7).map(|n| answer(server.get_keyed("/msg?delay=50", &format!("4-{n}"))))).await;
    assert!(all.iter().all(|answer| answer.status == 200 && !Answer::is_replayed(answer)));
}
