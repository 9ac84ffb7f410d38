//! Replies that come while the body of the request is still being sent (RFC 9112, 9.5).

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use resilient_client::{ClientConfig, Error, ResilientClient, Response};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use workspace_tests::{guard::within, wire_server::until};

/// A server that serves each connection with a function of the test's.
struct Server {
    url: String,
    connections: Arc<AtomicUsize>,
}

impl Server {
    async fn start<F>(serve: impl Fn(TcpStream) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("a bound socket has an address"));
        let connections = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&connections);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(stream));
            }
        });
        Self { url, connections }
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

const LARGE: usize = 20 << 20;

fn config(server: &Server) -> ClientConfig {
    let mut config = workspace_tests::direct(&server.url);
    config.max_body_bytes = 64 << 20;
    config.retry.min_wait = Duration::from_millis(1);
    config.retry.jitter = false;
    config
}

async fn post(server: &Server) -> Result<Response, Error> {
    post_bytes(server, LARGE).await
}

async fn post_bytes(server: &Server, length: usize) -> Result<Response, Error> {
    let client = ResilientClient::start(config(server)).expect("a valid configuration");
    within("the answer", client.post("/").body(vec![b'x'; length]).send()).await
}

/// Reads the head of a request, and whatever of its body comes with it.
async fn read_head(stream: &mut TcpStream) {
    let mut seen = Vec::new();
    let mut chunk = [0; 1024];
    while !seen.windows(4).any(|window| window == b"\r\n\r\n") {
        let count = stream.read(&mut chunk).await.expect("a request");
        assert!(count > 0, "the head of the request is cut");
        seen.extend_from_slice(&chunk[..count]);
    }
}

fn reply(status: u16, fields: &str, body: &str) -> String {
    format!("HTTP/1.1 {status} Early\r\nContent-Length: {}\r\n{fields}\r\n{body}", body.len())
}

/// What a server does after an early reply.
#[derive(Clone, Copy, Debug)]
enum Then {
    /// It closes the connection, with unread bytes in it: the client's system sees a reset.
    Closes,
    /// It closes its own side, and goes on reading.
    LingersAndReads,
    /// It closes its own side, and reads no more.
    LingersAndStalls,
    /// It keeps the connection open, and reads no more.
    Stalls,
}

async fn replying_early(text: String, then: Then) -> Server {
    Server::start(move |mut stream| {
        let text = text.clone();
        async move {
            read_head(&mut stream).await;
            stream.write_all(text.as_bytes()).await.expect("room for the reply");
            match then {
                Then::Closes => {}
                Then::LingersAndReads => {
                    stream.shutdown().await.expect("a connection");
                    let mut scrap = vec![0; 64 * 1024];
                    // The client may close its side in any way.
                    while stream.read(&mut scrap).await.unwrap_or(0) > 0 {}
                }
                Then::LingersAndStalls => {
                    stream.shutdown().await.expect("a connection");
                    std::future::pending::<()>().await;
                }
                Then::Stalls => std::future::pending().await,
            }
        }
    })
    .await
}

#[actix_rt::test]
async fn an_early_refusal_is_the_answer_whatever_the_server_does_next() {
    for then in [Then::Closes, Then::LingersAndReads, Then::LingersAndStalls, Then::Stalls] {
        for (status, kind) in
            [(413, "status"), (401, "authentication"), (400, "invalid_request"), (403, "authentication")]
        {
            let server = replying_early(reply(status, "X-Why: size\r\n", "no"), then).await;
            let error = post(&server).await.unwrap_err();
            assert_eq!((error.kind().name(), error.status()), (kind, Some(status)), "{then:?}: {error}");
            assert_eq!((error.attempts().len(), server.connections()), (1, 1), "{then:?}");
            let response = error.response().unwrap();
            assert_eq!(
                (response.headers().get("x-why"), &response.body()[..]),
                (Some("size"), &b"no"[..]),
                "{then:?}"
            );
        }
    }
}

#[actix_rt::test]
async fn an_early_refusal_is_the_answer_to_a_body_of_any_length() {
    for then in [Then::Closes, Then::LingersAndReads, Then::Stalls] {
        for length in [1, 10_000, 300_000, 3_000_000] {
            let server = replying_early(reply(413, "", "no"), then).await;
            let error = post_bytes(&server, length).await.unwrap_err();
            assert_eq!(
                (error.status(), error.attempts().len()),
                (Some(413), 1),
                "{then:?}, {length}: {error}"
            );
        }
    }
}

#[actix_rt::test]
async fn the_retry_after_of_an_early_reply_is_obeyed() {
    for then in [Then::Closes, Then::Stalls] {
        let server = replying_early(reply(503, "Retry-After: 5\r\n", ""), then).await;
        let mut config = config(&server);
        config.retry.retry_after_max = Duration::from_secs(4);
        let client = ResilientClient::start(config).unwrap();
        let call = client.post("/").body(vec![b'x'; LARGE]).send();
        let error = within("the answer", call).await.unwrap_err();
        assert_eq!(error.kind().name(), "service_unavailable", "{then:?}: {error}");
        assert_eq!(error.retry_after(), Some(Duration::from_secs(5)), "{then:?}");
        assert_eq!(error.attempts().len(), 1, "{then:?}");
    }
}

