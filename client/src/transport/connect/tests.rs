use std::time::Duration;

use bytes::Bytes;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpSocket},
};

use super::*;
use crate::{
    config::TimeoutConfig,
    method::Method,
    transport::{
        AwcTransport, Cause, Coded, ConnectSettings, Fault, Limits, Replay, Reply, Request, Transport,
        tls as trust,
    },
};

/// A resolver that knows one name.
#[derive(Clone)]
struct Fixed(Vec<SocketAddr>);

impl Resolve for Fixed {
    async fn resolve(&self, host: &str, _: u16) -> io::Result<Vec<SocketAddr>> {
        assert_eq!(host, "server.test");
        Ok(self.0.clone())
    }
}

/// A resolver that never answers.
#[derive(Clone)]
struct Silent;

impl Resolve for Silent {
    async fn resolve(&self, _: &str, _: u16) -> io::Result<Vec<SocketAddr>> {
        std::future::pending().await
    }
}

async fn get(resolver: impl Resolve, connect: Duration) -> Result<Reply, Fault> {
    let tls = trust::config(trust::Trust::Anyone).unwrap();
    let transport = AwcTransport::with_resolver(ConnectSettings { tls, proxies: Arc::default() }, resolver);
    let request = Request {
        method: Method::Get,
        uri: Uri::from_static("http://server.test/"),
        headers: Vec::new(),
        body: Bytes::new(),
    };
    let timeout = TimeoutConfig { connect, ..TimeoutConfig::default() };
    transport
        .exchange(
            &request,
            Limits { timeout, max_body: 1_000, replay: Replay::Forbidden, coded: Coded::Keep },
        )
        .await
}

/// Answers the first request.
async fn server() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    actix_rt::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        assert!(stream.read(&mut [0; 1024]).await.unwrap() > 0);
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await.unwrap();
    });
    address
}

/// An address that takes no more connections: its queue is full, and it drops what comes.
async fn full() -> (SocketAddr, impl Sized) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let mut waiting = Vec::new();
    // A connection that does not come about in this time has found the queue full.
    while let Ok(stream) = tokio::time::timeout(Duration::from_millis(200), TcpStream::connect(address)).await
    {
        waiting.push(stream.unwrap());
    }
    (address, (listener, waiting))
}

#[actix_rt::test]
async fn an_address_that_drops_packets_costs_no_attempt() {
    let (full, _queue) = full().await;
    let reply = get(Fixed(vec![full, server().await]), Duration::from_secs(60)).await.unwrap();
    assert_eq!(reply.body, "ok");
}

#[actix_rt::test]
async fn an_address_that_refuses_costs_no_attempt() {
    let refusing = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let reply = get(Fixed(vec![refusing, server().await]), Duration::from_secs(60)).await.unwrap();
    assert_eq!(reply.body, "ok");
}

#[actix_rt::test]
async fn a_name_without_an_address_is_an_error() {
    let fault = get(Fixed(Vec::new()), Duration::from_secs(60)).await.unwrap_err();
    assert_eq!(fault.cause, Cause::Network);
    assert!(fault.message.contains("has no address"), "{}", fault.message);
}

#[actix_rt::test]
async fn a_look_up_ends_with_the_connect_timeout() {
    let fault = get(Silent, Duration::from_millis(50)).await.unwrap_err();
    assert_eq!(fault.cause, Cause::Timeout);
    assert!(fault.message.contains("no connection within 0.05 s"), "{}", fault.message);
}
