//! So many calls at once and no more: the others wait, and give up in time.

use std::time::Duration;

use futures::future::join_all;
use resilient_client::{BulkheadConfig, ClientConfig, Error, ErrorKind, ResilientClient, Response};
use tokio::time::Instant;

use super::{
    stage::Stage,
    story::{Broken, Story},
};

const SLOTS: u32 = 2;
const CALLS: usize = 6;
const DELAY: Duration = Duration::from_millis(200);

pub(super) async fn show(stage: &Stage) -> Result<(), Broken> {
    patient(stage).await?;
    impatient(stage).await
}

async fn patient(stage: &Stage) -> Result<(), Broken> {
    Story::does(format!(
        "{CALLS} calls at once through {SLOTS} slots; each takes the server {} ms, and all may wait",
        DELAY.as_millis()
    ));
    let client = with_patience(stage, Duration::from_secs(30))?;
    let started = Instant::now();
    let results = at_once(&client).await;
    let took = started.elapsed();
    let passed = results.iter().filter(|result| result.is_ok()).count();
    Story::saw(format!("{passed} succeeded, in {} ms", took.as_millis()));
    Story::check("none is lost", passed == CALLS)?;
    Story::check(
        format!("no more than {SLOTS} were under way at once: it took 3 rounds"),
        took >= DELAY * 3,
    )?;
    Story::check("every slot came back", client.available_slots() == SLOTS)?;
    client.close().await;
    Ok(())
}

async fn impatient(stage: &Stage) -> Result<(), Broken> {
    Story::does("the same, and none may wait");
    let client = with_patience(stage, Duration::ZERO)?;
    let results = at_once(&client).await;
    let passed = results.iter().filter(|result| result.is_ok()).count();
    let full = |result: &&Result<Response, Error>| {
        result
            .as_ref()
            .is_err_and(|error| error.kind() == ErrorKind::PoolTimeout && error.attempts().is_empty())
    };
    let refused = results.iter().filter(full).count();
    Story::saw(format!("{passed} succeeded, {refused} found no slot"));
    Story::check(
        "the slots are taken, and the others told at once",
        (passed, refused) == (SLOTS as usize, CALLS - SLOTS as usize),
    )?;
    Story::check("every slot came back", client.available_slots() == SLOTS)?;
    client.close().await;
    Ok(())
}

fn with_patience(stage: &Stage, acquisition_timeout: Duration) -> Result<ResilientClient, Error> {
    ResilientClient::start(ClientConfig {
        bulkhead: BulkheadConfig { max_concurrency: SLOTS, acquisition_timeout },
        ..stage.single_attempts()
    })
}

async fn at_once(client: &ResilientClient) -> Vec<Result<Response, Error>> {
    let delay = DELAY.as_millis().to_string();
    join_all((0..CALLS).map(|_| client.get("/msg").query(&[("delay", &delay)]).send())).await
}
