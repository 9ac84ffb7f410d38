//! A server that keeps failing is left alone; when it may be back, one call finds out.

use std::time::Duration;

use futures::future::join_all;
use resilient_client::{
    BreakerState, CircuitBreakerConfig, ClientConfig, ConnectionError, Error, ErrorKind, ResilientClient,
    Response,
};

use super::{
    stage::Stage,
    story::{Broken, Story},
};

const THRESHOLD: u32 = 3;
/// Long enough that even a stalled machine sees the breaker open.
const RECOVERY: Duration = Duration::from_secs(2);
const CALLERS: usize = 20;

pub(super) async fn show(stage: &Stage) -> Result<(), Broken> {
    let client = ResilientClient::start(ClientConfig {
        circuit_breaker: CircuitBreakerConfig {
            failure_threshold: THRESHOLD,
            recovery_timeout: RECOVERY,
            half_open_max_calls: 1,
        },
        ..stage.single_attempts()
    })?;
    let wait = open(stage, &client).await?;
    recover(stage, &client, wait).await?;

    let stats = client.stats();
    Story::check(
        "in all it opened, half-opened and closed once",
        (stats.opened, stats.half_opened, stats.closed) == (1, 1, 1),
    )?;
    client.close().await;
    Ok(())
}

/// Opens the breaker; how long it says to wait.
async fn open(stage: &Stage, client: &ResilientClient) -> Result<Duration, Broken> {
    Story::does(format!(
        "the next {} requests will fail; {THRESHOLD} calls of one attempt each",
        THRESHOLD + 1
    ));
    stage.fail_next(THRESHOLD + 1).await?;
    for _ in 0..THRESHOLD {
        let kind = client.get("/msg").send().await.map_or_else(|error| error.kind().name(), |_| "ok");
        Story::saw(format!("{kind}; the breaker is {}", client.state()));
        Story::check("the call failed with the server's error", kind == kind_of_500())?;
    }

    Story::does("one more call");
    let refused = client.get("/msg").send().await;
    let Err(error) = refused else { return Err(Broken::new("an open breaker lets a call through")) };
    Story::saw(&error);
    Story::check(
        "the call is refused at once, and nothing was sent",
        error.is_circuit_open() && error.attempts().is_empty(),
    )?;
    Story::check("the server never saw it: one failure is still armed", stage.failures_left().await? == 1)?;
    error.retry_after().ok_or_else(|| Broken::new("the refusal does not say how long to wait"))
}

async fn recover(stage: &Stage, client: &ResilientClient, wait: Duration) -> Result<(), Broken> {
    Story::does(format!(
        "the server is well again; after the {:.1} s that the breaker asks for, {CALLERS} calls at once",
        wait.as_secs_f64()
    ));
    stage.reset().await?;
    tokio::time::sleep(wait).await;
    let calls = (0..CALLERS).map(|_| client.get("/msg").query(&[("delay", "300")]).send());
    let results: Vec<Result<Response, Error>> = join_all(calls).await;
    let passed = results.iter().filter(|result| result.is_ok()).count();
    let refused = results.iter().filter(|result| result.as_ref().is_err_and(Error::is_circuit_open)).count();
    Story::saw(format!("{passed} went through, {refused} were refused; the breaker is {}", client.state()));
    Story::check("exactly one of them was the probe", (passed, refused) == (1, CALLERS - 1))?;
    Story::check("its success closed the breaker", client.state() == BreakerState::Closed)?;
    client.get("/msg").send().await?;
    Story::holds("calls pass again");
    Ok(())
}

fn kind_of_500() -> &'static str {
    ErrorKind::Connection(ConnectionError::Server).name()
}
