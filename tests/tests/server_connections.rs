//! Bodies, heads and connections: bounded in size and in time, whoever is at the other end.

use std::time::{Duration, Instant};

use futures::future::join_all;
use workspace_tests::{RawConnection, TestServer, answer, within};

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
