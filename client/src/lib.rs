//! A resilient HTTP client: retries, circuit breaker, bulkhead, idempotency and deadlines over awc, under a
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
//! 1. [`call`]: what to send.
//! 2. [`client`]: the handle.
//! 3. `prepare`: checks the call and makes its request, before anything is sent.
//! 4. `dispatch`: runs the call on the thread that owns awc; it is handed over when it was made on another.
//! 5. `engine`: admission, a slot of the `bulkhead`, an attempt, and after a failed one the supervisor's decision.
//! 6. `exchange`: the exchanges of an attempt, over `transport` (awc); `redirect` says where a redirect leads.
//! 7. `attempt`: judges the attempt: success or failure, its kind, whether a retry can help.
//! 8. [`response`] or [`error`]: with the history of all attempts.
//!
//! # Where to look
//!
//! * Whether and when a retry is made: `resilience_actors::supervisor::retry`, asked by `engine`; its settings come
//!   from `policy`.
//! * Which status or fault is which error, is retried, counts for the breaker: `attempt/classify.rs`.
//! * The replay of a request on a new connection (RFC 9112, 9.3.1): permitted by `prepare::replay`, made by
//!   `transport`.
//! * What is logged: `observe/call_log.rs`, a listener of the events of `observe`. What is hidden there, in messages
//!   and in debug output: `redact`.
//! * When a second request is sent beside a slow one: `hedge`; `engine/round.rs` sends it.
//! * Which requests go through which proxy: `proxy`. Which cookies they have: `cookies`.
//! * How a client closes, and how its calls in flight are counted: `lifetime`.
//! * Tests of programs that use the client, without a socket and without waiting: `test` (feature `test-util`).
//!
//! The client speaks HTTP/1.1 only, over TLS as well. Compressed replies are decoded.

mod actor;
mod attempt;
mod bulkhead;
pub mod call;
pub mod client;
pub mod config;
mod cookies;
mod dispatch;
mod engine;
pub mod error;
mod exchange;
pub mod headers;
mod hedge;
mod history;
mod lifetime;
pub mod method;
pub mod observe;
mod origin;
mod policy;
mod prepare;
mod proxy;
mod redact;
mod redirect;
mod request_id;
pub mod response;
#[cfg(test)]
mod seed;
mod start;
mod state;
mod stats;
#[cfg(any(test, feature = "test-util"))]
pub mod test;
mod transport;
mod url;

pub use crate::{
    actor::ClientActor,
    call::{Call, Multipart, Part},
    client::{BreakerState, ResilientClient},
    config::{
        BreakerScope, BreakerWindow, BulkheadConfig, CircuitBreakerConfig, ClientConfig, HedgeAfter,
        HedgeConfig, LogLevel, LoggingConfig, ProxyConfig, Redirects, RetryBudget, RetryConfig, RetryMethods,
        TimeoutConfig,
    },
    error::{ConnectionError, Error, ErrorKind, FieldError, GaveUp, StatusError},
    headers::Headers,
    method::Method,
    observe::{Event, Observer},
    request_id::RequestId,
    response::{Attempt, AttemptRole, Response},
    stats::Stats,
};
