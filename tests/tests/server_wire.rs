//! Requests as unusual clients send them: half-closed, pipelined and abandoned, with an offer to upgrade, with empty
//! lines, too long, or not HTTP at all.

use std::time::Duration;

use futures::future::join_all;
use workspace_tests::{Program, RawConnection, TestServer, answer};

/// A server with so many slots, whose requests do not time out within a test.
fn slots(count: usize) -> Program {
    TestServer::verbose().flag("--max-concurrency", count).flag("--request-timeout", 300)
}

/// What clients send for a request that is answered only after `delay` milliseconds, and what they may send behind it.
/// All of it fits into the buffers between the two: a client that closes its side behind more than that has not sent
/// its FIN yet.
fn long_requests(delay: u32) -> Vec<String> {
    let head = |headers: &str| format!("GET /msg?delay={delay} HTTP/1.1\r\nHost: x\r\n{headers}\r\n");
    let body = "x".repeat(3000);
    let next = "GET /health HTTP/1.1\r\nHost: x\r\n\r\n";
    vec![
        head(""),
        head("Content-Length: 3000\r\n") + &body,
        head("Transfer-Encoding: chunked\r\n") + &format!("bb8\r\n{body}\r\n0\r\n\r\n"),
        head("") + &next.repeat(60),
        head("") + &next.repeat(1500),
        head("Content-Length: 3000\r\n") + &body + &next.repeat(60),
        head("") + "GET /health HTTP/1.1\r\nHost: x\r\nX-Unfinished: ",
    ]
}

#[tokio::test]
async fn a_client_that_leaves_gives_its_slot_back_whatever_it_has_sent() {
    for is_reset in [false, true] {
        for bytes in long_requests(30_000) {
            let server = slots(1).flag("--workers", 1).start().await;
            let mut leaving = server.connect().await;
            leaving.send(&bytes).await.unwrap();
            server.wait_for_log("the request", |line| line.mentions("Request received")).await;
            if is_reset {
                leaving.abort();
            } else {
                leaving.close();
            }
            // Waits for the slot, and would time out.
            answer(server.get("/msg")).await.message_id();
        }
    }
}

#[tokio::test]
async fn a_client_that_resets_gives_its_slot_back_although_it_has_sent_more_than_any_buffer_holds() {
    let server = slots(1).flag("--workers", 1).start().await;
    let mut leaving = server.connect().await;
    let bytes = long_requests(30_000)[0].clone() + &"GET /health HTTP/1.1\r\nHost: x\r\n\r\n".repeat(500_000);
    let all = tokio::time::timeout(Duration::from_millis(300), leaving.send(&bytes)).await;
    assert!(all.is_err(), "18 MB were taken although nothing is answered");
    server.wait_for_log("the request", |line| line.mentions("Request received")).await;
    leaving.abort();
    answer(server.get("/msg")).await.message_id();
}

