//! Bytes that no correct client sends. The server never panics, logs no error, uses bounded memory, and answers or
//! closes every connection in bounded time.

use std::time::Duration;

use futures::future::join_all;
use workspace_tests::siege::{Target, statuses};
use workspace_tests::{RawConnection, answer, within};

/// Connections that send requests without end and read no answer.
const GREEDY: u64 = 8;

/// What one of them may make the server take: its buffers, and the few requests that are read ahead.
const PIPELINE: u64 = 4 << 20;

#[tokio::test]
async fn a_request_with_ambiguous_framing_is_refused_and_nothing_after_it_is_answered() {
    let target = Target::start().await;
    let ambiguous = [
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
        "Content-Length: 5\r\nContent-Length: 6\r\n",
        "Content-Length: 5, 6\r\n",
        "Content-Length: +5\r\n",
        "Content-Length: 0x5\r\n",
        "Content-Length: 5 5\r\n",
        "Content-Length: \r\n",
        "Content-Length: 99999999999999999999999\r\n",
        "Content-Length : 5\r\n",
        "Transfer-Encoding : chunked\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding: chunked, identity\r\n",
        "Transfer-Encoding: identity, chunked, gzip\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        "Transfer-Encoding: \x0bchunked\r\n",
        "X: y\r\n Transfer-Encoding: chunked\r\n",
        "Transfer-Encoding:\r\n chunked\r\n",
        "Content-Length: 5\r\n\tX: y\r\n",
    ];
    for headers in ambiguous {
        let mut connection = target.server.connect().await;
        let request = format!("POST /fail/reset HTTP/1.1\r\nHost: x\r\n{headers}\r\n0\r\n\r\n");
        connection.send(request + "GET /msg HTTP/1.1\r\nHost: smuggled\r\n\r\n").await.unwrap();
        let brought = connection.closed().await;
        assert_eq!(statuses(&brought), [400], "{headers:?}: {}", String::from_utf8_lossy(&brought));
    }
    target.unharmed().await;
}

#[tokio::test]
async fn invalid_chunks_end_the_connection_and_no_request_in_them_is_answered() {
    let target = Target::start().await;
    let chunks = [
        "x\r\n",
        "-1\r\n",
        "5\rhello",
        "5\nhello\n0\n\n",
        "fffffffffffffffff\r\n",
        "5\r\nhello!!0\r\n\r\n",
        "\r\n",
        "0x5\r\nhello\r\n0\r\n\r\n",
    ];
    for chunk in chunks {
        for (method, path) in [("POST", "/fail/reset"), ("GET", "/msg")] {
            let mut connection = target.server.connect().await;
            connection.request(method, path, "Transfer-Encoding: chunked\r\n").await;
            let _ = connection.send(format!("{chunk}GET /nope HTTP/1.1\r\nHost: smuggled\r\n\r\n")).await;
            let brought = connection.closed().await;
            let statuses = statuses(&brought);
            assert!(statuses.len() <= 1 && !statuses.contains(&404), "{chunk:?}: {statuses:?}");
            assert!(statuses.iter().all(|status| *status < 500), "{chunk:?}: {statuses:?}");
        }
    }
    target.unharmed().await;
}

#[tokio::test]
async fn other_protocols_are_refused() {
    let target = Target::start().await;
    let hellos: [&[u8]; 6] = [
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0",
        b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.9\r\n\r\n",
        b"EHLO example.org\r\n\r\n",
        b"*1\r\n$4\r\nPING\r\n\r\n",
        b"GET /msg\r\n\r\n",
    ];
    for hello in hellos {
        let mut connection = target.server.connect().await;
        connection.send(hello).await.unwrap();
        let brought = connection.closed().await;
        assert_eq!(statuses(&brought), [400], "{:?}", String::from_utf8_lossy(hello));
    }
    target.unharmed().await;
}

