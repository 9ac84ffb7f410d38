//! Whether a request can be sent at all, asked before anything is.
//!
//! The library checks a call when it is made, and a client whose breaker is held open makes none: what it answers
//! is what is wrong with the call.

use resilient_client::{ClientConfig, Error, LogLevel, ResilientClient};

use crate::request::Request;

/// Refuses what the library would refuse to send, for each URL.
pub(crate) async fn check(config: &ClientConfig, request: &Request, urls: &[String]) -> Result<(), Error> {
    let mut config = config.clone();
    config.logging.level = LogLevel::Off;
    let client = ResilientClient::start(config)?;
    client.force_open().await?;
    for url in urls {
        match request.to(&client, url).send().await {
            Err(error) if !error.is_circuit_open() => return Err(error),
            _ => {}
        }
    }
    client.close().await;
    Ok(())
}
