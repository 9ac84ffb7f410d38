//! Faults after which the connection goes on for a while, and faults that take their time.

use std::time::{Duration, Instant};

use workspace_tests::{Ended, RawConnection, TestServer, answer, within};

/// Sends a request with `X-Fault`.
async fn ask(server: &TestServer, path: &str, fault: &str) -> RawConnection {
    let mut connection = server.connect().await;
    connection.request("GET", path, &format!("X-Fault: {fault}\r\n")).await;
    connection
}

/// The connection is spent: the next request on it is read, gets not a byte, is not executed and takes no step.
async fn is_spent(server: &TestServer, mut connection: RawConnection, what: &str) {
    answer(server.post("/fail/script/503")).await;
    connection
        .send("POST /echo HTTP/1.1\r\nHost: x\r\nIdempotency-Key: spent\r\nContent-Length: 5\r\n\r\nhello")
        .await
        .expect("the connection is open");
    assert_eq!(connection.end().await, (String::new(), Ended::Closed), "{what}");
    assert_eq!(answer(server.get("/msg")).await.status, 503, "{what}: the request has taken a step");
    let first = server.post("/echo").header("Idempotency-Key", "spent").body("hello");
    assert!(!answer(first).await.is_replayed(), "{what}: the request was executed");
    answer(server.post("/reset")).await;
}

#[tokio::test]
async fn a_stale_connection_gives_a_good_answer_and_the_next_request_the_end() {
    let server = TestServer::start().await;
    for requests_before in [0, 2] {
        let mut connection = server.connect().await;
        for _ in 0..requests_before {
            assert_eq!(connection.get("/msg").await.status, 200);
        }
        connection.request("GET", "/msg", "X-Fault: stale\r\n").await;
        let response = connection.response().await;
        assert_eq!((response.status, response.header("connection")), (200, None), "it says it stays open");
        tokio::time::sleep(Duration::from_millis(1500)).await;
        is_spent(&server, connection, "stale").await;
    }
    for next in [
        "GET /s/unknown/msg HTTP/1.1\r\nHost: x\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
        "no HTTP\r\n\r\n",
    ] {
        let mut connection = ask(&server, "/msg", "stale").await;
        assert_eq!(connection.response().await.status, 200);
        connection.send(next).await.expect("the connection is open");
        assert_eq!(connection.end().await, (String::new(), Ended::Closed), "{next}");
    }
}

#[tokio::test]
async fn a_broken_answer_leaves_its_connection_open_for_a_second() {
    let server = TestServer::start().await;
    for (fault, is_broken) in [
        ("garbage", (|text| !text.contains("HTTP/1.1") && text.ends_with("\r\n\r\n")) as fn(&str) -> bool),
        ("malformed_chunk", |text| {
            text.contains("\r\ntransfer-encoding: chunked\r\n")
                && !text.contains("content-length")
                && text.contains("\"message_id\"")
                && text.ends_with("this is not the size of a chunk\r\n")
        }),
        ("extra", |text| text.matches("HTTP/1.1 200 OK\r\n").count() == 2),
    ] {
        // The second begins when the answer is sent, which may be before this test goes on.
        let sent = Instant::now();
        let mut connection = ask(&server, "/msg", fault).await;
        let (text, ended) = connection.end().await;
        assert!(is_broken(&text), "{fault}: {text}");
        assert_eq!(ended, Ended::Closed);
        assert!(sent.elapsed() >= Duration::from_secs(1), "{fault} closes after {:?}", sent.elapsed());

        let mut connection = server.connect().await;
        let sent = Instant::now();
        connection.request("GET", "/msg", &format!("X-Fault: {fault}\r\nConnection: close\r\n")).await;
        assert!(is_broken(&connection.end().await.0.replace("connection: close\r\n", "")), "{fault}");
        assert!(sent.elapsed() >= Duration::from_secs(1), "{fault} closes after {:?}", sent.elapsed());

        let mut connection = ask(&server, "/msg", fault).await;
        assert!(is_broken(&connection.bytes(text.len()).await), "{fault}");
        is_spent(&server, connection, fault).await;
    }
}

