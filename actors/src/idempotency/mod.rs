//! One execution for each key. The first caller with a key (the leader) does the work, those that come meanwhile
//! (followers) wait for it, and those that come later get the stored answer, until it has expired or was evicted.
//!
//! [`cache`] holds the rules, the actor owns a cache, and [`IdempotencyHandle`] asks it. An answer that was replayed
//! lately is published, so that replaying it again costs no message, whichever thread asks.
//! The names follow the IETF draft on the `Idempotency-Key` header (draft-ietf-httpapi-idempotency-key-header), which
//! leaves it to the server how concurrent requests with one key are settled: here they wait.

mod actor;
pub mod cache;
mod handle;
mod published;

pub use cache::{CacheSettings, CacheStats, ExecutionId, Fingerprint, Key};
pub use handle::{IdempotencyHandle, Lease, Outcome, prepare};