#[actix_rt::test]
async fn an_early_reply_in_pieces_is_the_answer_however_its_end_is_marked() {
    for text in [
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno",
        "HTTP/1.1 413 Too Large\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n",
        "HTTP/1.1 413 Too Large\r\n\r\nno",
        "HTTP/1.0 413 Too Large\r\n\r\nno",
    ] {
        let server = Server::start(move |mut stream| async move {
            read_head(&mut stream).await;
            for byte in text.bytes() {
                // Until the reply is understood, the client is still sending.
                if stream.write_all(&[byte]).await.is_err() {
                    return;
                }
            }
            stream.shutdown().await.unwrap();
            let mut scrap = vec![0; 64 * 1024];
            while stream.read(&mut scrap).await.unwrap_or(0) > 0 {}
        })
        .await;
        let error = post(&server).await.unwrap_err();
        assert_eq!(error.status(), Some(413), "{text:?}: {error}");
        assert_eq!(error.response().unwrap().body(), &b"no"[..], "{text:?}");
    }
}

#[actix_rt::test]
async fn a_server_that_echoes_while_it_reads_gets_everything_and_is_heard() {
    let server = Server::start(|mut stream| async move {
        read_head_exactly(&mut stream).await;
        stream
            .write_all(format!("HTTP/1.1 200 OK\r\nContent-Length: {LARGE}\r\n\r\n").as_bytes())
            .await
            .unwrap();
        let mut chunk = vec![0; 64 * 1024];
        let mut echoed = 0;
        // It does not read on before what it has read is taken: a client that only writes would wait for ever.
        while echoed < LARGE {
            let count = stream.read(&mut chunk).await.unwrap();
            assert!(count > 0, "the body is cut after {echoed} bytes");
            stream.write_all(&chunk[..count]).await.unwrap();
            echoed += count;
        }
    })
    .await;
    let reply = post(&server).await.unwrap();
    assert_eq!((reply.body().len(), reply.attempts().len()), (LARGE, 1));
    assert!(reply.body().iter().all(|byte| *byte == b'x'));
}

/// Reads the head of a request and not a byte more.
async fn read_head_exactly(stream: &mut TcpStream) {
    let mut seen = Vec::new();
    while !seen.ends_with(b"\r\n\r\n") {
        seen.push(stream.read_u8().await.expect("a request"));
    }
}

#[actix_rt::test]
async fn an_early_success_does_not_end_the_sending() {
    let bodies = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&bodies);
    let server = Server::start(move |mut stream| {
        let count = Arc::clone(&count);
        async move {
            loop {
                read_head_exactly(&mut stream).await;
                stream.write_all(reply(200, "", "ok").as_bytes()).await.unwrap();
                let mut body = vec![0; LARGE];
                stream.read_exact(&mut body).await.unwrap();
                count.fetch_add(1, Ordering::SeqCst);
            }
        }
    })
    .await;
    let client = ResilientClient::start(config(&server)).unwrap();
    for n in 1..=2 {
        let reply = client.post("/").body(vec![b'x'; LARGE]).send().await.unwrap();
        assert_eq!((reply.text().unwrap(), reply.attempts().len()), ("ok", 1));
        until(|| bodies.load(Ordering::SeqCst) == n).await;
    }
    assert_eq!(server.connections(), 1, "the connection is used again");
}

#[actix_rt::test]
async fn a_reply_longer_than_allowed_is_not_collected_while_sending() {
    let server = Server::start(|mut stream| async move {
        read_head(&mut stream).await;
        let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        stream.write_all(head.as_bytes()).await.unwrap();
        let chunk = [b"10000\r\n".to_vec(), vec![b'y'; 1 << 16], b"\r\n".to_vec()].concat();
        // It reads nothing and writes for ever: only the client can end this.
        while stream.write_all(&chunk).await.is_ok() {}
    })
    .await;
    let client = ResilientClient::start(ClientConfig { max_body_bytes: 1 << 20, ..config(&server) }).unwrap();
    let call = client.post("/").body(vec![b'x'; LARGE]).send();
    let error = within("the answer", call).await.unwrap_err();
    assert_eq!(error.kind().name(), "body_too_large", "{error}");
}

#[actix_rt::test]
async fn a_server_that_closes_without_a_reply_is_a_network_error() {
    let server = Server::start(|mut stream| async move { read_head(&mut stream).await }).await;
    let error = post(&server).await.unwrap_err();
    assert_eq!((error.kind().name(), error.attempts().len()), ("network", 3), "{error}");
}

#[actix_rt::test]
async fn an_early_reply_that_is_cut_short_is_a_network_error() {
    for text in ["HTTP/1.1 413 Too Large\r\nContent-Length: 9\r\n\r\nno", "HTTP/1.1 413 Too Large\r\nConten"]
    {
        let server = replying_early(text.to_owned(), Then::LingersAndReads).await;
        let error = post(&server).await.unwrap_err();
        assert_eq!(error.kind().name(), "network", "{text:?}: {error}");
    }
}

#[actix_rt::test]
async fn a_server_that_stalls_after_an_early_reply_does_not_hold_up_the_answer() {
    let server = replying_early(reply(413, "", ""), Then::Stalls).await;
    let begun = Instant::now();
    post(&server).await.unwrap_err();
    // The write timeout is 15 s, and so was the time that this took.
    assert!(begun.elapsed() < Duration::from_secs(14));
}
