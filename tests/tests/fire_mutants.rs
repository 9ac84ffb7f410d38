//! Requests that are valid except for a few bytes. The server never panics, never answers 5xx, uses bounded memory, and
//! answers or closes every connection in bounded time.

use fastrand::Rng;
use futures::stream::{self, StreamExt};
use workspace_tests::siege::{Target, statuses};
use workspace_tests::{TestServer, seed};

/// How many mutated requests are sent.
const MUTANTS: usize = 4000;

/// Returns a valid request.
fn valid(rng: &mut Rng) -> Vec<u8> {
    let requests = [
        "GET /msg HTTP/1.1\r\nHost: localhost\r\nX-Request-ID: order-42\r\nAccept: */*\r\n\r\n",
        "GET /msg?delay=3 HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive\r\nUser-Agent: curl/8.0\r\n\r\n",
        "POST /fail/reset HTTP/1.1\r\nHost: localhost\r\nContent-Length: 11\r\n\r\nhello world",
        "POST /fail/reset HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\n\r\n",
        "GET /health HTTP/1.1\r\nHost: a\r\n\r\nGET /fail/status HTTP/1.1\r\nHost: b\r\n\r\nGET /nope HTTP/1.0\r\n\r\n",
        "GET /openapi.json HTTP/1.1\r\nHost: localhost\r\nUpgrade: h2c\r\nConnection: Upgrade\r\nExpect: 100-continue\r\n\r\n",
        "GET http://localhost/health HTTP/1.1\r\nHost: localhost\r\nOrigin: http://a.example\r\nCookie: a=b\r\n\r\n",
    ];
    requests[rng.usize(..requests.len())].as_bytes().to_vec()
}

/// Changes one thing about the request.
fn mutate(request: &mut Vec<u8>, rng: &mut Rng) {
    let place = rng.usize(..=request.len());
    let end = (place + rng.usize(..12)).min(request.len());
    let insertions: [&[u8]; 18] = [
        b"\0",
        b"\r",
        b"\n",
        b"\r\n",
        b"\r\n\r\n",
        b"\r\n folded",
        b"\t",
        b" ",
        b":",
        b"%",
        b"\xff\xfe",
        b"\x80",
        b"Content-Length: 7\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: gzip\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03",
        b"HTTP/1.1",
    ];
    match rng.u32(..9) {
        0 if place < request.len() => request[place] ^= 1 << rng.u32(..8),
        1 if place < request.len() => request[place] = rng.u8(..),
        2 => request.truncate(place),
        3 => drop(request.drain(place..end)),
        4 => {
            let copy = request[place..end].to_vec();
            request.splice(place..place, copy);
        }
        5 => {
            let line_end = request.iter().position(|byte| *byte == b'\n').unwrap_or(0);
            let lines: Vec<u8> =
                request.split_inclusive(|byte| *byte == b'\n').nth(1).unwrap_or_default().to_vec();
            request.splice(line_end..line_end, [b"\n".as_slice(), &lines].concat());
        }
        6 => drop(request.splice(place..place, std::iter::repeat_n(rng.u8(..), rng.usize(..20_000)))),
        _ => drop(request.splice(place..place, insertions[rng.usize(..insertions.len())].iter().copied())),
    }
}

/// Sends a mutated request in one piece or in two, and waits until the server has closed the connection.
async fn send_mutant(server: &TestServer, seed: u64) {
    let mut rng = Rng::with_seed(seed);
    let mut request = valid(&mut rng);
    for _ in 0..rng.u32(1..5) {
        mutate(&mut request, &mut rng);
    }
    let mut connection = server.connect().await;
    let cut = rng.usize(..=request.len());
    let pieces = if rng.bool() { vec![&request[..]] } else { vec![&request[..cut], &request[cut..]] };
    for piece in pieces {
        if connection.send(piece).await.is_err() {
            break;
        }
        tokio::task::yield_now().await;
    }
    let brought = connection.closed().await;
    let statuses = statuses(&brought);
    assert!(
        statuses.iter().all(|status| *status < 500),
        "mutant {seed}: {:?} brought {:?}",
        String::from_utf8_lossy(&request),
        String::from_utf8_lossy(&brought)
    );
}

#[tokio::test]
async fn thousands_of_mutated_requests_do_no_harm() {
    let target = Target::start().await;
    let mut rng = seed::rng();
    let mutants = (0..MUTANTS).map(|_| send_mutant(&target.server, rng.u64(..)));
    stream::iter(mutants).buffer_unordered(400).for_each(|()| async {}).await;
    target.unharmed().await;
}
