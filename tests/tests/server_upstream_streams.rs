//! Bodies through the upstream: both ways at once, of any length, in bounded memory, and only as fast as they are read.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use workspace_tests::wire_server::{WireServer, reply, until};
use workspace_tests::{TestServer, answer, within};

const MEBIBYTE: usize = 1 << 20;

/// Far more than all buffers on the way hold.
const LARGE: usize = 100 * MEBIBYTE;

/// What the server may use on top of what it used before, for one body of any length.
const MEMORY: u64 = 24;

/// Listens, and serves each connection with `serve` once it has read a head.
async fn upstream<F>(serve: impl Fn(String, BufReader<TcpStream>) -> F + Clone + Send + 'static) -> SocketAddr
where
    F: Future<Output = std::io::Result<()>> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("a bound socket has an address");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let serve = serve.clone();
            tokio::spawn(async move {
                let mut stream = BufReader::new(stream);
                let head = read_head(&mut stream).await?;
                serve(head, stream).await
            });
        }
    });
    address
}

/// An upstream that answers with the body that it is sent, while it is sent.
async fn echo() -> SocketAddr {
    upstream(|mut head, mut stream| async move {
        while !head.is_empty() {
            let length: usize = head.split("content-length: ").nth(1).map_or(0, length_of);
            let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n");
            stream.write_all(answer.as_bytes()).await?;
            let mut left = length;
            while left > 0 {
                let piece = stream.fill_buf().await?;
                let piece = piece[..piece.len().min(left)].to_vec();
                stream.consume(piece.len());
                stream.write_all(&piece).await?;
                left -= piece.len();
                if piece.is_empty() {
                    return Ok(());
                }
            }
            head = read_head(&mut stream).await?;
        }
        Ok(())
    })
    .await
}

/// Reads a head; empty at the end of the connection.
async fn read_head(stream: &mut BufReader<TcpStream>) -> std::io::Result<String> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") && stream.read_line(&mut head).await? > 0 {}
    Ok(head)
}

fn length_of(text: &str) -> usize {
    text.lines().next().and_then(|line| line.parse().ok()).unwrap_or(0)
}

async fn in_front_of(address: SocketAddr) -> TestServer {
    TestServer::verbose().flag("--upstream", format!("http://{address}")).flag("--workers", 1).start().await
}

async fn connect(server: &TestServer) -> TcpStream {
    TcpStream::connect(server.address()).await.expect("the server listens")
}

async fn send(stream: &mut TcpStream, text: &str) {
    stream.write_all(text.as_bytes()).await.expect("the connection is open");
}

