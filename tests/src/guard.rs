//! The bound on every wait. It tells a hang from an answer; it must never be used to measure speed.

use std::future::Future;
use std::time::Duration;

/// How long a test waits for something that must happen. It is shorter than the longest delay that a client
/// may ask of `/msg` (30 s), so that whoever waits for a dead request's delay is seen to hang.
pub const HANG_GUARD: Duration = Duration::from_secs(25);

/// The output of `future`.
///
/// # Panics
/// When [`HANG_GUARD`] has passed, with `what` as the thing that did not happen.
pub async fn within<F: Future>(what: &str, future: F) -> F::Output {
    match tokio::time::timeout(HANG_GUARD, future).await {
        Ok(output) => output,
        Err(_) => panic!("this did not happen in {HANG_GUARD:?}: {what}"),
    }
}
