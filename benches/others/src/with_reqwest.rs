//! reqwest with the retries of reqwest-retry.

use std::time::Duration;

use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};
use reqwest_retry::{RetryTransientMiddleware, policies::ExponentialBackoff};
use uuid::Uuid;

use crate::{RETRIES, cost::Failure, succeed};

pub(crate) fn client() -> Result<ClientWithMiddleware, Failure> {
    let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(60)).build()?;
    let policy = ExponentialBackoff::builder().build_with_max_retries(RETRIES);
    Ok(ClientBuilder::new(client).with(RetryTransientMiddleware::new_with_policy(policy)).build())
}

/// Sets a request id, sends, reads the body.
pub(crate) async fn get(client: &ClientWithMiddleware, url: &str) -> Result<(), Failure> {
    let request = client.get(url).header("x-request-id", Uuid::new_v4().to_string());
    let reply = request.send().await?;
    let is_success = reply.status().is_success();
    succeed(is_success, &reply.bytes().await?)
}
