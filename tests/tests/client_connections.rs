//! Which connections the client uses again, and for how long.

use std::{process::Stdio, time::Duration};

use futures::StreamExt;
use resilient_client::{ClientConfig, Error, ResilientClient, Response, RetryConfig, RetryMethods};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::Command,
};
use workspace_tests::{
    guard::within,
    wire_server::{Act, Gate, WireServer, drip, send, until},
};

/// One attempt a call, so that no retry hides a failure.
fn config(url: String) -> ClientConfig {
    let mut config = workspace_tests::direct(url);
    config.retry = RetryConfig { max_attempts: 1, ..config.retry };
    config.circuit_breaker.failure_threshold = 1_000;
    config
}

fn client(server: &WireServer) -> ResilientClient {
    ResilientClient::start(config(server.url())).expect("a valid configuration")
}

async fn get(client: &ResilientClient) -> Result<Response, Error> {
    client.get("/").send().await
}

/// Waits until all that belongs to so many requests has been written, and the client's thread has seen it.
async fn has_arrived(server: &WireServer, requests: usize) {
    until(|| server.played() == requests).await;
    // The runtime looks at its sockets when it has nothing else to do.
    tokio::time::sleep(Duration::from_millis(1)).await;
}

const STRAY: &str = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nstray";

/// A reply whose body is `body`, in one of the framings that keep a connection.
fn framed(framing: &str, body: &str) -> String {
    match framing {
        "length" => format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()),
        "chunked" => {
            format!(
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n",
                body.len()
            )
        }
        "kept 1.0" => {
            format!(
                "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            )
        }
        other => panic!("no such framing: {other}"),
    }
}

#[actix_rt::test]
async fn bytes_after_a_reply_are_never_the_answer_of_another_call() {
    for framing in ["length", "chunked", "kept 1.0"] {
        for (case, acts) in [
            ("in the same write", vec![0, 1]),
            ("in a later write", vec![0, 2, 1]),
            ("both, and once more", vec![0, 1, 2, 1]),
            ("byte by byte", vec![3]),
        ] {
            let server = WireServer::start(move |n| {
                let own = framed(framing, &n.to_string());
                match acts[..] {
                    [0, 1] => vec![send(own + STRAY)],
                    [0, 2, 1] => vec![send(own), Act::Pause(Duration::from_millis(50)), send(STRAY)],
                    [0, 1, 2, 1] => {
                        vec![send(own + STRAY), Act::Pause(Duration::from_millis(50)), send(STRAY)]
                    }
                    _ => vec![drip(own + STRAY)],
                }
            })
            .await;
            let client = client(&server);
            for n in 0..4 {
                let reply = get(&client).await.unwrap_or_else(|error| panic!("{framing}, {case}: {error:?}"));
                assert_eq!(reply.text().unwrap(), n.to_string(), "{framing}, {case}");
                // Bytes that come while the next call is being sent could not be told from its reply.
                has_arrived(&server, n + 1).await;
            }
            assert_eq!(server.connections(), 4, "{framing}, {case}: each connection is retired");
        }
    }
}

#[actix_rt::test]
async fn a_reply_and_bytes_after_it_are_told_apart_wherever_they_are_cut() {
    for framing in ["length", "chunked"] {
        let whole = framed(framing, "own") + STRAY;
        for cut in 1..whole.len() {
            let (first, second) = (whole[..cut].to_owned(), whole[cut..].to_owned());
            let server = WireServer::start(move |n| match n {
                0 => vec![send(&first), Act::Pause(Duration::from_millis(1)), send(&second)],
                _ => vec![send(framed("length", "next"))],
            })
            .await;
            let client = client(&server);
            assert_eq!(get(&client).await.unwrap().text().unwrap(), "own", "{framing}, {cut}");
            // The rest may come with the first reply or after it.
            has_arrived(&server, 1).await;
            assert_eq!(get(&client).await.unwrap().text().unwrap(), "next", "{framing}, {cut}");
        }
    }
}

#[actix_rt::test]
async fn a_connection_with_bytes_beyond_a_reply_is_closed_at_once() {
    let server =
        WireServer::start(|n| vec![send(framed("length", &n.to_string()) + STRAY), Act::Stall]).await;
    let client = client(&server);
    get(&client).await.unwrap();
    until(|| server.ended_connections() == 1).await;
}

#[actix_rt::test]
async fn a_reply_of_http_1_0_is_the_last_of_its_connection_unless_it_says_otherwise() {
    for (head, connections) in [
        ("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n", 5),
        ("HTTP/1.0 200 OK\r\nConnection: x\r\nContent-Length: 2\r\n", 5),
        ("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n", 1),
        ("HTTP/1.0 200 OK\r\nconnection: Keep-Alive, x\r\nContent-Length: 2\r\n", 1),
        ("HTTP/1.0 200 OK\r\nConnection: keep-alive, close\r\nContent-Length: 2\r\n", 5),
        ("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n", 5),
    ] {
        for whole in [send(format!("{head}\r\nok")), drip(format!("{head}\r\nok"))] {
            // It keeps the connection open, as python's server does for a moment.
            let server = WireServer::always(vec![whole]).await;
            let client = client(&server);
            for _ in 0..5 {
                assert_eq!(get(&client).await.unwrap().text().unwrap(), "ok", "{head}");
            }
            assert_eq!(server.connections(), connections, "{head}");
        }
    }
}

