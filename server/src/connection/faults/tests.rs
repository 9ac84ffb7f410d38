//! The wrapper over a connection in memory.

use std::future::pending;
use std::rc::Rc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::time::{Instant, timeout};

use super::answer::tests::GET;
use super::rewrite::tests::ANSWER;
use super::*;
use crate::connection::delivery::{Delivery, Order};
use crate::connection::exchange::OnClientExit;
use crate::connection::testing::{FakeSocket, Wire, exchange, read_now, text_now, write_now};
use crate::headers::Interpreted;

struct Fixture {
    faults: Faults<FakeSocket>,
    client: DuplexStream,
    exchange: Rc<Exchange>,
    wire: Rc<Wire>,
    incoming: Rc<std::cell::Cell<Incoming>>,
}

/// A connection whose request has just been answered, with the delivery that was decided.
fn answered(delivery: Option<Delivery>) -> Fixture {
    answered_until(delivery, pending())
}

/// As [`answered`]; the delivery is revoked when `revoked` completes.
fn answered_until(delivery: Option<Delivery>, revoked: impl Future<Output = ()> + 'static) -> Fixture {
    let (socket, client, incoming) = FakeSocket::pair();
    let (exchange, wire) = (exchange(), Rc::clone(&socket.wire));
    let faults = Faults::new(socket, Rc::clone(&exchange));
    exchange.head_begun();
    exchange.head_complete(Interpreted::None);
    exchange.begin();
    if let Some(delivery) = delivery {
        exchange.order(Order { delivery, asked: GET, revoked: Box::pin(revoked) });
    }
    exchange.end();
    Fixture { faults, client, exchange, wire, incoming }
}

fn long_answer() -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{}", "x".repeat(1000))
}

/// Sends what has been written until the connection breaks. The client reads to the end, then closes its side too.
async fn until_broken(Fixture { mut faults, mut client, .. }: Fixture) -> String {
    let send = async {
        assert!(faults.flush().await.is_err());
        drop(faults);
    };
    let mut text = String::new();
    let read = async {
        client.read_to_string(&mut text).await.unwrap();
        drop(client);
    };
    tokio::join!(send, read);
    text
}

#[test]
fn an_ordinary_answer_and_the_next_request_pass_at_once() {
    let mut fixture = answered(None);
    write_now(&mut fixture.faults, ANSWER);
    assert_eq!(text_now(&mut fixture.client), ANSWER);
    write_now(&mut fixture.client, "GET");
    assert_eq!(text_now(&mut fixture.faults), "GET");
}

#[tokio::test(start_paused = true)]
async fn a_drip_takes_its_time_and_no_request_passes_meanwhile() {
    let mut fixture = answered(Some(Delivery::Drip { bytes_per_second: 10 }));
    write_now(&mut fixture.client, "GET");
    let begun = Instant::now();
    write_now(&mut fixture.faults, ANSWER);
    assert_eq!(read_now(&mut fixture.faults), None, "the next request waits");
    fixture.faults.flush().await.unwrap();
    let expected = Duration::from_millis(100) * u32::try_from(ANSWER.len() - 1).unwrap();
    assert!(begun.elapsed() >= expected, "{:?}, not {expected:?}", begun.elapsed());
    assert!(begun.elapsed() < expected + Duration::from_secs(1), "{:?}", begun.elapsed());
    assert_eq!(text_now(&mut fixture.client), ANSWER);
    assert_eq!(text_now(&mut fixture.faults), "GET");
}

#[tokio::test(start_paused = true)]
async fn a_drip_ends_after_five_minutes() {
    let mut fixture = answered(Some(Delivery::Drip { bytes_per_second: 1 }));
    let begun = Instant::now();
    let long = long_answer();
    write_now(&mut fixture.faults, &long);
    let text = until_broken(fixture).await;
    assert_eq!(begun.elapsed().as_secs(), 301);
    assert_eq!(text, long[..301]);
}

