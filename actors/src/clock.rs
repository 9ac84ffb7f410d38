//! The clock that actors read for their cores.

use std::time::Instant;

/// The runtime's clock, which tests can pause; monotonic, so a stepped wall clock changes nothing.
pub(crate) fn now() -> Instant {
    actix_rt::time::Instant::now().into_std()
}
