//! Failures that retries hide from the caller, and one that they cannot hide.

use std::time::Duration;

use resilient_client::{
    Attempt, ClientConfig, ConnectionError, ErrorKind, GaveUp, ResilientClient, RetryConfig,
};

use super::{
    server::Server,
    transcript::{self, NotHeld, describe},
};

pub(super) async fn show(server: &Server) -> Result<(), NotHeld> {
    let client = ResilientClient::start(ClientConfig {
        retry: RetryConfig {
            max_attempts: 3,
            min_wait: Duration::from_millis(50),
            max_wait: Duration::from_millis(500),
            ..RetryConfig::default()
        },
        ..server.config()
    })?;

    transcript::step(
        "the next 2 requests will fail; GET /msg with at most 3 attempts, waits of 50 to 500 ms",
    );
    server.fail_next(2).await?;
    let reply = client.get("/msg").send().await?;
    transcript::saw(describe(reply.attempts()));
    transcript::check(
        "the call succeeds at the third attempt",
        statuses(reply.attempts()) == [500, 500, 200],
    )?;
    let waits: Vec<_> = reply.attempts().iter().filter_map(|attempt| attempt.wait).collect();
    let within = |wait: &Duration| (50..=500).contains(&wait.as_millis());
    transcript::check(
        "it waited twice, each time within the bounds",
        waits.len() == 2 && waits.iter().all(within),
    )?;

    transcript::step("the next 3 requests will fail; the same again");
    server.fail_next(3).await?;
    let Err(error) = client.get("/msg").send().await else {
        return Err(NotHeld::new("the call succeeds although every attempt fails"));
    };
    transcript::saw(format!("{} ({error}): {}", error.kind(), describe(error.attempts())));
    transcript::check(
        "the call fails with the server's error after all 3 attempts",
        error.kind() == ErrorKind::Connection(ConnectionError::Server)
            && error.gave_up() == Some(GaveUp::AttemptsExhausted)
            && statuses(error.attempts()) == [500, 500, 500],
    )?;
    transcript::check("no further request was made", server.failures_left().await? == 0)?;

    client.close().await;
    Ok(())
}

fn statuses(attempts: &[Attempt]) -> Vec<u16> {
    attempts.iter().filter_map(|attempt| attempt.status).collect()
}
