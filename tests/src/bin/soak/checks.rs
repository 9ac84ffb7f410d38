//! What must hold when the storm is over. Nothing else uses the server meanwhile.

use std::time::{Duration, Instant};

use fastrand::Rng;
use futures::stream::{self, StreamExt};
use resilient_client::{BreakerState, Error, ResilientClient, Response};
use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use workspace_tests::TestServer;
use workspace_tests::logs::LogLine;

use crate::setup::{LONGEST_WAIT, SLOTS, Soak, message};
use crate::{Broken, broken};

/// What the server's memory may grow by after the warm-up, in bytes.
///
/// Its cache of 10 000 keys takes about 4 MiB once it is full, and an allocator keeps what it got for a moment with
/// many connections. A leak of 100 bytes a request passes it within minutes.
const GROWTH: u64 = 24 << 20;

/// After N failures are armed, N attempts fail and no more, however many run at once.
pub(crate) async fn failures_are_exact(soak: &Soak, rng: &mut Rng) -> Result<(), Broken> {
    let armed = rng.u64(1..60);
    let calls = armed + rng.u64(1..60);
    soak.order(&format!("/fail/count/{armed}")).await?;
    let seen = stream::iter(0..calls)
        .map(|_| {
            let key = rng.bool().then(|| soak.keys.borrow_mut().pick(rng, Instant::now()));
            async move {
                let call = soak.counter.get("/msg");
                let call = key.iter().fold(call, |call, key| call.request_id(&key.name));
                let ended = soak.send(call).await?;
                let attempts = ended.as_ref().map_or_else(Error::attempts, Response::attempts);
                let failures = attempts.iter().filter(|attempt| attempt.status == Some(500)).count();
                if let (Some(message), Some(key)) = (message(ended)?, key) {
                    key.answered_with(message)?;
                }
                Ok::<_, Broken>(failures as u64)
            }
        })
        .buffer_unordered(24)
        .fold(Ok(0), |sum: Result<u64, Broken>, one| async move { Ok(sum? + one?) })
        .await?;
    soak.tally.counted.add(seen);
    if seen != armed {
        return broken!("{armed} failures were armed, and of {calls} calls {seen} attempts failed");
    }
    let status = soak.send(soak.counter.get("/fail/status")).await?.map_err(|e| Broken(e.to_string()))?;
    match status.json::<Value>() {
        Ok(status) if status["currently_failing"] == false => Ok(()),
        other => broken!("all failures have happened, and the status is {other:?}"),
    }
}

/// With no call under way, every slot of the client is free and its breaker can be closed.
pub(crate) async fn gauges_are_back(soak: &Soak) -> Result<(), Broken> {
    soak.client.reset().await.map_err(|error| Broken(error.to_string()))?;
    for client in [&soak.client, &soak.counter] {
        let end = Instant::now() + LONGEST_WAIT;
        while !is_idle(client) {
            if Instant::now() > end {
                return broken!("no call is under way, and the client says {:?}", client.stats());
            }
            sleep(Duration::from_millis(5)).await;
        }
        if client.state() != BreakerState::Closed {
            return broken!("nothing fails, and the breaker is {:?}", client.state());
        }
    }
    Ok(())
}

fn is_idle(client: &ResilientClient) -> bool {
    let stats = client.stats();
    stats.in_flight == 0 && stats.available_slots == stats.slots
}

/// While all slots of the server but one are taken, the last one still serves.
pub(crate) async fn slots_are_back(soak: &Soak) -> Result<(), Broken> {
    if soak.server.is_none() {
        return Ok(());
    }
    let mut taken = Vec::new();
    for _ in 1..SLOTS {
        let mut stream = TcpStream::connect(&soak.authority).await.map_err(|e| Broken(e.to_string()))?;
        let hang = "GET /msg?delay=30000 HTTP/1.1\r\nHost: soak\r\n\r\n";
        stream.write_all(hang.as_bytes()).await.map_err(|e| Broken(e.to_string()))?;
        taken.push(stream);
    }
    // Should they come late, this check is weaker, and never wrong.
    sleep(Duration::from_millis(100)).await;
    let served = timeout(Duration::from_secs(20), soak.send(soak.counter.get("/msg"))).await;
    let Ok(served) = served else {
        return broken!("{} of {SLOTS} slots are taken, and the last one does not serve", SLOTS - 1);
    };
    message(served?).map(drop)
}

/// Every key that has had an answer has it still.
pub(crate) async fn keys_still_answer(soak: &Soak) -> Result<(), Broken> {
    let keys = soak.keys.borrow().answered(Instant::now());
    for key in keys {
        let ended = soak.send(soak.client.get("/msg").request_id(&key.name)).await?;
        match message(ended)? {
            Some(message) => key.answered_with(message)?,
            None => return broken!("no failure is armed, and key {} has no answer", key.name),
        }
    }
    Ok(())
}

/// Our server's memory stays where it was at the first look, after the warm-up.
pub(crate) fn memory_is_flat(soak: &mut Soak) -> Result<(), Broken> {
    let Some(now) = soak.server.as_ref().map(TestServer::footprint) else {
        return Ok(());
    };
    let warm = *soak.warm.get_or_insert(now);
    if now.resident > warm.resident + GROWTH {
        return broken!("the server took {} MiB when warm, and takes {}", warm.mebibytes(), now.mebibytes());
    }
    Ok(())
}

/// Our server has logged nothing but its start: it logs warnings and errors only, and there is no reason for either.
pub(crate) fn log_is_clean(soak: &Soak) -> Result<(), Broken> {
    let Some(server) = &soak.server else { return Ok(()) };
    let is_start = |line: &LogLine| line.logger() == "server.startup" && line.level() == "info";
    match server.logs().iter().filter(|line| !is_start(line)).chain(&server.errors()).next() {
        Some(line) => broken!("the server logged {}", line.text),
        None => Ok(()),
    }
}
