//! For tests of programs that use the client (feature `test-util`): a scripted server and a paused clock.
//!
//! A [`Script`] says what the server does with each request. Its [`client`](Script::client) is a [`ResilientClient`]
//! like any other, with every policy of its configuration, but it opens no socket: the steps of the script take the
//! place of the network. Inside [`run`] the clock stands still while the test works, and jumps ahead when everything
//! waits. So a test of three attempts that fail and one that succeeds takes microseconds, whatever the waits are, and
//! its times are exact.
//!
//! ```toml
//! [dev-dependencies]
//! resilient-client = { version = "0.1", features = ["test-util"] }
//! ```
//!
//! ```
//! use std::time::Duration;
//! use resilient_client::{ClientConfig, Error, ResilientClient, RetryConfig, test::{self, Script}};
//!
//! // The function under test.
//! async fn place_order(shop: &ResilientClient) -> Result<u16, Error> {
//!     Ok(shop.post("/orders").json(&["tea"]).send().await?.status())
//! }
//!
//! # fn main() -> Result<(), Error> {
//! test::run(async {
//!     let script = Script::new([503, 503, 503, 201]);
//!     let shop = script.client(ClientConfig {
//!         retry: RetryConfig { max_attempts: 4, jitter: false, ..Default::default() },
//!         ..ClientConfig::new("http://shop")
//!     })?;
//!
//!     assert_eq!(place_order(&shop).await?, 201);
//!
//!     let requests = script.requests();
//!     let times: Vec<_> = requests.iter().map(|request| request.at()).collect();
//!     assert_eq!(times, [0, 1, 3, 7].map(Duration::from_secs));
//!     assert_eq!(requests[3].url(), "http://shop/orders");
//!     assert_eq!(requests[3].text(), r#"["tea"]"#);
//!     // Every attempt has the same request id, so that the server recognises the repetition.
//!     assert_eq!(requests[3].header("x-request-id"), requests[0].header("x-request-id"));
//!     Ok(())
//! })
//! # }
//! ```
//!
//! * [`Reply`]: a status with headers, a body, a delay. A number is a reply with that status.
//! * [`Fault`]: a connection that is refused, reset or cut off, a timeout.
//! * [`Script::from_fn`]: a server that decides by the request.
//! * [`Script::requests`]: what was sent, and when.
//!
//! A request for which the script has no step fails the test with a message that names it.
//!
//! What is below an exchange has no part in it: connections, TLS, proxies, HTTP's framing, content codings. To test a
//! program with those, run it against `test-server`.

mod script;

use std::future::Future;

use actix::System;

pub use self::script::Script;
#[cfg(doc)]
use crate::ResilientClient;
pub use crate::transport::scripted::{Fault, Reply, SentRequest, Step};

/// Runs a test inside an actix system on this thread, under a paused clock.
///
/// Time passes only while every task waits: the clock then jumps to the next timer. Inside the test,
/// `tokio::time::sleep` therefore takes no time, and `tokio::time::Instant` shows the time of the test. The runtime has
/// no I/O: a paused clock and sockets do not go together, so code that opens a socket panics.
///
/// ```
/// use resilient_client::{ClientConfig, test::{self, Script}};
///
/// test::run(async {
///     let client = Script::new([200]).client(ClientConfig::new("http://api")).unwrap();
///     assert_eq!(client.get("/").send().await.unwrap().status(), 200);
/// });
/// ```
///
/// A script runs in any actix system, such as that of `#[actix_rt::test]`; the clock is then the caller's concern.
///
/// # Panics
///
/// If the runtime cannot be built, or there is one on this thread already.
#[track_caller]
pub fn run<T>(test: impl Future<Output = T>) -> T {
    // Paused from its start, so that the clock stands at a whole millisecond, to which timers are rounded.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    match runtime {
        Ok(runtime) => System::with_tokio_rt(|| runtime).block_on(test),
        Err(why) => panic!("the runtime of the test cannot be built: {why}"),
    }
}

#[cfg(test)]
mod tests;