#[tokio::test(start_paused = true)]
async fn a_delivery_that_is_revoked_ends_with_the_end_of_the_stream() {
    let long = long_answer();
    let soon = Duration::from_millis(950);
    for (delivery, expected) in [
        (Delivery::Drip { bytes_per_second: 10 }, 10),
        (Delivery::ResetAfter(70), 70),
        (Delivery::Early, long.len() + "connection: close\r\n".len()),
    ] {
        let begun = Instant::now();
        let mut fixture = answered_until(Some(delivery.clone()), tokio::time::sleep(soon));
        let wire = Rc::clone(&fixture.wire);
        wire.unacknowledged.set(1);
        write_now(&mut fixture.faults, &long);
        let text = until_broken(fixture).await;
        assert_eq!((text.len(), begun.elapsed()), (expected, soon), "{delivery:?}");
        assert!(!wire.is_reset.get(), "{delivery:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_leaves_ends_a_drip() {
    for (incoming, exit, ends) in [
        (Incoming::Reset, OnClientExit::Answer, true),
        (Incoming::End, OnClientExit::Drop, true),
        (Incoming::End, OnClientExit::Answer, false),
        (Incoming::Bytes, OnClientExit::Drop, false),
    ] {
        let mut fixture = answered(Some(Delivery::Drip { bytes_per_second: 10 }));
        fixture.exchange.on_client_exit(exit);
        write_now(&mut fixture.faults, ANSWER);
        fixture.incoming.set(incoming);
        assert_eq!(fixture.faults.flush().await.is_err(), ends, "{incoming:?} {exit:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_reset_waits_until_everything_is_acknowledged() {
    let mut fixture = answered(Some(Delivery::ResetAfter(20)));
    fixture.wire.unacknowledged.set(20);
    write_now(&mut fixture.faults, ANSWER);
    assert_eq!(text_now(&mut fixture.client), ANSWER[..20]);
    assert!(timeout(Duration::from_secs(5), fixture.faults.flush()).await.is_err(), "it waits");
    assert!(!fixture.wire.is_reset.get());
    fixture.wire.unacknowledged.set(0);
    assert!(fixture.faults.flush().await.is_err());
    assert!(fixture.wire.is_reset.get());
}

#[tokio::test(start_paused = true)]
async fn a_broken_connection_ends_after_a_second_and_with_the_next_answer() {
    let mut fixture = answered(Some(Delivery::Extra(Some("extra".into()))));
    write_now(&mut fixture.faults, ANSWER);
    fixture.faults.flush().await.unwrap();
    assert_eq!(text_now(&mut fixture.client), format!("{ANSWER}extra"));
    assert_eq!(fixture.exchange.spent(), Some(Spent::Broken));
    let idle = timeout(Duration::from_millis(900), fixture.faults.read_u8()).await;
    assert!(idle.is_err(), "it stays open");
    let idle = timeout(Duration::from_millis(200), fixture.faults.read_u8()).await;
    assert!(idle.is_err(), "the flush ends the connection");
    assert!(timeout(Duration::from_millis(10), fixture.faults.flush()).await.is_err());
    assert_eq!(read_now(&mut fixture.client), Some(Vec::new()), "the end of the stream");
}

#[tokio::test(start_paused = true)]
async fn an_early_answer_is_followed_by_the_end_and_two_seconds_later_by_the_close() {
    let mut fixture = answered(Some(Delivery::Early));
    write_now(&mut fixture.client, "unread");
    let begun = Instant::now();
    write_now(&mut fixture.faults, ANSWER);
    assert!(fixture.faults.flush().await.is_err());
    assert_eq!(begun.elapsed().as_secs(), 2);
    let mut text = String::new();
    fixture.client.read_to_string(&mut text).await.unwrap();
    assert!(text.ends_with("0123456789"), "{text}");
    assert_eq!(text_now(&mut fixture.faults.inner), "unread");
}

#[test]
fn what_precedes_an_answer_that_is_not_sent_is_not_sent_either() {
    for (delivery, expected) in
        [(Delivery::Instead(End::Close), ""), (Delivery::Stale, "HTTP/1.1 100 Continue\r\n\r\n")]
    {
        let mut fixture = answered(None);
        fixture.exchange.head_complete(Interpreted::None);
        fixture.exchange.begin();
        fixture.exchange.order(Order { delivery, asked: GET, revoked: Box::pin(pending()) });
        write_now(&mut fixture.faults, "HTTP/1.1 100 Continue\r\n\r\n");
        assert_eq!(text_now(&mut fixture.client), expected);
    }
}

#[test]
fn a_streamed_answer_is_not_over_before_its_last_byte() {
    let mut fixture = answered(None);
    fixture.exchange.head_complete(Interpreted::None);
    fixture.exchange.begin();
    let stream = Rc::clone(&fixture.exchange).stream();
    fixture.exchange.order(Order { delivery: Delivery::Stale, asked: GET, revoked: Box::pin(pending()) });
    fixture.exchange.end();
    write_now(&mut fixture.faults, &ANSWER[..ANSWER.len() - 1]);
    assert!(!fixture.exchange.phase().is_between_requests());
    write_now(&mut fixture.faults, &ANSWER[ANSWER.len() - 1..]);
    drop(stream);
    assert_eq!(text_now(&mut fixture.client), ANSWER);
    assert!(fixture.exchange.phase().is_between_requests());
    assert_eq!(fixture.exchange.spent(), Some(Spent::Stale));
}

#[tokio::test(start_paused = true)]
async fn a_close_reads_what_the_client_still_sends_until_the_client_closes_too() {
    let mut fixture = answered(Some(Delivery::Instead(End::Close)));
    write_now(&mut fixture.client, "the rest of the request");
    write_now(&mut fixture.faults, ANSWER);
    assert_eq!(read_now(&mut fixture.client), Some(Vec::new()), "the end of the stream, and not a byte");
    assert!(timeout(Duration::from_millis(10), fixture.faults.flush()).await.is_err(), "it reads on");
    assert_eq!(read_now(&mut fixture.faults.inner), None, "nothing is left unread, which would be a reset");
    drop(fixture.client);
    assert!(fixture.faults.flush().await.is_err());
    assert!(!fixture.wire.is_reset.get());
}
