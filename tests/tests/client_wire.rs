//! The client against a server that misbehaves byte by byte.

use std::time::Duration;

use resilient_client::{ClientConfig, Error, ErrorKind, GaveUp, ResilientClient, Response, RetryConfig};
use workspace_tests::wire_server::{Act, Reading, WireServer, drip, reply, send, until};

/// Two attempts with a wait of a millisecond.
fn config(url: String) -> ClientConfig {
    let mut config = workspace_tests::direct(url);
    config.retry =
        RetryConfig { max_attempts: 2, min_wait: Duration::from_millis(1), jitter: false, ..config.retry };
    config.circuit_breaker.failure_threshold = 1_000;
    config
}

fn client(server: &WireServer) -> ResilientClient {
    ResilientClient::start(config(server.url())).expect("a valid configuration")
}

fn impatient(server: &WireServer) -> ResilientClient {
    let mut config = config(server.url());
    let soon = Duration::from_millis(100);
    (config.timeout.read, config.timeout.write) = (soon, soon);
    ResilientClient::start(config).expect("a valid configuration")
}

async fn get(server: &WireServer) -> Result<Response, Error> {
    client(server).get("/").send().await
}

async fn assert_never_a_success(case: &str, acts: Vec<Act>) {
    let server = WireServer::always(acts).await;
    let error = get(&server).await.map(|reply| reply.body().clone()).expect_err(case);
    assert_eq!(error.kind().name(), "network", "{case}: {error}");
    assert_eq!((error.attempts().len(), server.request_count()), (2, 2), "{case}: {error}");
    assert_eq!(error.gave_up(), Some(GaveUp::AttemptsExhausted), "{case}");
    assert!(error.is_retryable(), "{case}");
}

