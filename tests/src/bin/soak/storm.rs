//! Everything at once: calls with old keys and new ones, calls given up, connections aborted, failures armed and
//! reset.

use std::time::{Duration, Instant};

use fastrand::Rng;
use futures::future::try_join_all;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::setup::{Soak, message};
use crate::{Broken, broken};

/// How many act at once: more than the client and the server have slots.
const ACTORS: usize = 32;

/// Lets `ACTORS` act at random for so long; returns once the last has ended what it began.
pub(crate) async fn rage(soak: &Soak, rng: &mut Rng, length: Duration) -> Result<(), Broken> {
    let end = Instant::now() + length;
    let actors = (0..ACTORS).map(|_| rng.fork()).map(|mut rng| async move {
        while Instant::now() < end {
            act(soak, &mut rng).await?;
            // A breaker that is open refuses at once: do not ask it without a pause.
            sleep(Duration::from_millis(rng.u64(0..4))).await;
        }
        Ok(())
    });
    try_join_all(actors).await.map(drop)
}

async fn act(soak: &Soak, rng: &mut Rng) -> Result<(), Broken> {
    match rng.u32(..200) {
        0..100 => keyed(soak, rng).await,
        100..140 => {
            let delay = rng.u32(..20).to_string();
            let call = soak.client.get("/msg").query(&[("delay", delay)]);
            message(soak.send(call).await?).map(drop)
        }
        140..170 => {
            given_up(soak, rng).await;
            Ok(())
        }
        170..194 => aborted(soak, rng).await,
        194..197 => soak.order(&format!("/fail/count/{}", rng.u32(..25))).await,
        197 => soak.order(&format!("/fail/duration/{}", rng.u32(..2))).await,
        _ => soak.order("/fail/reset").await,
    }
}

/// A call with a key that others use too, perhaps at the same moment.
async fn keyed(soak: &Soak, rng: &mut Rng) -> Result<(), Broken> {
    let key = soak.keys.borrow_mut().pick(rng, Instant::now());
    let delay = rng.u32(..8).saturating_sub(3).to_string();
    let call = soak.client.get("/msg").query(&[("delay", delay)]).request_id(&key.name);
    match message(soak.send(call).await?)? {
        Some(message) => key.answered_with(message),
        None => Ok(()),
    }
}

/// A call whose future is dropped at some moment, perhaps before it is first polled by the transport, perhaps after
/// its end. Half of them carry a key: another must take its place, or find its answer.
async fn given_up(soak: &Soak, rng: &mut Rng) {
    let call = soak.client.get("/msg").query(&[("delay", rng.u32(..40).to_string())]);
    let call = if rng.bool() {
        call.request_id(&soak.keys.borrow_mut().pick(rng, Instant::now()).name)
    } else {
        call
    };
    soak.tally.dropped.add(1);
    let _ = timeout(Duration::from_micros(rng.u64(..30_000)), call.send()).await;
}

/// A connection that ends at some moment, by FIN or by RST, with a request on it, or a part of one.
async fn aborted(soak: &Soak, rng: &mut Rng) -> Result<(), Broken> {
    let key = soak.keys.borrow_mut().pick(rng, Instant::now());
    let head = format!(
        "GET /msg?delay={} HTTP/1.1\r\nHost: soak\r\nX-Request-ID: {}\r\n\r\n",
        rng.u32(..50),
        key.name
    );
    let mut stream = match TcpStream::connect(&soak.authority).await {
        Ok(stream) => stream,
        Err(error) => return broken!("{} takes no connection: {error}", soak.authority),
    };
    let part = if rng.u32(..4) == 0 { rng.usize(..head.len()) } else { head.len() };
    // The server may well end the connection first.
    let _ = stream.write_all(&head.as_bytes()[..part]).await;
    sleep(Duration::from_micros(rng.u64(..20_000))).await;
    if rng.bool() {
        let _ = stream.set_zero_linger();
    }
    soak.tally.aborted.add(1);
    Ok(())
}
