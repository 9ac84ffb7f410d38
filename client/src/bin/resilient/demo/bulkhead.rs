//! A limited number of attempts in flight: other calls wait for a slot, and give up in time.

use std::time::Duration;

use futures::future::join_all;
use resilient_client::{BulkheadConfig, ClientConfig, Error, ErrorKind, ResilientClient, Response};
use tokio::time::Instant;

use super::{
    server::Server,
    transcript::{self, NotHeld},
};

const SLOTS: u32 = 2;
const CALLS: usize = 6;
const DELAY: Duration = Duration::from_millis(200);

pub(super) async fn show(server: &Server) -> Result<(), NotHeld> {
    with_waiting(server).await?;
    without_waiting(server).await
}

async fn with_waiting(server: &Server) -> Result<(), NotHeld> {
    transcript::step(format!(
        "{CALLS} calls at once through {SLOTS} slots; each takes the server {} ms, and all may wait",
        DELAY.as_millis()
    ));
    let client = client(server, Duration::from_secs(30))?;
    let started = Instant::now();
    let results = at_once(&client).await;
    let took = started.elapsed();
    let passed = results.iter().filter(|result| result.is_ok()).count();
    transcript::saw(format!("{passed} succeeded, in {} ms", took.as_millis()));
    transcript::check("every call succeeded", passed == CALLS)?;
    transcript::check(
        format!("no more than {SLOTS} were in flight at once: it took 3 rounds"),
        took >= DELAY * 3,
    )?;
    transcript::check("every slot came back", client.available_slots() == SLOTS)?;
    client.close().await;
    Ok(())
}

async fn without_waiting(server: &Server) -> Result<(), NotHeld> {
    transcript::step("the same, but no call may wait for a slot");
    let client = client(server, Duration::ZERO)?;
    let results = at_once(&client).await;
    let passed = results.iter().filter(|result| result.is_ok()).count();
    let full = |result: &&Result<Response, Error>| {
        result
            .as_ref()
            .is_err_and(|error| error.kind() == ErrorKind::PoolTimeout && error.attempts().is_empty())
    };
    let refused = results.iter().filter(full).count();
    transcript::saw(format!("{passed} succeeded, {refused} found no slot"));
    transcript::check(
        "the slots are taken, and the other calls refused at once",
        (passed, refused) == (SLOTS as usize, CALLS - SLOTS as usize),
    )?;
    transcript::check("every slot came back", client.available_slots() == SLOTS)?;
    client.close().await;
    Ok(())
}

fn client(server: &Server, acquisition_timeout: Duration) -> Result<ResilientClient, Error> {
    ResilientClient::start(ClientConfig {
        bulkhead: BulkheadConfig { max_concurrency: SLOTS, acquisition_timeout, ..BulkheadConfig::default() },
        ..server.single_attempts()
    })
}

async fn at_once(client: &ResilientClient) -> Vec<Result<Response, Error>> {
    let delay = DELAY.as_millis().to_string();
    join_all((0..CALLS).map(|_| client.get("/msg").query(&[("delay", &delay)]).send())).await
}