#[tokio::test]
async fn what_is_pipelined_behind_a_broken_answer_is_not_answered() {
    let server = TestServer::start().await;
    for fault in ["garbage", "malformed_chunk", "extra", "stale", "http10", "early", "truncate", "reset:20"] {
        answer(server.post("/fail/script/ok,503")).await;
        let mut connection = server.connect().await;
        let last = "GET /msg HTTP/1.1\r\nHost: x\r\n\r\n";
        connection
            .send(format!("{last}GET /msg HTTP/1.1\r\nHost: x\r\nX-Fault: {fault}\r\n\r\n{last}{last}"))
            .await
            .expect("the connection is open");
        assert_eq!(connection.response().await.status, 200, "the answer before {fault} is whole");
        let (text, _) = connection.end().await;
        assert!(!text.contains("HTTP/1.1 503"), "{fault}: {text}");
        assert_eq!(answer(server.get("/msg")).await.status, 503, "what was behind {fault} took a step");
    }
}

#[tokio::test]
async fn an_early_answer_comes_before_the_body_and_the_connection_is_half_closed() {
    let server = TestServer::start().await;
    for (fault, status) in [("early", 413), ("early:401", 401)] {
        let mut connection = server.connect().await;
        let head =
            format!("POST /echo HTTP/1.1\r\nHost: x\r\nX-Fault: {fault}\r\nContent-Length: 100000\r\n\r\n");
        connection.send(head).await.expect("the connection is open");
        let response = connection.response().await;
        assert_eq!((response.status, response.header("connection")), (status, Some("close")));
        let (rest, ended) = connection.end().await;
        assert_eq!((rest.as_str(), ended), ("", Ended::Closed), "half-closed");
        let answered = Instant::now();
        let closed = async {
            while connection.send("x").await.is_ok() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        within("the connection closes", closed).await;
        assert!(answered.elapsed() >= Duration::from_secs(1), "it takes bytes for a while");
    }
}

#[tokio::test]
async fn an_answer_of_http_1_0_is_the_last_of_its_connection() {
    let server = TestServer::start().await;
    let (text, ended) = ask(&server, "/msg", "http10").await.end().await;
    assert!(text.starts_with("HTTP/1.0 200 OK\r\n") && !text.contains("connection"), "{text}");
    let (head, body) = text.split_once("\r\n\r\n").expect("a whole head");
    assert!(head.contains(&format!("content-length: {}", body.len())), "{text}");
    assert_eq!(ended, Ended::Closed);
}

#[tokio::test]
async fn interim_answers_come_first_and_none_to_http_1_0() {
    let server = TestServer::start().await;
    let mut connection = ask(&server, "/msg", "interim").await;
    let hints = "HTTP/1.1 103 Early Hints\r\n\r\n";
    assert_eq!(connection.bytes(hints.len()).await, hints);
    assert_eq!(connection.response().await.status, 200);
    assert_eq!(connection.get("/msg").await.status, 200, "the connection goes on");
    connection.send("GET /msg HTTP/1.0\r\nX-Fault: interim\r\n\r\n").await.expect("the connection is open");
    let (text, _) = connection.end().await;
    assert!(text.starts_with("HTTP/1.0 200 OK\r\n") || text.starts_with("HTTP/1.1 200 OK\r\n"), "{text}");
}

#[tokio::test]
async fn a_drip_is_the_whole_answer_slowly_and_outside_the_request_timeout() {
    let server = TestServer::builder().flag("--request-timeout", 1).start().await;
    let mut connection = server.connect().await;
    let next = "GET /msg HTTP/1.1\r\nHost: x\r\n\r\n";
    let sent = Instant::now();
    connection
        .send(format!("GET /msg HTTP/1.1\r\nHost: x\r\nX-Fault: drip:100\r\n\r\n{next}"))
        .await
        .expect("the connection is open");
    let first = connection.response().await;
    assert_eq!(first.status, 200);
    assert!(sent.elapsed() >= Duration::from_millis(1500), "{:?}", sent.elapsed());
    assert_eq!(connection.response().await.status, 200, "the connection goes on");
}

#[tokio::test]
async fn a_client_that_leaves_a_drip_is_noticed_and_a_stop_ends_it() {
    let mut server = TestServer::builder().flag("--shutdown-timeout", 1).flag("--workers", 1).start().await;
    let mut other = server.connect().await;
    assert_eq!(other.get("/msg").await.status, 200);
    let before = server.footprint();
    for is_reset in [false, true] {
        let mut connection = ask(&server, "/msg", "drip:1").await;
        assert_eq!(connection.bytes(1).await, "H");
        if is_reset { connection.abort() } else { connection.close() }
    }
    let left = async {
        while server.footprint().descriptors > before.descriptors {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    within("the connections are closed", left).await;
    let mut connection = ask(&server, "/msg", "drip:1").await;
    assert_eq!(connection.bytes(1).await, "H");
    server.terminate();
    assert_eq!(server.wait_exit().await.code, Some(0));
}
