//! Bodies, heads and connections are bounded in size and in time, whatever the client does.

use std::time::{Duration, Instant};

use futures::future::join_all;
use workspace_tests::{TestServer, answer, within};

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
async fn a_huge_body_is_refused_long_before_its_end() {
    let server = TestServer::builder().flag("--header-timeout", 1).start().await;
    let mebibyte = vec![b'x'; 1 << 20];
    let chunk = [b"100000\r\n", mebibyte.as_slice(), b"\r\n"].concat();
    let framings = [("Content-Length: 268435456\r\n", &mebibyte), ("Transfer-Encoding: chunked\r\n", &chunk)];
    let routes = [("POST", "/fail/count/5"), ("GET", "/msg")];
    let all = framings.iter().flat_map(|framing| routes.iter().map(move |route| (framing, route)));
    let refusals = all.map(|((headers, piece), (method, path))| {
        let server = &server;
        async move {
            let mut connection = server.connect().await;
            connection.request(method, path, headers).await;
            connection.send(piece).await.expect("what is on its way is read, so that the answer arrives");
            let refused = connection.response().await;
            assert_eq!(refused.status, 413, "{path} with {headers}: {refused:?}");
            assert!(refused.header("X-Correlation-ID").is_some(), "{path} with {headers}: {refused:?}");
            // The rest will never come, and is not waited for.
            connection.closed().await;
        }
    });
    join_all(refusals).await;
    assert_eq!(answer(server.get("/fail/status")).await.body["currently_failing"], false);
    answer(server.get("/msg")).await.message_id();
}

#[tokio::test]
async fn a_body_that_never_comes_blocks_no_other_request() {
    let settings =
        [("--request-timeout", 1), ("--max-concurrency", 1), ("--header-timeout", 1), ("--keep-alive", 1)];
    let builder =
        settings.iter().fold(TestServer::builder(), |builder, (name, value)| builder.flag(name, value));
    let server = builder.start().await;
    for (method, path) in [("GET", "/msg"), ("POST", "/fail/reset")] {
        let mut connection = server.connect().await;
        connection.request(method, path, "Content-Length: 10\r\n").await;
        // With or without an answer, the connection ends although the rest never comes.
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
    let start = Instant::now();
    connection.send("GET /msg HTTP/1.1\r\nX-Long: ").await.unwrap();
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
    let mut sent = 0;
    let piece = [b'x'; 1 << 16];
    let _ = connection.send("GET /msg HTTP/1.1\r\nX-Long: ").await;
    while sent < 256 && connection.send(&piece).await.is_ok() {
        sent += 1;
    }
    assert!(sent < 256, "all of it was taken");
    // The answer may be lost when bytes are still under way as the connection ends.
    let refused = connection.try_response().await;
    assert!(refused.is_none_or(|response| (400..500).contains(&response.status)));
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
async fn at_its_limit_of_connections_a_worker_serves_the_next_when_one_ends() {
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
async fn an_offer_to_upgrade_is_declined_by_an_ordinary_answer() {
    let server = TestServer::builder().flag("--request-timeout", 2).start().await;
    // The first is what some HTTP clients send with every first request.
    let offers = [
        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAA\r\n",
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: c2VjcmV0IGtleQ==\r\n",
        "Connection: keep-alive, Upgrade\r\nUpgrade: unheard-of\r\n",
        "Upgrade: h2c\r\n",
    ];
    for offer in offers {
        let mut connection = server.connect().await;
        connection.request("GET", "/msg", offer).await;
        let first = connection.response().await;
        assert_eq!(first.status, 200, "{offer}: {first:?}");
        // A connection that is not said to end can be used again.
        let connection_header = first.header("Connection").unwrap_or("keep-alive").to_lowercase();
        assert!(!connection_header.contains("upgrade"), "{offer}: {first:?}");
        if !connection_header.contains("close") {
            assert_eq!(connection.get("/msg").await.status, 200, "{offer}");
        }
    }
}

#[tokio::test]
async fn a_client_that_asks_before_it_sends_a_body_is_answered() {
    let server = TestServer::start().await;
    let mut connection = server.connect().await;
    connection
        .request("POST", "/fail/count/5", "Expect: 100-continue\r\nContent-Length: 1000000000\r\n")
        .await;
    let refused = connection.response().await;
    assert_eq!(refused.status, 413, "a huge body is not asked for: {refused:?}");
    let mut connection = server.connect().await;
    connection.request("POST", "/fail/count/5", "Expect: 100-continue\r\nContent-Length: 5\r\n").await;
    let mut answer = connection.head().await;
    if answer.status == 100 {
        connection.send("hello").await.unwrap();
        answer = connection.response().await;
    }
    assert_eq!(answer.status, 200, "{answer:?}");
}

#[tokio::test]
async fn a_body_that_is_awaited_takes_no_slot() {
    let server =
        TestServer::builder().flag("--max-concurrency", 1).flag("--request-timeout", 300).start().await;
    let mut slow = server.connect().await;
    slow.request("GET", "/msg", "Content-Length: 5\r\n").await;
    // Whether the slow one is answered without its body or waits for it, the slot is free.
    answer(server.get("/health")).await;
    answer(server.get("/msg")).await.message_id();
    slow.send("hello").await.unwrap();
    assert_eq!(slow.response().await.status, 200);
}
