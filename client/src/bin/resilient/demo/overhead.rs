//! The cost of the client, measured beside awc alone.
//!
//! In the library only the transport uses awc. This file uses it too, because one side of the comparison has to do
//! without the client.

use std::time::Duration;

use awc::Client;
use resilient_client::{ClientConfig, ResilientClient};
use tokio::time::Instant;
use uuid::Uuid;

use super::{
    server::Server,
    transcript::{self, NotHeld},
};

/// Calls of each side.
const CALLS: usize = 500;
/// Calls before the other side has its turn, so that both sides see the same load of the machine.
const TURN: usize = 50;

pub(super) async fn show(server: &Server) -> Result<(), NotHeld> {
    transcript::step(format!(
        "GET /msg {CALLS} times through bare awc and as often through the client, in turns"
    ));
    let bare = Client::default();
    let client = ResilientClient::start(ClientConfig { ..server.single_attempts() })?;
    let url = format!("{}/msg", server.base_url().trim_end_matches('/'));
    // The first call of each side opens its connection.
    bare_call(&bare, &url).await?;
    client.get("/msg").send().await?;

    let (mut alone, mut resilient) = (Vec::new(), Vec::new());
    for _ in 0..CALLS / TURN {
        for _ in 0..TURN {
            alone.push(timed(bare_call(&bare, &url)).await?);
        }
        for _ in 0..TURN {
            resilient.push(timed(async { Ok(client.get("/msg").send().await.map(drop)?) }).await?);
        }
    }
    let (awc, ours) = (micros(&mut alone), micros(&mut resilient));
    transcript::saw(format!(
        "median of bare awc {awc:.0} us, of the client {ours:.0} us, {:+.0} us a call",
        ours - awc
    ));
    // The cost depends on the machine and the build, and is not judged.
    transcript::holds("every call of both sides succeeded");
    client.close().await;
    Ok(())
}

/// Makes a call as the client does it: with a request id, and with the body read.
async fn bare_call(client: &Client, url: &str) -> Result<(), NotHeld> {
    let request = client.get(url).insert_header(("x-request-id", Uuid::new_v4().to_string()));
    let mut reply =
        request.send().await.map_err(|why| NotHeld::new(format!("a call of bare awc failed: {why}")))?;
    reply.body().await.map_err(|why| NotHeld::new(format!("a body of bare awc failed: {why}")))?;
    if reply.status().is_success() {
        Ok(())
    } else {
        Err(NotHeld::new(format!("bare awc got {}", reply.status())))
    }
}

async fn timed(call: impl Future<Output = Result<(), NotHeld>>) -> Result<Duration, NotHeld> {
    let started = Instant::now();
    call.await.map(|()| started.elapsed())
}

/// The median in microseconds.
fn micros(times: &mut [Duration]) -> f64 {
    times.sort_unstable();
    times.get(times.len() / 2).map_or(0.0, Duration::as_secs_f64) * 1e6
}
