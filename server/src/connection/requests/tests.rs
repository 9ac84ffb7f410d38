use super::progress::MAX_LEFTOVER;
use super::*;
use crate::connection::testing::{FakeSocket, Wire, exchange, read_now, text_now, write_now};
use crate::journal::{Journal, JournalSettings, Recording};

use actix_web::http::StatusCode;
use actix_web::test::TestRequest;
use resilience_actors::journal::ByteBudget;
use std::cell::Cell;
use std::time::{self, Duration};
use tokio::io::DuplexStream;
use tokio::time::Instant;

struct Fixture {
    server: Requests<FakeSocket>,
    client: DuplexStream,
    incoming: Rc<Cell<Incoming>>,
    exchange: Rc<Exchange>,
    wire: Rc<Wire>,
}

fn fixture() -> Fixture {
    let (socket, client, incoming) = FakeSocket::pair();
    let (exchange, wire) = (exchange(), Rc::clone(&socket.wire));
    Fixture { server: Requests::new(socket, Rc::clone(&exchange)), client, incoming, exchange, wire }
}

impl Fixture {
    /// What actix-http gets of `bytes`.
    fn passes_on(&mut self, bytes: &str) -> String {
        write_now(&mut self.client, bytes);
        text_now(&mut self.server)
    }

    fn answer(&mut self) {
        self.exchange.begin();
        write_now(&mut self.server, "HTTP/1.1 200 OK\r\n\r\n");
        self.exchange.end();
    }
}

const GET: &str = "GET /msg HTTP/1.1\r\nHost: x\r\n\r\n";

#[test]
fn the_next_request_is_passed_on_when_the_answer_before_it_is_written() {
    let mut fixture = fixture();
    let second = GET.replace("msg", "two");
    assert_eq!(fixture.passes_on(&format!("{GET}{second}{GET}")), GET);
    assert_eq!(fixture.passes_on(""), "", "nothing before the answer");
    fixture.answer();
    assert_eq!(text_now(&mut fixture.server), second);
    fixture.answer();
    assert_eq!(text_now(&mut fixture.server), GET);
}

#[test]
fn a_head_in_pieces_is_passed_on_line_by_line() {
    let mut fixture = fixture();
    assert_eq!(fixture.passes_on("GET /m"), "GET /m", "the request line comes as it is");
    assert!(matches!(fixture.exchange.phase(), Phase::Head { .. }));
    assert_eq!(fixture.passes_on("sg HTTP/1.1\r\nHo"), "sg HTTP/1.1\r\n");
    assert_eq!(fixture.passes_on("st: x\r\n\r"), "Host: x\r\n");
    assert!(matches!(fixture.exchange.phase(), Phase::Head { .. }));
    assert_eq!(fixture.passes_on("\n"), "\r\n");
    assert!(matches!(fixture.exchange.phase(), Phase::Submitted { .. }));
}

#[test]
fn a_body_is_passed_on_with_its_request_and_no_byte_more() {
    let bodies = [("Content-Length: 5", "hello"), ("Transfer-Encoding: chunked", "5\r\nhello\r\n0\r\n\r\n")];
    for (header, body) in bodies {
        let request = format!("POST / HTTP/1.1\r\nHost: x\r\n{header}\r\n\r\n{body}");
        // In one piece, and cut at every byte.
        for cut in 0..=request.len() {
            let mut fixture = fixture();
            let mut passed = fixture.passes_on(&request[..cut]);
            passed += &fixture.passes_on(&format!("{}{GET}", &request[cut..]));
            assert_eq!(passed, request, "cut at {cut}");
            fixture.answer();
            assert_eq!(text_now(&mut fixture.server), GET, "cut at {cut}");
        }
    }
}

#[test]
fn empty_lines_before_a_request_begin_no_request() {
    let mut fixture = fixture();
    assert_eq!(fixture.passes_on("\r\n\r\n\r"), "");
    assert!(matches!(fixture.exchange.phase(), Phase::New { .. }));
    assert_eq!(fixture.passes_on(&format!("\n{GET}")), GET);
    fixture.answer();
    assert_eq!(fixture.passes_on("\r\n"), "");
    assert!(matches!(fixture.exchange.phase(), Phase::Idle { .. }));
}

