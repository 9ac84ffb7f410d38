//! The clock that actors read for their cores.

use std::time::Instant;

/// Reads the runtime's clock. It is monotonic, so a change of the system time has no effect, and tests can pause it.
pub(crate) fn now() -> Instant {
    actix_rt::time::Instant::now().into_std()
}
