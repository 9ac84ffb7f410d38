//! The circuit breaker opens after consecutive failures, and one probe closes it when the server is back.

use std::time::Duration;

use futures::future::join_all;
use resilient_client::{
    BreakerState, CircuitBreakerConfig, ClientConfig, ConnectionError, Error, ErrorKind, ResilientClient,
    Response,
};

use super::{
    server::Server,
    transcript::{self, NotHeld},
};

const THRESHOLD: u32 = 3;
/// Long enough for a slow machine to see the breaker open.
const RECOVERY: Duration = Duration::from_secs(2);
const CALLERS: usize = 20;

pub(super) async fn show(server: &Server) -> Result<(), NotHeld> {
    let client = ResilientClient::start(ClientConfig {
        circuit_breaker: CircuitBreakerConfig {
            failure_threshold: THRESHOLD,
            recovery_timeout: RECOVERY,
            half_open_max_calls: 1,
            ..CircuitBreakerConfig::default()
        },
        ..server.single_attempts()
    })?;
    let wait = open(server, &client).await?;
    recover(server, &client, wait).await?;

    let stats = client.stats();
    transcript::check(
        "in all it opened, half-opened and closed once",
        (stats.opened, stats.half_opened, stats.closed) == (1, 1, 1),
    )?;
    client.close().await;
    Ok(())
}

/// Opens the breaker. Returns how long it says to wait.
async fn open(server: &Server, client: &ResilientClient) -> Result<Duration, NotHeld> {
    transcript::step(format!(
        "the next {} requests will fail; {THRESHOLD} calls of one attempt each",
        THRESHOLD + 1
    ));
    server.fail_next(THRESHOLD + 1).await?;
    for _ in 0..THRESHOLD {
        let kind = client.get("/msg").send().await.map_or_else(|error| error.kind().name(), |_| "ok");
        transcript::saw(format!("{kind}; the breaker is {}", client.state()));
        transcript::check("the call failed with the server's error", kind == kind_of_500())?;
    }

    transcript::step("one more call");
    let refused = client.get("/msg").send().await;
    let Err(error) = refused else { return Err(NotHeld::new("an open breaker lets a call through")) };
    transcript::saw(&error);
    transcript::check(
        "the call is refused at once, and nothing was sent",
        error.is_circuit_open() && error.attempts().is_empty(),
    )?;
    transcript::check(
        "the server never saw it: one failure is still armed",
        server.failures_left().await? == 1,
    )?;
    error.retry_after().ok_or_else(|| NotHeld::new("the refusal does not say how long to wait"))
}

async fn recover(server: &Server, client: &ResilientClient, wait: Duration) -> Result<(), NotHeld> {
    transcript::step(format!(
        "the failure modes are reset; after the {:.1} s that the breaker asks for, {CALLERS} calls at once",
        wait.as_secs_f64()
    ));
    server.reset().await?;
    tokio::time::sleep(wait).await;
    let calls = (0..CALLERS).map(|_| client.get("/msg").query(&[("delay", "300")]).send());
    let results: Vec<Result<Response, Error>> = join_all(calls).await;
    let passed = results.iter().filter(|result| result.is_ok()).count();
    let refused = results.iter().filter(|result| result.as_ref().is_err_and(Error::is_circuit_open)).count();
    transcript::saw(format!(
        "{passed} went through, {refused} were refused; the breaker is {}",
        client.state()
    ));
    transcript::check("exactly one of them was the probe", (passed, refused) == (1, CALLERS - 1))?;
    transcript::check("its success closed the breaker", client.state() == BreakerState::Closed)?;
    client.get("/msg").send().await?;
    transcript::holds("calls pass again");
    Ok(())
}

fn kind_of_500() -> &'static str {
    ErrorKind::Connection(ConnectionError::Server).name()
}