#[test]
fn what_is_too_large_is_refused_with_its_status_and_ends_the_stream() {
    let line = format!("GET /{}", "x".repeat(head::MAX_REQUEST_LINE));
    let fields = format!("GET / HTTP/1.1\r\n{}", "X: y\r\n".repeat(head::MAX_HEAD / 6 + 1));
    let field = format!("GET / HTTP/1.1\r\nX: {}", "y".repeat(head::MAX_HEAD));
    let empty = "\r\n".repeat(head::MAX_EMPTY_LINES);
    for (bytes, status) in [(line, 414), (fields, 431), (field, 431), (empty, 400)] {
        let mut fixture = fixture();
        fixture.passes_on(&bytes);
        assert_eq!(fixture.exchange.phase(), Phase::Refused(StatusCode::from_u16(status).unwrap()));
        assert_eq!(read_now(&mut fixture.server), Some(Vec::new()), "{status}");
    }
}

#[test]
fn a_chunk_that_is_malformed_ends_the_stream() {
    let mut fixture = fixture();
    let head = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    assert_eq!(fixture.passes_on(head), head);
    assert_eq!(fixture.passes_on("5\r\nhello!!"), "");
    assert_eq!(read_now(&mut fixture.server), Some(Vec::new()));
}

#[test]
fn a_client_that_closes_its_side_is_gone_only_where_its_request_is_dropped() {
    let cases = [
        (Incoming::End, OnClientExit::Answer, false),
        (Incoming::End, OnClientExit::Drop, true),
        (Incoming::Reset, OnClientExit::Answer, true),
        (Incoming::Reset, OnClientExit::Drop, true),
        (Incoming::Bytes, OnClientExit::Drop, false),
    ];
    for (incoming, on_exit, is_gone) in cases {
        let mut fixture = fixture();
        fixture.passes_on(GET);
        fixture.exchange.begin();
        fixture.exchange.on_client_exit(on_exit);
        fixture.incoming.set(incoming);
        assert_eq!(read_now(&mut fixture.server).is_some(), is_gone, "{incoming:?}, {on_exit:?}");
    }
}

#[test]
fn the_end_is_not_seen_before_the_request_is_known() {
    let mut fixture = fixture();
    fixture.incoming.set(Incoming::End);
    assert_eq!(fixture.passes_on(GET), GET);
    assert_eq!(read_now(&mut fixture.server), None);
    fixture.exchange.begin();
    fixture.exchange.on_client_exit(OnClientExit::Drop);
    assert_eq!(read_now(&mut fixture.server), Some(Vec::new()));
}

#[test]
fn a_client_that_takes_none_of_its_answer_gets_no_other() {
    let mut fixture = fixture();
    fixture.passes_on(&format!("{GET}{GET}"));
    fixture.answer();
    fixture.exchange.stalled.set(Some(Instant::now()));
    assert_eq!(text_now(&mut fixture.server), "");
    fixture.exchange.stalled.set(None);
    assert_eq!(text_now(&mut fixture.server), GET);
}

#[test]
fn a_body_that_is_left_over_is_read_up_to_a_bound() {
    let mut fixture = fixture();
    let length = 3 * MAX_LEFTOVER;
    fixture.passes_on(&format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n"));
    fixture.answer();
    let piece = vec![b'x'; MAX_LEFTOVER / 2];
    let mut read = 0;
    for _ in 0..4 {
        write_now(&mut fixture.client, &piece);
        read += text_now(&mut fixture.server).len();
    }
    assert!((MAX_LEFTOVER..2 * MAX_LEFTOVER).contains(&read), "{read}");
    assert_eq!(read_now(&mut fixture.server), Some(Vec::new()));
}

#[actix_rt::test]
async fn an_answer_is_recorded_with_the_time_before_its_write() {
    let settings = JournalSettings { max_size: 10, budget: ByteBudget::new(1 << 20) };
    let (journal, actor) = Journal::prepare(&settings).expect("a journal that keeps something");
    actor.start();
    let mut fixture = fixture();
    fixture.passes_on(GET);
    fixture.wire.write_takes.set(Duration::from_millis(1));
    let came = time::Instant::now();
    let request = TestRequest::get().uri("/msg").to_http_request();
    fixture.exchange.keep(Recording::begin(&journal, &request, came, (1, 1)));
    fixture.answer();
    fixture.exchange.flushed();
    let page = journal.handle.read(0, 10, |_| true).await.expect("the journal answers");
    let write_begun = fixture.wire.write_begun.get().expect("the answer was written") - came;
    let [entry] = &page.records[..] else { panic!("one request: {:?}", page.records) };
    let first_byte = entry.first_byte.expect("a byte was written");
    assert!(first_byte <= write_begun, "{first_byte:?} is later than {write_begun:?}");
    assert!(entry.duration <= write_begun, "{:?} is later than {write_begun:?}", entry.duration);
}
