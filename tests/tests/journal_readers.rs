//! Readers of the journal's stream that stop reading.

use workspace_tests::guard::HANG_GUARD;
use workspace_tests::{RawConnection, TestServer, answer, within};

const READERS: usize = 10;
const REQUESTS: usize = 10_000;

/// The most that the server's memory may grow, in mebibytes. The events of one reader are more than twice as much.
const MOST_GROWTH: u64 = 24;

/// Opens the stream, reads the head of the answer, and nothing more.
async fn stalled_reader(server: &TestServer) -> RawConnection {
    let mut reader = server.connect().await;
    reader.request("GET", "/journal/stream", "").await;
    assert_eq!(reader.head().await.status, 200);
    reader
}

/// Makes `count` requests whose entries are large.
async fn make_requests(server: &TestServer, count: usize) {
    let mut connection = server.connect().await;
    let head = format!("X-Large: {}\r\n", "x".repeat(3_000));
    for _ in 0..count {
        connection.request("GET", "/msg", &head).await;
        assert_eq!(connection.response().await.status, 200);
    }
}

#[tokio::test]
async fn readers_that_stop_reading_cost_no_memory_and_hold_up_no_request() {
    let server = TestServer::builder().flag("--journal-size", 100).start().await;
    let mut readers = Vec::new();
    for _ in 0..READERS {
        readers.push(stalled_reader(&server).await);
    }
    // What the allocator and the buffers of the stalled connections take once is there after some requests.
    make_requests(&server, REQUESTS / 10).await;
    let before = server.footprint();
    make_requests(&server, REQUESTS).await;
    let after = server.footprint();
    let growth = after.resident.saturating_sub(before.resident) >> 20;
    assert!(growth <= MOST_GROWTH, "{READERS} stalled readers: {growth} MiB more after {REQUESTS} requests");
    assert!(after.descriptors <= before.descriptors + 1, "{before:?} {after:?}");
    assert_eq!(answer(server.get("/journal?since=10999")).await.body["next"], 11_000);
}

#[tokio::test]
async fn a_reader_that_reads_again_learns_how_much_it_missed_and_gets_the_rest() {
    let server = TestServer::builder().flag("--journal-size", 100).start().await;
    let mut stream = server.get("/journal/stream").timeout(HANG_GUARD * 4).send().await.expect("a stream");
    make_requests(&server, REQUESTS).await;
    let last = format!("\nid: {REQUESTS}\n");
    let mut text = Vec::new();
    loop {
        let chunk = within("more of the stream", stream.chunk()).await.expect("the stream is whole");
        text.extend_from_slice(&chunk.expect("the stream goes on"));
        // The id stands in front of the entry, which is shorter than this.
        let tail = String::from_utf8_lossy(&text[text.len().saturating_sub(16_384)..]);
        if tail.contains(&last) {
            break;
        }
    }
    let text = String::from_utf8(text).expect("events are text");
    let events = text.lines().filter(|line| ["event: begun", "event: ended"].contains(line)).count();
    let missed = text.lines().filter_map(|line| line.strip_prefix(r#"data: {"missed":"#)?.strip_suffix('}'));
    let missed: Vec<usize> = missed.map(|count| count.parse().expect("a number")).collect();
    assert!(!missed.is_empty(), "{events} events were held for a reader that did not read");
    assert_eq!(events + missed.iter().sum::<usize>(), 2 * REQUESTS, "missed: {missed:?}");
}