#[actix_rt::test]
async fn the_transfer_coding_of_a_reply_of_http_1_0_is_decoded_or_an_error() {
    let chunked = "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n";
    for (case, bytes, expected) in [
        ("whole", format!("{chunked}\r\n2\r\nok\r\n0\r\n\r\n"), Some("ok")),
        ("kept", format!("{chunked}Connection: keep-alive\r\n\r\n2\r\nok\r\n0\r\n\r\n"), Some("ok")),
        ("with a length", format!("{chunked}Content-Length: 12\r\n\r\n2\r\nok\r\n0\r\n\r\n"), Some("ok")),
        ("cut", format!("{chunked}\r\n2\r\nok\r\n"), None),
        ("cut in a chunk", format!("{chunked}\r\n5\r\nok"), None),
        ("another coding", "HTTP/1.0 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nok".to_owned(), None),
        (
            "two codings",
            "HTTP/1.0 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n".to_owned(),
            None,
        ),
    ] {
        for act in [send(&bytes), drip(&bytes)] {
            let server = WireServer::always(vec![act, Act::Close]).await;
            let client = client(&server);
            for _ in 0..2 {
                let got = get(&client).await;
                match (got, expected) {
                    (Ok(reply), Some(body)) => assert_eq!(reply.text().unwrap(), body, "{case}"),
                    (Err(error), None) => assert_eq!(error.kind().name(), "network", "{case}: {error}"),
                    (got, _) => panic!("{case}: {got:?}"),
                }
            }
            assert_eq!(server.connections(), 2, "{case}");
        }
    }
}

#[actix_rt::test]
async fn two_hundred_calls_to_pythons_server_succeed_with_one_attempt_each() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("file.txt"), "hello").unwrap();
    let python = Command::new("python3")
        .args(["-u", "-m", "http.server", "0", "--bind", "127.0.0.1"])
        .current_dir(folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn();
    let mut python = match python {
        Ok(python) => python,
        Err(error) => {
            eprintln!("NOT RUN: python3 is missing ({error})");
            return;
        }
    };
    let mut lines = BufReader::new(python.stdout.take().unwrap()).lines();
    let line = within("python's server to start", lines.next_line()).await.unwrap().unwrap();
    let url = line.split(['(', ')']).nth(1).expect("its first line has the address in parentheses");
    let client = ResilientClient::start(config(url.trim_end_matches('/').to_owned())).unwrap();
    let calls = futures::stream::iter((0..200).map(|_| client.get("/file.txt").send()));
    let replies: Vec<_> = calls.buffer_unordered(10).collect().await;
    for reply in replies {
        assert_eq!(reply.unwrap().text().unwrap(), "hello");
    }
}

/// A server that ends its first connection in some way when the second request comes on it.
async fn closing_on_reuse(end: Act) -> WireServer {
    WireServer::start(move |n| match n {
        1 => vec![end.clone()],
        _ => vec![send(framed("length", "hello"))],
    })
    .await
}

#[actix_rt::test]
async fn a_reused_connection_that_ends_before_a_byte_of_the_reply_costs_no_attempt() {
    for end in [Act::Close, Act::Reset] {
        let server = closing_on_reuse(end).await;
        let client = client(&server);
        get(&client).await.unwrap();
        let second = client.post("/").request_id("once").body(vec![b'x'; 100]).send().await.unwrap();
        assert_eq!(second.attempts().len(), 1);
        let requests = server.requests();
        assert_eq!((requests.len(), server.connections()), (3, 2));
        let lines = |request: &str| {
            let mut lines: Vec<_> = request.lines().map(str::to_owned).collect();
            // awc writes the fields in an order of its own.
            lines.sort();
            lines
        };
        assert_eq!(lines(&requests[1]), lines(&requests[2]), "everything is sent again as it was");
    }
}

#[actix_rt::test]
async fn it_is_sent_again_on_a_new_connection_and_only_once() {
    // Two idle connections, and a server that ends every connection at its second request.
    let gate = Gate::closed();
    let opened = gate.clone();
    let server = WireServer::start(move |n| match n {
        0 | 1 => vec![Act::Wait(opened.clone()), send(framed("length", "hello"))],
        _ => vec![Act::Close],
    })
    .await;
    let client = client(&server);
    let both = futures::future::join(get(&client), get(&client));
    let gated = async {
        until(|| server.request_count() == 2).await;
        gate.open();
    };
    let ((first, second), ()) = futures::future::join(both, gated).await;
    first.unwrap();
    second.unwrap();
    let error = get(&client).await.unwrap_err();
    assert_eq!((error.kind().name(), error.attempts().len()), ("network", 1));
    assert_eq!((server.request_count(), server.connections()), (4, 3));
}

#[actix_rt::test]
async fn it_is_not_sent_again_where_that_is_not_safe() {
    for (methods, post_is_safe) in [(RetryMethods::All, true), (RetryMethods::IdempotentOnly, false)] {
        let server = closing_on_reuse(Act::Close).await;
        let mut config = config(server.url());
        config.retry.methods = methods;
        let client = ResilientClient::start(config).unwrap();
        get(&client).await.unwrap();
        let result = client.post("/").send().await;
        assert_eq!(result.is_ok(), post_is_safe, "{result:?}");
        assert_eq!(server.request_count(), if post_is_safe { 3 } else { 2 });
    }
    // A reply had begun.
    let server = WireServer::start(|n| match n {
        1 => vec![send("H"), Act::Close],
        _ => vec![send(framed("length", "hello"))],
    })
    .await;
    let client = client(&server);
    get(&client).await.unwrap();
    get(&client).await.unwrap_err();
    assert_eq!(server.request_count(), 2);
}

#[actix_rt::test]
async fn a_new_connection_that_ends_before_a_byte_of_the_reply_costs_its_attempt() {
    let server = WireServer::always(vec![Act::Close]).await;
    get(&client(&server)).await.unwrap_err();
    assert_eq!(server.request_count(), 1);
}
