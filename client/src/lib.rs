//! An HTTP client that copes: retries, circuit breaker, bulkhead, idempotency and deadlines over awc, under a
//! supervisor actor.
//!
//! ```no_run
//! use std::time::Duration;
//! use resilient_client::{BulkheadConfig, CircuitBreakerConfig, ClientConfig, ResilientClient, RetryConfig};
//!
//! # async fn example() -> Result<(), resilient_client::Error> {
//! let client = ResilientClient::start(ClientConfig {
//!     retry: RetryConfig { max_attempts: 5, min_wait: Duration::from_millis(500), ..Default::default() },
//!     circuit_breaker: CircuitBreakerConfig { failure_threshold: 3, ..Default::default() },
//!     bulkhead: BulkheadConfig { max_concurrency: 20, ..Default::default() },
//!     ..ClientConfig::new("http://localhost:8000")
//! })?;
//! let reply = client.get("/msg").query(&[("delay", "100")]).send().await?;
//! assert_eq!(reply.status(), 200);
//! # Ok(())
//! # }
//! ```
//!
//! # The way of a call
//!
//! 1. [`call`]: what to send. It is checked before anything is sent.
//! 2. [`client`]: the handle. An open breaker refuses here.
//! 3. `home`: the call runs where it was made if the client lives there, and is handed over otherwise.
//! 4. `engine`: admission, a slot of the `bulkhead`, an attempt; if it fails, the supervisor decides what next.
//! 5. `transport`: one exchange over awc; `redirect` says where it leads, `classify` what it means.
//! 6. [`response`] or [`error`]: with the history of all attempts.
//!
//! HTTP/1.1 alone is spoken, over TLS as well. Replies are not decompressed.

mod actor;
mod bulkhead;
pub mod call;
mod classify;
pub mod client;
pub mod config;
mod core;
mod engine;
pub mod error;
pub mod headers;
mod home;
mod journal;
pub mod method;
mod prepare;
mod redirect;
mod request_id;
pub mod response;
mod retry_after;
mod start;
mod transport;
mod url;

pub use crate::{
    actor::ClientActor,
    call::Call,
    client::{BreakerState, ResilientClient, Stats},
    config::{
        BulkheadConfig, CircuitBreakerConfig, ClientConfig, LogLevel, LoggingConfig, RetryBudget,
        RetryConfig, RetryMethods, TimeoutConfig,
    },
    error::{ConnectionError, Error, ErrorKind, GaveUp, StatusError},
    headers::Headers,
    method::Method,
    response::{Attempt, Response},
};
