//! The bound on every wait, so that a hang fails a test. It must never be used to measure speed.

use std::future::Future;
use std::time::Duration;

/// How long a test waits for something that must happen. It is shorter than the longest delay that a client
/// may ask of `/msg` (30 s), so that a server that waits for the delay of an abandoned request fails the test.
pub const HANG_GUARD: Duration = Duration::from_secs(25);

/// Waits for `future` and returns its output.
///
/// # Panics
/// When [`HANG_GUARD`] has passed; the message names `what`.
pub async fn within<F: Future>(what: &str, future: F) -> F::Output {
    match tokio::time::timeout(HANG_GUARD, future).await {
        Ok(output) => output,
        Err(_) => panic!("this did not happen in {HANG_GUARD:?}: {what}"),
    }
}