#[tokio::test]
async fn requests_without_an_end_are_ended_by_the_server() {
    let target = Target::start().await;
    let endless: [(&str, String); 7] = [
        ("", "\r\n".repeat(1000)),
        ("GET /msg HTTP/1.1\r\n", "a: b\r\n".repeat(1000)),
        ("GET /msg HTTP/1.1\r\nHost: x\r\n", "X-Request-ID: x\r\n".repeat(1000)),
        ("GET /", "x".repeat(6000)),
        ("POST /fail/reset HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5;", "x".repeat(6000)),
        ("POST /fail/reset HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n".repeat(1000)),
        (
            "POST /fail/reset HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
            "X-Trailer: y\r\n".repeat(400),
        ),
    ];
    let senders = endless.iter().map(|(start, piece)| {
        let server = &target.server;
        async move {
            let mut connection = server.connect().await;
            let _ = connection.send(start).await;
            let sending = async { while connection.send(piece).await.is_ok() {} };
            within(&format!("an end of {start:?} and {:?} without end", &piece[..6]), sending).await;
        }
    });
    join_all(senders).await;
    target.unharmed().await;
}

#[tokio::test]
async fn requests_that_arrive_byte_by_byte_are_ended_by_the_server() {
    let target = Target::start().await;
    let slow: [(&str, &str); 5] = [
        ("", "\r\n"),
        ("GET /msg HTTP/1.1\r\n", "a: b\r\n"),
        ("POST /fail/reset HTTP/1.1\r\nContent-Length: 1000\r\n\r\n", "x"),
        ("GET /msg HTTP/1.1\r\nContent-Length: 1000\r\n\r\n", "x"),
        ("POST /fail/reset HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n"),
    ];
    let senders = slow.iter().map(|(start, piece)| {
        let server = &target.server;
        async move {
            let mut connection = server.connect().await;
            let _ = connection.send(start).await;
            let drip = async {
                while connection.send(piece).await.is_ok() {
                    tokio::time::sleep(Duration::from_millis(150)).await;
                }
            };
            within(&format!("an end of {start:?} with {piece:?} now and then"), drip).await;
        }
    });
    join_all(senders).await;
    target.unharmed().await;
}

#[tokio::test]
async fn silent_connections_and_unfinished_requests_are_closed_however_many_there_are() {
    let target = Target::start().await;
    let beginnings = [
        "",
        "G",
        "GET /msg HTTP/1.1\r\nHost: x\r\n",
        "\r\n",
        "POST /fail/reset HTTP/1.1\r\nContent-Length: 9\r\n\r\nhalf",
    ];
    let mut connections: Vec<RawConnection> = Vec::new();
    for n in 0..300 {
        let mut connection = target.server.connect().await;
        connection.send(beginnings[n % beginnings.len()]).await.unwrap();
        connections.push(connection);
    }
    answer(target.server.get("/msg")).await.message_id();
    join_all(connections.into_iter().map(RawConnection::closed)).await;
    target.unharmed().await;
}

#[tokio::test]
async fn unread_answers_take_no_more_memory_than_what_was_read_of_their_requests() {
    let target = Target::start().await;
    let requests = "GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n".repeat(1000);
    let mut greedy = Vec::new();
    for _ in 0..GREEDY {
        let mut connection = target.server.connect().await;
        // Far more than fits into any buffer; whatever is not taken is given up.
        let sending = async {
            for _ in 0..200 {
                connection.send(&requests).await?;
            }
            Ok::<_, std::io::Error>(())
        };
        let all = tokio::time::timeout(Duration::from_millis(400), sending).await;
        assert!(
            !matches!(all, Ok(Ok(()))),
            "200 000 requests were taken although their answers are not read"
        );
        greedy.push(connection);
    }
    let now = target.server.footprint();
    let bound = target.before.resident + GREEDY * PIPELINE;
    assert!(now.resident < bound, "{:?}, now {now:?}", target.before);
    drop(greedy);
    // The allocator may keep what it got for them; nothing more is asked than that the server serves.
    answer(target.server.get("/msg")).await.message_id();
}
