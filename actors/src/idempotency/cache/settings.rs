//! What the parts of the cache have in common: keys and bounds.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

/// An idempotency key. It is shared because the cache keeps it in three places.
pub type Key = Arc<str>;

/// What a request with a key asks for, in 32 bytes: requests that ask for the same have the same fingerprint. The
/// caller chooses how it is computed; SHA-256 fits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Fingerprint(pub [u8; 32]);

/// How much is kept, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheSettings {
    /// The largest number of stored answers; beyond it, the least recently used one is evicted.
    pub max_size: NonZeroUsize,
    /// How long after it was stored an answer expires. Reading it does not extend the time.
    pub ttl: Duration,
}
