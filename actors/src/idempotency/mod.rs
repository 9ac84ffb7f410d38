//! One execution for each key. The first caller with a key (the leader) does the work, those that come meanwhile
//! (followers) wait for it, and those that come later get the stored answer, until it has expired or was evicted.
//!
//! [`cache`] holds the rules, the actor owns a cache, and [`IdempotencyHandle`] asks it. An answer that was replayed
//! lately is published, so that replaying it again costs no message, whichever thread asks.
//! `shared` is the same in a store that several servers share.
//!
//! The names follow the IETF draft on the `Idempotency-Key` header (draft-ietf-httpapi-idempotency-key-header), which
//! leaves it to the server how concurrent requests with one key are settled: here they wait.

mod actor;
mod answer;
pub mod cache;
mod handle;
mod lease;
mod published;
#[cfg(feature = "store")]
mod shared;
#[cfg(feature = "store")]
mod tenure;

pub use answer::Settled;
pub use cache::{CacheSettings, CacheStats, ExecutionId, Fingerprint, Key};
#[cfg(feature = "store")]
pub use handle::shared;
pub use handle::{IdempotencyHandle, prepare};
pub use lease::{Lease, Outcome};