#[tokio::test]
async fn a_client_that_leaves_the_queue_gives_its_place_back_whatever_it_has_sent() {
    let server = slots(1).flag("--workers", 1).start().await;
    let mut first = server.connect().await;
    first.request("GET", "/msg?delay=30000", "X-Request-ID: first\r\n").await;
    server.received("first").await;
    let mut leaving = Vec::new();
    for (number, bytes) in long_requests(30_000).into_iter().enumerate() {
        let key = format!("queued-{number}");
        let mut connection = server.connect().await;
        let bytes = bytes.replacen("Host: x", &format!("Host: x\r\nX-Request-ID: {key}"), 1);
        connection.send(&bytes).await.unwrap();
        server.queued(&key).await;
        leaving.push(connection);
    }
    leaving.into_iter().for_each(RawConnection::close);
    let aborted = |line: &workspace_tests::logs::LogLine| line.message() == "Request aborted by the client";
    let all_gone = async {
        while server.logs().iter().filter(|line| aborted(line)).count() < 7 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    workspace_tests::within("every one that left is noticed", all_gone).await;
}

#[tokio::test]
async fn a_client_that_closes_its_side_after_its_request_is_answered_by_the_control_plane() {
    let server = TestServer::builder().flag("--workers", 2).start().await;
    for (method, path) in [
        ("POST", "/fail/count/3"),
        ("POST", "/fail/duration/1"),
        ("POST", "/fail/reset"),
        ("GET", "/fail/status"),
        ("GET", "/health"),
        ("GET", "/openapi.json"),
        ("GET", "/nope"),
        ("DELETE", "/msg"),
    ] {
        for body in
            ["", "Content-Length: 5\r\n\r\nhello", "Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"]
        {
            let bytes = format!("{method} {path} HTTP/1.1\r\nHost: x\r\n{body}");
            let bytes = if body.is_empty() { bytes + "\r\n" } else { bytes };
            let clients = (0..5).map(|_| async {
                let mut connection = server.connect().await;
                connection.send(&bytes).await.unwrap();
                connection.finish_sending().await;
                let response = connection.try_response().await;
                assert!(response.is_some_and(|response| response.status < 500), "{bytes:?} is not answered");
                assert!(connection.closed().await.is_empty(), "{bytes:?}");
            });
            join_all(clients).await;
        }
    }
    answer(server.post("/fail/count/0")).await;
    let mut connection = server.connect().await;
    connection
        .send("POST /fail/count/3 HTTP/1.1\r\nHost: x\r\n\r\nPOST /fail/count/2 HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    connection.finish_sending().await;
    let answers = [connection.response().await, connection.response().await];
    assert_eq!(answers.map(|answer| answer.status), [200, 200], "pipelined requests are answered too");
    assert_eq!(answer(server.get("/fail/status")).await.body["failure_status"]["fail_requests_count"], 2);
}

#[tokio::test]
async fn empty_lines_before_a_request_start_no_clock() {
    let server = TestServer::builder().flag("--header-timeout", 1).flag("--keep-alive", 300).start().await;
    for empty in ["\r\n", "\n", "\r\n\r\n\r\n", "\r"] {
        let mut connection = server.connect().await;
        assert_eq!(connection.get("/msg").await.status, 200);
        connection.send(empty).await.unwrap();
        let early = tokio::time::timeout(Duration::from_millis(2500), connection.try_response()).await;
        assert!(early.is_err(), "{empty:?} is answered: {early:?}");
        let rest = if empty == "\r" { "\n" } else { "" };
        connection.send(format!("{rest}GET /health HTTP/1.1\r\nHost: x\r\n\r\n")).await.unwrap();
        assert_eq!(connection.response().await.status, 200, "after {empty:?}");
    }
    let mut connection = server.connect().await;
    connection
        .send("\r\n\r\nGET /health HTTP/1.1\r\nHost: x\r\n\r\n\r\nGET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    assert_eq!([connection.response().await.status, connection.response().await.status], [200, 200]);
}

#[tokio::test]
async fn empty_lines_without_end_are_refused() {
    let server = TestServer::start().await;
    let mut connection = server.connect().await;
    let _ = connection.send("\r\n".repeat(10_000)).await;
    let refused = connection.response().await;
    assert_eq!((refused.status, refused.json()["detail"].as_str()), (400, Some("Bad Request")));
    connection.closed().await;
}

const OFFERS: [&str; 5] = [
    "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAA\r\n",
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: c2VjcmV0IGtleQ==\r\n",
    "connection: keep-alive, upgrade\r\nupgrade: unheard-of/1.0, h2c\r\n",
    "Upgrade: websocket\r\n",
    "Connection: upgrade\r\n",
];

#[tokio::test]
async fn an_offer_to_upgrade_leaves_an_ordinary_request_on_a_persistent_connection() {
    let server = TestServer::start().await;
    for offer in OFFERS {
        let mut connection = server.connect().await;
        for body in ["", "Content-Length: 5\r\n"] {
            for _ in 0..2 {
                connection.request("GET", "/msg", &format!("{offer}{body}")).await;
                if !body.is_empty() {
                    connection.send("hello").await.unwrap();
                }
                let response = connection.response().await;
                assert_eq!(response.status, 200, "{offer}: {response:?}");
                assert_eq!(
                    (response.header("Connection"), response.header("Upgrade")),
                    (None, None),
                    "{offer}"
                );
            }
        }
    }
}

#[tokio::test]
async fn an_offer_to_upgrade_does_not_lift_the_bound_on_a_body() {
    let server = TestServer::start().await;
    let body = vec![b'x'; 3 << 20];
    for offer in OFFERS {
        for framing in ["Content-Length: 3145728\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n300000\r\n"] {
            let mut connection = server.connect().await;
            connection
                .send(format!("POST /fail/reset HTTP/1.1\r\nHost: x\r\n{offer}{framing}"))
                .await
                .unwrap();
            // What is not taken is refused.
            let _ = tokio::time::timeout(Duration::from_millis(300), connection.send(&body)).await;
            assert_eq!(connection.response().await.status, 413, "{offer}{framing}");
        }
    }
}

#[tokio::test]
async fn connect_is_refused_at_once() {
    let server =
        TestServer::builder().flag("--request-timeout", 300).flag("--max-concurrency", 1).start().await;
    for target in ["/msg", "/health", "/fail/reset"] {
        let mut connection = server.connect().await;
        connection.request("CONNECT", target, "").await;
        let refused = connection.head().await;
        assert_eq!(refused.status, 405, "{target}: {refused:?}");
        assert!(refused.header("Allow").is_some(), "{target}: {refused:?}");
        connection.closed().await;
    }
    answer(server.get("/msg")).await.message_id();
}

#[tokio::test]
async fn what_is_too_long_gets_its_status_and_a_whole_answer() {
    let server = TestServer::start().await;
    let line = |length: usize| format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "x".repeat(length - 14));
    let fields =
        |count: usize| format!("GET /health HTTP/1.1\r\nHost: x\r\n{}\r\n", "X-Many: y\r\n".repeat(count));
    let field =
        |length: usize| format!("GET /health HTTP/1.1\r\nHost: x\r\nX-Long: {}\r\n\r\n", "y".repeat(length));
    let cases = [
        (line(64 << 10), 404),
        (line((64 << 10) + 1), 414),
        (line(300 << 10), 414),
        (fields(90), 200),
        (fields(200), 431),
        (fields(50_000), 431),
        (field(100 << 10), 200),
        (field(130 << 10), 431),
        (field(500 << 10), 431),
    ];
    for (bytes, status) in cases {
        let mut connection = server.connect().await;
        connection.send(&bytes).await.unwrap();
        let response = connection.response().await;
        assert_eq!(response.status, status, "{} bytes", bytes.len());
        assert!(response.header("X-Correlation-ID").is_some(), "{response:?}");
        if status > 404 {
            assert!(response.json()["detail"].is_string(), "{response:?}");
            assert_eq!(response.header("Connection"), Some("close"));
            assert!(connection.closed().await.is_empty());
        }
    }
}

#[tokio::test]
async fn a_refusal_arrives_although_the_client_goes_on_sending() {
    let server = TestServer::start().await;
    for start in ["nonsense\r\n\r\n", "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n"] {
        let mut connection = server.connect().await;
        connection.send(start.to_owned() + &"x".repeat(200_000)).await.unwrap();
        assert_eq!(connection.response().await.status, 400, "{start:?}");
        connection.closed().await;
    }
}

#[tokio::test]
async fn a_malformed_chunk_gets_one_whole_refusal() {
    let server = TestServer::start().await;
    for (method, path) in [("POST", "/fail/count/3"), ("GET", "/msg")] {
        let mut connection = server.connect().await;
        connection.request(method, path, "Transfer-Encoding: chunked\r\n").await;
        connection.send("5\r\nhello!!GET /health HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        let refused = connection.response().await;
        assert_eq!(
            (refused.status, refused.json()["detail"].as_str()),
            (400, Some("Malformed request body"))
        );
        assert!(connection.closed().await.is_empty(), "nothing behind it is answered");
    }
    assert_eq!(answer(server.get("/fail/status")).await.body["currently_failing"], false);
}

#[tokio::test]
async fn extensions_of_a_chunk_and_trailers_without_end_are_refused() {
    let server = TestServer::start().await;
    for begin in ["1;", "0\r\nX: "] {
        let mut connection = server.connect().await;
        connection.request("POST", "/fail/count/3", "Transfer-Encoding: chunked\r\n").await;
        connection.send(begin).await.unwrap();
        connection.send("a".repeat(64 * 1024)).await.unwrap();
        let refused = connection.response().await;
        assert_eq!(
            (refused.status, refused.json()["detail"].as_str()),
            (400, Some("Malformed request body"))
        );
    }
    assert_eq!(answer(server.get("/fail/status")).await.body["currently_failing"], false);
}

#[tokio::test]
async fn a_body_is_asked_for_only_when_it_is_wanted() {
    let server = TestServer::start().await;
    let mut connection = server.connect().await;
    for _ in 0..2 {
        connection.request("POST", "/fail/reset", "Expect: 100-continue\r\nContent-Length: 5\r\n").await;
        assert_eq!(connection.head().await.status, 100);
        connection.send("hello").await.unwrap();
        assert_eq!(connection.response().await.status, 200);
    }
    connection.request("POST", "/fail/reset", "Expect: 100-continue\r\nContent-Length: 100000\r\n").await;
    let refused = connection.response().await;
    assert_eq!((refused.status, refused.json()["detail"].is_string()), (413, true));
    assert!(refused.header("X-Correlation-ID").is_some(), "{refused:?}");
}

#[tokio::test]
async fn pipelined_requests_are_answered_one_after_another() {
    let server = TestServer::builder().flag("--workers", 1).start().await;
    let mut connection = server.connect().await;
    let requests: String = (0..500)
        .map(|n| format!("GET /nope/{n} HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"))
        .collect();
    connection.send(requests + "GET /msg HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.unwrap();
    for n in 0..500 {
        assert_eq!(connection.response().await.status, 404, "{n}");
    }
    assert_eq!(connection.response().await.status, 200);
    assert!(connection.closed().await.is_empty());
}
