//! What each fault does to the bytes of an answer and to its connection, as a raw client sees it.

use workspace_tests::{Ended, RawConnection, TestServer, answer};

/// Sends a request with `X-Fault`.
async fn ask(server: &TestServer, path: &str, fault: &str) -> RawConnection {
    let mut connection = server.connect().await;
    connection.request("GET", path, &format!("X-Fault: {fault}\r\n")).await;
    connection
}

/// The head and the body of an answer.
#[track_caller]
fn parts(text: &str) -> (&str, &str) {
    text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("this is no answer: {text:?}"))
}

/// A session, and the prefixes under which a fault must work: at the root, and in the session.
async fn prefixes(server: &TestServer) -> [String; 2] {
    let session = answer(server.post("/sessions")).await;
    [String::new(), format!("/s/{}", session.body["id"].as_str().expect("a session has an id"))]
}

#[tokio::test]
async fn a_reset_and_a_close_send_not_a_byte() {
    let server = TestServer::start().await;
    for prefix in prefixes(&server).await {
        for (fault, expected) in [
            ("reset", Ended::Reset),
            ("close", Ended::Closed),
            ("lose", Ended::Reset),
            ("lose:close", Ended::Closed),
            ("hang:0", Ended::Closed),
            ("hang:50", Ended::Closed),
        ] {
            let mut connection = ask(&server, &format!("{prefix}/msg"), fault).await;
            assert_eq!(connection.end().await, (String::new(), expected), "{prefix} {fault}");
            let mut connection = server.connect().await;
            assert_eq!(connection.get("/msg").await.status, 200);
            connection
                .send(format!(
                    "POST {prefix}/echo HTTP/1.1\r\nHost: x\r\nX-Fault: {fault}\r\nContent-Length: 5\r\n\r\nhello\
                     GET /msg HTTP/1.1\r\nHost: x\r\n\r\n"
                ))
                .await
                .unwrap();
            assert_eq!(
                connection.end().await,
                (String::new(), expected),
                "{prefix} {fault}, second and pipelined"
            );
        }
    }
}

#[tokio::test]
async fn a_large_body_is_read_before_the_connection_closes_and_what_is_left_of_it_behind_the_end() {
    let server = TestServer::start().await;
    for length in [1 << 20, 3 << 19] {
        let mut connection = server.connect().await;
        let head =
            format!("POST /echo HTTP/1.1\r\nHost: x\r\nX-Fault: close\r\nContent-Length: {length}\r\n\r\n");
        connection.send(head + &"x".repeat(length)).await.expect("the server takes it all");
        assert_eq!(connection.end().await, (String::new(), Ended::Closed), "{length}");
    }
}

#[tokio::test]
async fn a_reset_comes_after_exactly_so_many_bytes() {
    let server = TestServer::start().await;
    for count in [1, 9, 40, 200] {
        let (text, ended) = ask(&server, "/msg", &format!("reset:{count}")).await.end().await;
        assert_eq!((text.len(), ended), (count, Ended::Reset));
        assert!("HTTP/1.1 200 OK\r\n".starts_with(&text[..count.min(17)]), "{text}");
    }
    let (text, ended) = ask(&server, "/msg", "reset:100000").await.end().await;
    let (head, body) = parts(&text);
    assert!(head.contains(&format!("content-length: {}", body.len())), "a whole answer: {text}");
    assert_eq!(ended, Ended::Reset);
    assert_eq!(ask(&server, "/msg", "reset:0").await.end().await, (String::new(), Ended::Reset));
}

#[tokio::test]
async fn a_truncated_answer_promises_more_than_comes() {
    let server = TestServer::start().await;
    let whole = answer(server.get("/msg")).await.text.len();
    for (fault, length) in [
        ("truncate", whole / 2),
        ("truncate:5", 5),
        ("truncate:0", 0),
        ("truncate:1000", whole - 1),
        ("lose:truncate", whole / 2),
    ] {
        let (text, ended) = ask(&server, "/msg", fault).await.end().await;
        let (head, body) = parts(&text);
        assert!(head.contains(&format!("content-length: {whole}")), "{fault}: {text}");
        assert_eq!((body.len(), ended), (length, Ended::Closed), "{fault}: {text}");
    }
    let mut connection = server.connect().await;
    connection.request("HEAD", "/echo", "X-Fault: truncate\r\n").await;
    assert_eq!(connection.end().await, (String::new(), Ended::Closed), "no body to cut");
}