/// Reads a head, and not a byte more.
async fn head(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let read = async {
        while !bytes.ends_with(b"\r\n\r\n") {
            bytes.push(stream.read_u8().await.expect("a whole head"));
        }
    };
    within("a head", read).await;
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The byte at a place of a body that has no period of a power of two.
fn pattern(at: usize) -> u8 {
    u8::try_from(at % 251).unwrap_or_default()
}

#[tokio::test]
async fn a_large_body_flows_both_ways_at_once_unchanged_and_in_bounded_memory() {
    let server = in_front_of(echo().await).await;
    let before = server.footprint().mebibytes();
    let mut stream = connect(&server).await;
    send(&mut stream, &format!("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: {LARGE}\r\n\r\n")).await;
    assert!(
        head(&mut stream).await.starts_with("HTTP/1.1 200 "),
        "the answer begins before the body is sent"
    );
    let (mut reader, mut writer) = stream.split();
    let upload = async {
        for at in (0..LARGE).step_by(MEBIBYTE) {
            let piece: Vec<u8> = (at..at + MEBIBYTE).map(pattern).collect();
            writer.write_all(&piece).await.expect("the server reads on");
        }
    };
    let download = async {
        let (mut at, mut peak, mut piece) = (0, 0, vec![0; MEBIBYTE]);
        while at < LARGE {
            let length = reader.read(&mut piece).await.expect("the server writes on");
            assert_ne!(length, 0, "the end after {at} bytes");
            assert!(piece[..length].iter().enumerate().all(|(i, byte)| *byte == pattern(at + i)), "at {at}");
            at += length;
            peak = peak.max(server.footprint().mebibytes());
        }
        peak
    };
    let ((), peak) = within("both bodies", async { tokio::join!(upload, download) }).await;
    assert!(peak <= before + MEMORY, "{before} MiB before, {peak} MiB with {LARGE} bytes on the way");
}

#[tokio::test]
async fn an_upstream_that_reads_nothing_holds_up_the_client_and_costs_no_memory() {
    let address = upstream(|_, stream| async move {
        let _stream = stream;
        std::future::pending().await
    })
    .await;
    let server = in_front_of(address).await;
    let before = server.footprint().mebibytes();
    let mut stream = connect(&server).await;
    send(&mut stream, &format!("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: {LARGE}\r\n\r\n")).await;
    let piece = vec![0; MEBIBYTE];
    let mut sent = 0;
    // All buffers are full when nothing has moved for a while.
    while let Ok(written) = tokio::time::timeout(Duration::from_secs(1), stream.write(&piece)).await {
        sent += written.expect("the connection is open");
        assert!(sent < LARGE, "somebody has read the body");
    }
    let after = server.footprint().mebibytes();
    assert!(after <= before + MEMORY, "{before} MiB before, {after} MiB after {sent} bytes");
}

#[tokio::test]
async fn a_client_that_reads_nothing_holds_up_the_upstream_and_costs_no_memory() {
    let written = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&written);
    let address = upstream(move |_, mut stream| {
        let counter = Arc::clone(&counter);
        async move {
            stream
                .write_all(format!("HTTP/1.1 200 OK\r\nContent-Length: {LARGE}\r\n\r\n").as_bytes())
                .await?;
            let piece = vec![0; 64 * 1024];
            for _ in 0..LARGE / piece.len() {
                stream.write_all(&piece).await?;
                counter.fetch_add(piece.len() as u64, Ordering::SeqCst);
            }
            stream.read_u8().await.map(drop)
        }
    })
    .await;
    let server = in_front_of(address).await;
    let before = server.footprint().mebibytes();
    let mut stream = connect(&server).await;
    send(&mut stream, "GET /a HTTP/1.1\r\nHost: x\r\n\r\n").await;
    head(&mut stream).await;
    let mut last = u64::MAX;
    while last != written.load(Ordering::SeqCst) {
        last = written.load(Ordering::SeqCst);
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    assert!(last < LARGE as u64 / 2, "the upstream has written {last} bytes that no client has read");
    let after = server.footprint().mebibytes();
    assert!(after <= before + MEMORY, "{before} MiB before, {after} MiB after {last} bytes");
    // It goes on when the client reads.
    let mut rest = vec![0; LARGE];
    within("the rest", stream.read_exact(&mut rest)).await.expect("the whole body");
}

#[tokio::test]
async fn a_chunked_body_arrives_chunked_and_whole_however_it_is_cut() {
    let address = upstream(|head, mut stream| async move {
        assert!(
            head.contains("\r\ntransfer-encoding: chunked\r\n") && !head.contains("content-length"),
            "{head}"
        );
        let (mut body, mut line) = (Vec::new(), String::new());
        loop {
            line.clear();
            stream.read_line(&mut line).await?;
            let size = usize::from_str_radix(line.trim_end(), 16).expect("a size");
            let start = body.len();
            body.resize(start + size + 2, 0);
            stream.read_exact(&mut body[start..]).await?;
            assert!(body.ends_with(b"\r\n"));
            body.truncate(start + size);
            if size == 0 {
                break;
            }
        }
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
        stream.write_all(answer.as_bytes()).await?;
        stream.write_all(&body).await
    })
    .await;
    let server = in_front_of(address).await;
    let mut stream = connect(&server).await;
    let request = "POST /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n\
                   3;x=y\r\nabc\r\n5\r\ndefgh\r\n0\r\nX-Trailer: 1\r\n\r\n";
    for byte in request.bytes() {
        stream.write_all(&[byte]).await.expect("the connection is open");
    }
    let mut got = String::new();
    within("the answer", stream.read_to_string(&mut got)).await.expect("text");
    assert!(got.ends_with("\r\n\r\nabcdefgh"), "{got}");
}

#[tokio::test]
async fn an_answer_that_comes_before_the_body_is_sent_reaches_the_client() {
    let early = "HTTP/1.1 413 Too Large\r\nContent-Length: 5\r\nConnection: close\r\n\r\nearly";
    let address =
        upstream(move |_, mut stream| async move { stream.write_all(early.as_bytes()).await }).await;
    let server = in_front_of(address).await;
    for length in [10, 8 * MEBIBYTE] {
        let mut stream = connect(&server).await;
        send(&mut stream, &format!("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n12345"))
            .await;
        assert!(head(&mut stream).await.starts_with("HTTP/1.1 413 "));
        let mut body = [0; 5];
        within("the body", stream.read_exact(&mut body)).await.expect("the whole body");
        assert_eq!(&body, b"early");
    }
}

#[tokio::test]
async fn a_client_that_asks_before_it_sends_is_told_to_go_on_whatever_the_length() {
    let server = in_front_of(echo().await).await;
    let mut stream = connect(&server).await;
    let length = 3 * MEBIBYTE;
    let expect = "Host: x\r\nExpect: 100-continue\r\n";
    send(&mut stream, &format!("PUT /a HTTP/1.1\r\n{expect}Content-Length: {length}\r\n\r\n")).await;
    assert!(head(&mut stream).await.starts_with("HTTP/1.1 100 "));
    let (mut reader, mut writer) = stream.split();
    let mut got = Vec::new();
    let read = async {
        let mut piece = vec![0; MEBIBYTE];
        while !got.windows(4).any(|window| window == b"\r\n\r\n") || got.len() < length {
            let count = reader.read(&mut piece).await.expect("the server writes on");
            assert_ne!(count, 0);
            got.extend_from_slice(&piece[..count.min(MEBIBYTE)]);
            if got.len() > length {
                break;
            }
        }
    };
    let body = vec![b'x'; length];
    let (written, ()) = within("the answer", async { tokio::join!(writer.write_all(&body), read) }).await;
    written.expect("the server reads on");
    assert!(got.starts_with(b"HTTP/1.1 200 "));
    // An own path still has its limit.
    let mut stream = connect(&server).await;
    send(&mut stream, &format!("PUT /__test/faults HTTP/1.1\r\n{expect}Content-Length: {length}\r\n\r\n"))
        .await;
    assert!(head(&mut stream).await.starts_with("HTTP/1.1 413 "));
}

#[tokio::test]
async fn a_body_that_its_client_does_not_finish_is_never_whole_for_the_upstream() {
    let ends = Arc::new(AtomicU64::new(0));
    let seen = Arc::clone(&ends);
    let address = upstream(move |_, mut stream| {
        let seen = Arc::clone(&seen);
        async move {
            let mut body = Vec::new();
            let read = stream.read_to_end(&mut body).await;
            assert!(!body.ends_with(b"0\r\n\r\n"), "the last chunk was never sent");
            seen.fetch_add(1, Ordering::SeqCst);
            read.map(drop)
        }
    })
    .await;
    let server = in_front_of(address).await;
    for (count, framing) in
        ["Content-Length: 100\r\n\r\nhalf", "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"]
            .into_iter()
            .enumerate()
    {
        let mut stream = connect(&server).await;
        send(&mut stream, &format!("POST /a{count} HTTP/1.1\r\nHost: x\r\n{framing}")).await;
        let path = format!("/a{count}");
        server.wait_for_log("the request", |line| line.mentions(&path)).await;
        drop(stream);
        until(|| ends.load(Ordering::SeqCst) == count as u64 + 1).await;
    }
}

#[tokio::test]
async fn a_slow_upload_does_not_time_out_while_it_makes_progress() {
    let upstream = WireServer::always(vec![reply(200, "", "took it")]).await;
    let server =
        TestServer::verbose().flag("--upstream", upstream.url()).flag("--request-timeout", 1).start().await;
    let mut connection = server.connect().await;
    connection.request("POST", "/slow", "Content-Length: 6\r\n").await;
    for _ in 0..6 {
        tokio::time::sleep(Duration::from_millis(400)).await;
        connection.send("x").await.expect("the connection is open");
    }
    let got = connection.response().await;
    assert_eq!((got.status, got.body.as_slice()), (200, &b"took it"[..]));
    connection.request("POST", "/stalled", "Content-Length: 6\r\n").await;
    assert_eq!(connection.response().await.status, 408);
}

#[tokio::test]
async fn many_exchanges_at_once_are_not_mixed_up() {
    let server = Arc::new(in_front_of(echo().await).await);
    let tasks: Vec<_> = (0..64_usize)
        .map(|n| {
            let server = Arc::clone(&server);
            tokio::spawn(async move {
                for round in 0..8 {
                    let body = format!("{n}/{round} ").repeat(1 + n * 500);
                    let got = answer(server.post("/a").body(body.clone())).await;
                    assert!(got.text == body, "{n}/{round}: {} {:.100}", got.status, got.text);
                }
            })
        })
        .collect();
    for task in tasks {
        within("an exchange", task).await.expect("no exchange fails");
    }
}