#[actix_rt::test]
async fn a_reply_that_is_cut_short_is_never_a_success() {
    let chunked = |rest: &str| send(format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{rest}"));
    for (case, bytes) in [
        ("nothing at all", send("")),
        ("half a head", send("HTTP/1.1 200 OK\r\nContent-Le")),
        ("a head without its last line", send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n")),
        ("a length and no body", send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")),
        ("a length and half a body", send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0123456789")),
        (
            "the same, announcing the end",
            send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 9\r\n\r\n01"),
        ),
        ("a length in HTTP/1.0", send("HTTP/1.0 200 OK\r\nContent-Length: 100\r\n\r\n0123456789")),
        ("no first chunk", chunked("")),
        ("no last chunk", chunked("5\r\nhello\r\n")),
        ("half a chunk", chunked("5\r\nhel")),
        ("half a chunk's size", chunked("5\r\nhello\r\n1")),
        ("a last chunk without its end", chunked("5\r\nhello\r\n0\r\n")),
        ("an interim reply and nothing more", send("HTTP/1.1 100 Continue\r\n\r\n")),
    ] {
        assert_never_a_success(case, vec![bytes.clone(), Act::Close]).await;
        assert_never_a_success(&format!("{case}, reset"), vec![bytes, Act::Reset]).await;
    }
}

#[actix_rt::test]
async fn a_body_without_a_length_that_is_reset_is_never_a_success() {
    for head in ["HTTP/1.0 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n"] {
        // The reset must not overtake the bytes: the body has to begin before it is cut.
        let acts = vec![send(head), send("half"), Act::Pause(Duration::from_millis(20)), Act::Reset];
        assert_never_a_success(head, acts).await;
    }
}

#[actix_rt::test]
async fn what_is_not_http_is_never_a_success() {
    for (case, bytes) in [
        ("another protocol", "SSH-2.0-OpenSSH_9.6\r\n".to_owned()),
        ("noise", "\u{1}\u{2}\u{3}\r\n\r\n".to_owned()),
        ("HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned()),
        ("an unknown version", "HTTP/3.7 200 OK\r\n\r\n".to_owned()),
        ("a status that is not a number", "HTTP/1.1 2x0 OK\r\n\r\n".to_owned()),
        ("a length that is not a number", "HTTP/1.1 200 OK\r\nContent-Length: ten\r\n\r\n".to_owned()),
        ("a negative length", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n".to_owned()),
        ("two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab".to_owned()),
        (
            "a length beyond counting",
            "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n".to_owned(),
        ),
        ("an unknown coding", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n".to_owned()),
        ("an invalid chunk size", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n".to_owned()),
        (
            "a chunk beyond counting",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n".to_owned(),
        ),
        (
            "a switch of protocols",
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n".to_owned(),
        ),
    ] {
        assert_never_a_success(case, vec![send(bytes), Act::Stall]).await;
    }
}

#[actix_rt::test]
async fn a_whole_reply_is_read_whole_however_it_is_framed_and_sent() {
    let body = "hello";
    for (case, bytes, expected) in [
        ("a length", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", body),
        ("a length of zero", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", ""),
        (
            "chunks",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\n\r\n",
            body,
        ),
        ("HTTP/1.0 to the end", "HTTP/1.0 200 OK\r\n\r\nhello", body),
        ("HTTP/1.0 to the end, empty", "HTTP/1.0 200 OK\r\n\r\n", ""),
        ("HTTP/1.0 with a length", "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello", body),
        ("HTTP/1.1 to the end", "HTTP/1.1 200 OK\r\n\r\nhello", body),
        ("HTTP/1.1 to the announced end", "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello", body),
        ("HTTP/1.1 to the end, empty", "HTTP/1.1 200 OK\r\n\r\n", ""),
        ("no content", "HTTP/1.1 204 No Content\r\n\r\n", ""),
        ("continue", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", body),
        (
            "early hints, twice",
            "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\n\r\nhello",
            body,
        ),
    ] {
        for (how, act) in [("at once", send(bytes)), ("byte by byte", drip(bytes))] {
            let server = WireServer::always(vec![act, Act::Close]).await;
            let reply = get(&server).await.unwrap_or_else(|error| panic!("{case}, {how}: {error:?}"));
            assert_eq!(reply.text().unwrap(), expected, "{case}, {how}");
            assert_eq!(reply.attempts().len(), 1, "{case}, {how}");
        }
    }
}

#[actix_rt::test]
async fn a_reply_without_a_body_ends_with_its_head() {
    // Each of these would hang if a body were expected.
    for (case, bytes, status) in [
        ("204 with a length", "HTTP/1.1 204 No Content\r\nContent-Length: 10\r\n\r\n", Ok(204)),
        ("304 with a length", "HTTP/1.1 304 Not Modified\r\nContent-Length: 10\r\n\r\n", Err(Some(304))),
        ("HTTP/1.0 with a length of zero", "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", Ok(200)),
        ("HTTP/1.0 204", "HTTP/1.0 204 No Content\r\n\r\n", Ok(204)),
    ] {
        let server = WireServer::always(vec![send(bytes), Act::Stall]).await;
        let result = get(&server).await;
        assert_eq!(result.map(|r| r.status()).map_err(|e| e.status()), status, "{case}");
    }
    let server =
        WireServer::always(vec![send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"), Act::Stall]).await;
    let reply = client(&server).head("/").send().await.unwrap();
    assert_eq!((reply.status(), reply.headers().get("content-length")), (200, Some("10")));
}

#[actix_rt::test]
async fn an_interim_reply_never_shifts_the_replies_of_a_connection() {
    // The final reply comes late, when a client that took the interim one for it would be at its next request.
    let server = WireServer::start(|n| {
        let hints = send("HTTP/1.1 103 Early Hints\r\n\r\n");
        vec![hints, Act::Pause(Duration::from_millis(10)), reply(200, "", &n.to_string())]
    })
    .await;
    // A retry would hide that the interim reply was taken for the final one.
    let mut config = config(server.url());
    config.retry.max_attempts = 1;
    let client = ResilientClient::start(config).unwrap();
    for n in 0..5 {
        assert_eq!(client.get("/").send().await.unwrap().text().unwrap(), n.to_string());
    }
    assert_eq!(server.connections(), 1);
}

#[actix_rt::test]
async fn a_silent_server_ends_an_attempt_with_a_timeout_in_every_phase() {
    for (case, acts) in [
        ("before the head", vec![Act::Stall]),
        ("in the head", vec![send("HTTP/1.1 200 O"), Act::Stall]),
        ("before the body", vec![send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"), Act::Stall]),
        ("in the body", vec![send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n01234"), Act::Stall]),
        (
            "in a chunk",
            vec![send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel"), Act::Stall],
        ),
        ("before the end", vec![send("HTTP/1.1 200 OK\r\n\r\nhello"), Act::Stall]),
    ] {
        let server = WireServer::always(acts).await;
        let error = impatient(&server).get("/").send().await.expect_err(case);
        assert_eq!(error.kind().name(), "timeout", "{case}: {error}");
        assert_eq!((error.attempts().len(), server.request_count()), (2, 2), "{case}");
        assert!(
            error.attempts().iter().all(|attempt| attempt.duration >= Duration::from_millis(100)),
            "{case}"
        );
    }
}

#[actix_rt::test]
async fn a_slow_reply_without_a_long_silence_is_read_completely() {
    // Many pauses, each far shorter than the longest silence, together far longer.
    let mut acts = vec![send("HTTP/1.1 200 OK\r\nContent-Length: 45\r\n\r\n")];
    acts.extend((0..45).flat_map(|_| [send("x"), Act::Pause(Duration::from_millis(50))]));
    let server = WireServer::always(acts).await;
    let mut config = config(server.url());
    config.timeout.read = Duration::from_secs(2);
    let reply = ResilientClient::start(config).unwrap().get("/").send().await.unwrap();
    assert_eq!((reply.body().len(), reply.attempts().len()), (45, 1));
}

#[actix_rt::test]
async fn a_server_that_reads_nothing_ends_an_attempt_with_a_timeout() {
    let server = WireServer::with(Reading::Nothing, None, |_| vec![Act::Stall]).await;
    let body = vec![0; 64 << 20];
    let error = impatient(&server).post("/").body(body).send().await.unwrap_err();
    assert_eq!(error.kind().name(), "timeout", "{error}");
    assert!(error.message().contains("took nothing"), "{error}");
}

#[actix_rt::test]
async fn an_endless_reply_is_ended_by_the_deadline() {
    // It is never silent, so that only the deadline can end it.
    let server = WireServer::start(|_| {
        let head = send("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n");
        let drops = (0..1_000_000).flat_map(|_| [send("x"), Act::Pause(Duration::from_millis(5))]);
        std::iter::once(head).chain(drops.take(20_000)).collect()
    })
    .await;
    let error = client(&server).get("/").deadline(Duration::from_millis(200)).send().await.unwrap_err();
    assert_eq!((error.kind(), error.attempts().len()), (ErrorKind::DeadlineExceeded, 1));
}

#[actix_rt::test]
async fn a_connection_is_used_again() {
    let server = WireServer::always(vec![reply(200, "", "hello")]).await;
    let client = client(&server);
    for _ in 0..10 {
        client.get("/").send().await.unwrap();
    }
    assert_eq!((server.request_count(), server.connections()), (10, 1));
}

#[actix_rt::test]
async fn a_kept_connection_that_the_server_closes_between_two_requests_costs_nothing() {
    let server = WireServer::always(vec![reply(200, "", "hello"), Act::Close]).await;
    let client = client(&server);
    for n in 1..=10 {
        assert_eq!(client.get("/").send().await.unwrap().attempts().len(), 1);
        until(|| server.ended_connections() == n).await;
        // The end has been sent; the client's runtime sees it when it polls the socket.
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(server.connections(), 10);
}

#[actix_rt::test]
async fn dropping_a_call_closes_its_connection_in_every_phase() {
    for acts in [
        vec![Act::Stall],
        vec![send("HTTP/1.1 200 OK\r\nCont"), Act::Stall],
        vec![send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n0123"), Act::Stall],
    ] {
        let server = WireServer::always(acts).await;
        let client = client(&server);
        let mut call = Box::pin(client.get("/").send());
        tokio::select! {
            biased;
            reply = &mut call => panic!("{reply:?}"),
            () = until(|| server.request_count() == 1) => {}
        }
        assert_eq!(client.in_flight(), 1);
        drop(call);
        assert_eq!((client.in_flight(), client.available_slots()), (0, 50));
        until(|| server.ended_connections() == 1).await;
        assert_eq!(server.request_count(), 1, "it sends nothing more");
    }
}

#[actix_rt::test]
async fn a_body_longer_than_allowed_is_refused_and_not_kept() {
    let long = "x".repeat(1_001);
    let chunked = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n{long}\r\n0\r\n\r\n");
    for (case, act) in [
        ("a length", reply(200, "", &long)),
        ("a length that is never sent", send("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n")),
        ("chunks", send(chunked)),
        ("to the end", send(format!("HTTP/1.1 200 OK\r\n\r\n{long}"))),
    ] {
        let server = WireServer::always(vec![act, Act::Close]).await;
        let client =
            ResilientClient::start(ClientConfig { max_body_bytes: 1_000, ..config(server.url()) }).unwrap();
        let error = client.get("/").send().await.expect_err(case);
        assert_eq!((error.kind(), error.attempts().len()), (ErrorKind::BodyTooLarge, 1), "{case}");
    }
    let server = WireServer::always(vec![reply(200, "", &long[1..])]).await;
    let client =
        ResilientClient::start(ClientConfig { max_body_bytes: 1_000, ..config(server.url()) }).unwrap();
    assert_eq!(client.get("/").send().await.unwrap().body().len(), 1_000);
}

#[actix_rt::test]
async fn a_large_body_is_complete_in_both_directions() {
    let large = "0123456789abcdef".repeat(1 << 16);
    let expected = large.clone();
    let server = WireServer::always(vec![reply(200, "", &large)]).await;
    let reply = client(&server).post("/").body(large).send().await.unwrap();
    assert_eq!(reply.body(), expected.as_bytes());
    assert!(server.requests()[0].ends_with(&expected));
}
