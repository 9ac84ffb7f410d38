use std::{
    cell::{Cell, RefCell},
    io,
    time::Duration,
};

use futures::{future::join, poll};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

use super::{Wire, WireFault};
use crate::{
    config::TimeoutConfig,
    transport::context::{CertificateRequest, Context, Date, Reuse},
};

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\n\r\n";
const REPLY: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const REFUSAL: &[u8] = b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno";

/// A wire, and the server's side of it, which take `room` bytes in each direction.
fn new_wire(room: usize) -> (Wire<DuplexStream>, DuplexStream) {
    let (near, far) = duplex(room);
    (Wire::new(near), far)
}

/// Polls an exchange within a context.
async fn within<T>(reuse: Reuse, exchange: impl Future<Output = T>) -> T {
    let second = Duration::from_secs(1);
    let context = Context {
        timeout: TimeoutConfig { read: 2 * second, write: 3 * second, ..TimeoutConfig::default() },
        max_body: 1_000,
        body_length: 0,
        date: Date::Awcs,
        reuse,
        fields: RefCell::new(None),
        certificate: Cell::new(CertificateRequest::Absent),
    };
    context.scope(exchange).await
}

/// Reads until so many bytes have come.
async fn read(wire: &mut Wire<DuplexStream>, count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    wire.read_exact(&mut bytes).await.unwrap();
    bytes
}

fn fault(result: io::Result<usize>) -> Option<WireFault> {
    WireFault::inside(&result.unwrap_err())
}

/// What a read finds that must not wait.
async fn look(wire: &mut Wire<DuplexStream>) -> Option<io::Result<usize>> {
    let mut buf = [0; 2];
    let mut read = Box::pin(wire.read(&mut buf));
    match poll!(&mut read) {
        std::task::Poll::Ready(result) => Some(result),
        std::task::Poll::Pending => None,
    }
}

#[actix_rt::test]
async fn a_clean_stream_waits_for_the_next_exchange() {
    let (mut wire, mut server) = new_wire(1_024);
    for _ in 0..3 {
        wire.write_all(REQUEST).await.unwrap();
        assert_eq!(read_request(&mut server).await, REQUEST);
        server.write_all(REPLY).await.unwrap();
        assert_eq!(read(&mut wire, REPLY.len()).await, REPLY);
        assert!(look(&mut wire).await.is_none());
    }
    let unwanted = within(Reuse::Forbidden, look(&mut wire)).await.unwrap();
    assert_eq!(fault(unwanted), Some(WireFault::Closed), "an exchange that wants a new connection");
}

async fn read_request(server: &mut DuplexStream) -> Vec<u8> {
    let mut bytes = vec![0; REQUEST.len()];
    server.read_exact(&mut bytes).await.unwrap();
    bytes
}

#[actix_rt::test]
async fn a_stream_with_bytes_beyond_a_reply_is_closed_at_once() {
    let (mut wire, mut server) = new_wire(1_024);
    wire.write_all(REQUEST).await.unwrap();
    read_request(&mut server).await;
    server.write_all(&[REPLY, b"stray"].concat()).await.unwrap();
    let mut buf = [0; 256];
    let count = wire.read(&mut buf).await.unwrap();
    assert_eq!(&buf[..count], REPLY);
    assert_eq!(fault(look(&mut wire).await.unwrap()), Some(WireFault::Closed));
    assert_eq!(server.read(&mut [0; 8]).await.unwrap(), 0);
}

#[actix_rt::test]
async fn a_refusal_ends_the_writing_of_a_server_that_reads_nothing() {
    let (mut wire, mut server) = new_wire(64);
    server.write_all(REFUSAL).await.unwrap();
    wire.write_all(&[b'x'; 10_000]).await.unwrap();
    assert_eq!(read(&mut wire, REFUSAL.len()).await, REFUSAL);
    assert_eq!(fault(look(&mut wire).await.unwrap()), Some(WireFault::Closed), "it is not used again");
}

#[actix_rt::test]
async fn the_end_of_the_servers_side_ends_the_writing() {
    let (mut wire, mut server) = new_wire(64);
    server.write_all(REPLY).await.unwrap();
    drop(server);
    wire.write_all(&[b'x'; 10_000]).await.unwrap();
    assert_eq!(read(&mut wire, REPLY.len()).await, REPLY);
}

#[actix_rt::test]
async fn a_success_and_the_writing_go_on_side_by_side() {
    let (mut wire, mut server) = new_wire(64);
    let reply = [&b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n"[..], &[b'y'; 5_000]].concat();
    let (echo, expected) = (reply.clone(), reply.len());
    let serve = async move {
        let mut chunk = [0; 32];
        let mut heard = 0;
        // It does not read on before what it has written is taken.
        for piece in echo.chunks(32) {
            heard += server.read(&mut chunk).await.unwrap();
            server.write_all(piece).await.unwrap();
        }
        while heard < 10_000 {
            heard += server.read(&mut chunk).await.unwrap();
        }
        server
    };
    let call = within(Reuse::Allowed, async move {
        wire.write_all(&[b'x'; 10_000]).await.unwrap();
        let got = read(&mut wire, expected).await;
        assert!(look(&mut wire).await.is_none(), "it may be used again");
        got
    });
    let (_server, got) = join(serve, call).await;
    assert_eq!(got, reply);
}

#[actix_rt::test]
async fn a_used_stream_that_ends_before_a_byte_of_the_reply_is_stale_and_a_new_one_is_closed() {
    for (exchanges, expected) in [(0, WireFault::Closed), (1, WireFault::Stale)] {
        let (mut wire, mut server) = new_wire(1_024);
        for _ in 0..exchanges {
            wire.write_all(REQUEST).await.unwrap();
            read_request(&mut server).await;
            server.write_all(REPLY).await.unwrap();
            read(&mut wire, REPLY.len()).await;
        }
        wire.write_all(REQUEST).await.unwrap();
        read_request(&mut server).await;
        drop(server);
        assert_eq!(fault(wire.read(&mut [0; 64]).await), Some(expected));
    }
}

#[actix_rt::test]
async fn a_silent_server_is_a_timeout_in_either_direction() {
    tokio::time::pause();
    let seconds = Duration::from_secs;
    let (mut wire, _server) = new_wire(64);
    let read = within(Reuse::Allowed, async {
        wire.write_all(REQUEST).await.unwrap();
        wire.read(&mut [0; 64]).await
    });
    assert_eq!(fault(read.await), Some(WireFault::ReadSilence(seconds(2))));
    let (mut wire, _server) = new_wire(64);
    let written = within(Reuse::Allowed, async { wire.write_all(&[b'x'; 1_000]).await.map(|()| 0) });
    assert_eq!(fault(written.await), Some(WireFault::WriteSilence(seconds(3))));
}

#[actix_rt::test]
async fn the_date_of_awc_does_not_go_out() {
    let (mut wire, mut server) = new_wire(1_024);
    let date = "date: Thu, 01 Jan 1970 00:00:00 GMT\r\n";
    let head = format!("GET / HTTP/1.1\r\n{date}\r\n");
    within(Reuse::Allowed, wire.write_all(head.as_bytes())).await.unwrap();
    assert_eq!(read_request(&mut server).await, REQUEST);
}
