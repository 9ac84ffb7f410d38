//! What the tests of local and of shared failure modes have in common.

use super::{Decision, FailureHandle};

/// Whether the next request fails. A failure is spent, as by a request that was answered with it.
pub(super) async fn fails(handle: &FailureHandle) -> bool {
    match handle.decide().await.unwrap() {
        Decision::Pass => false,
        Decision::Fail(failure) => {
            failure.spend();
            true
        }
    }
}
