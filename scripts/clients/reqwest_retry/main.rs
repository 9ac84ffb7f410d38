//! Rust: reqwest with reqwest-retry.
use std::time::Duration;

use reqwest_middleware::ClientBuilder;
use reqwest_retry::policies::ExponentialBackoff;
use reqwest_retry::RetryTransientMiddleware;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let client = reqwest::Client::builder().timeout(Duration::from_secs(10)).build()?;
    let policy = ExponentialBackoff::builder().build_with_max_retries(3);
    let client = ClientBuilder::new(client).with(RetryTransientMiddleware::new_with_policy(policy)).build();
    let request = match arguments.get(2) {
        Some(bytes) => client.post(&arguments[1]).body("x".repeat(bytes.parse()?)),
        None => client.get(&arguments[1]),
    };
    println!("{}", request.send().await?.error_for_status()?.text().await?);
    Ok(())
}
