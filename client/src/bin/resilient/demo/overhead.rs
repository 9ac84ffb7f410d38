//! What the client costs, measured against awc alone.
//!
//! Of the library, only its transport knows awc. This file does too, because the bare side of a comparison must not
//! go through what it is compared with.

use std::time::Duration;

use awc::Client;
use resilient_client::{ClientConfig, ResilientClient};
use tokio::time::Instant;
use uuid::Uuid;

use super::{
    stage::Stage,
    story::{Broken, Story},
};

/// Calls of each side.
const CALLS: usize = 500;
/// The sides take turns this often, so that neither has the machine's better moments.
const TURN: usize = 50;

pub(super) async fn show(stage: &Stage) -> Result<(), Broken> {
    Story::does(format!("GET /msg {CALLS} times through bare awc and as often through the client, in turns"));
    let bare = Client::default();
    let client = ResilientClient::start(ClientConfig { ..stage.single_attempts() })?;
    let url = format!("{}/msg", stage.base_url().trim_end_matches('/'));
    // The first call of each pays for its connection.
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
    Story::saw(format!(
        "median of bare awc {awc:.0} us, of the client {ours:.0} us, {:+.0} us a call",
        ours - awc
    ));
    // How much it costs depends on the machine and the build, and is not judged.
    Story::holds("every call of both sides succeeded");
    client.close().await;
    Ok(())
}

/// As the client does: with a request id, and with the body read.
async fn bare_call(client: &Client, url: &str) -> Result<(), Broken> {
    let request = client.get(url).insert_header(("x-request-id", Uuid::new_v4().to_string()));
    let mut reply =
        request.send().await.map_err(|why| Broken::new(format!("a call of bare awc failed: {why}")))?;
    reply.body().await.map_err(|why| Broken::new(format!("a body of bare awc failed: {why}")))?;
    if reply.status().is_success() {
        Ok(())
    } else {
        Err(Broken::new(format!("bare awc got {}", reply.status())))
    }
}

async fn timed(call: impl Future<Output = Result<(), Broken>>) -> Result<Duration, Broken> {
    let started = Instant::now();
    call.await.map(|()| started.elapsed())
}

/// The median in microseconds.
fn micros(times: &mut [Duration]) -> f64 {
    times.sort_unstable();
    times.get(times.len() / 2).map_or(0.0, Duration::as_secs_f64) * 1e6
}
