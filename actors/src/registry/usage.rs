//! When a member was last used, and by how many at the moment. Pure but for atomics: the time is passed in.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// How long a member lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lifetime {
    /// As long as its registry.
    Unlimited,
    /// Until it has not been used for so long.
    SinceLastUse(Duration),
    /// Until a store says that it has ended.
    #[cfg(feature = "store")]
    Elsewhere,
}

/// The use of one member, on any thread.
#[derive(Debug)]
pub struct Usage {
    created: Instant,
    lifetime: Lifetime,
    /// Microseconds since `created`.
    last_used: AtomicU64,
    in_use: AtomicUsize,
    /// The last use that was noted elsewhere.
    #[cfg(feature = "store")]
    noted: AtomicU64,
}

impl Usage {
    pub(super) fn new(lifetime: Lifetime, now: Instant) -> Self {
        Self {
            created: now,
            lifetime,
            last_used: AtomicU64::new(0),
            in_use: AtomicUsize::new(0),
            #[cfg(feature = "store")]
            noted: AtomicU64::new(0),
        }
    }

    /// A use begins.
    pub(super) fn begin(&self, now: Instant) {
        self.in_use.fetch_add(1, Ordering::AcqRel);
        self.touch(now);
    }

    /// Another use begins while one is under way.
    pub(super) fn begin_another(&self) {
        self.in_use.fetch_add(1, Ordering::AcqRel);
    }

    /// A use ends; without a time it does not count as the last one.
    pub(super) fn end(&self, now: Option<Instant>) {
        if let Some(now) = now {
            self.touch(now);
        }
        self.in_use.fetch_sub(1, Ordering::AcqRel);
    }

    fn touch(&self, now: Instant) {
        let age = now.saturating_duration_since(self.created).as_micros();
        self.last_used.fetch_max(u64::try_from(age).unwrap_or(u64::MAX), Ordering::AcqRel);
    }

    /// Whether the member is in use, or was since this was last called.
    #[cfg(feature = "store")]
    pub(super) fn take_used(&self) -> bool {
        // A use that begins in between is seen the next time.
        let last = self.last_used.load(Ordering::Acquire);
        self.noted.swap(last, Ordering::AcqRel) != last || self.in_use() > 0
    }

    /// Whether the member lives as long as its registry.
    #[must_use]
    pub fn is_unlimited(&self) -> bool {
        self.lifetime == Lifetime::Unlimited
    }

    /// How many uses have begun and not ended.
    #[must_use]
    pub fn in_use(&self) -> usize {
        self.in_use.load(Ordering::Acquire)
    }

    /// When the member was created.
    #[must_use]
    pub fn created(&self) -> Instant {
        self.created
    }

    /// When the member was last used; its creation counts as a use.
    #[must_use]
    pub fn last_used(&self) -> Instant {
        self.created + Duration::from_micros(self.last_used.load(Ordering::Acquire))
    }

    /// How long the member still lives if it is not used from now on; `None` means without a limit.
    #[must_use]
    pub fn expires_in(&self, now: Instant) -> Option<Duration> {
        match self.lifetime {
            Lifetime::Unlimited => None,
            #[cfg(feature = "store")]
            Lifetime::Elsewhere => None,
            Lifetime::SinceLastUse(lifetime) if self.in_use() > 0 => Some(lifetime),
            Lifetime::SinceLastUse(lifetime) => {
                Some((self.last_used() + lifetime).saturating_duration_since(now))
            }
        }
    }

    /// Whether the member has expired. With a use under way it never has.
    #[must_use]
    pub fn has_expired(&self, now: Instant) -> bool {
        self.expires_in(now) == Some(Duration::ZERO) && self.in_use() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_expires_after_its_last_use_and_never_while_it_is_used() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let usage = Usage::new(Lifetime::SinceLastUse(Duration::from_secs(10)), start);
        assert_eq!(usage.expires_in(at(4)), Some(Duration::from_secs(6)));
        assert!(!usage.has_expired(at(9)) && usage.has_expired(at(10)));
        usage.begin(at(9));
        assert!(!usage.has_expired(at(100)));
        usage.end(Some(at(100)));
        assert!(!usage.has_expired(at(109)) && usage.has_expired(at(110)));
        assert_eq!(usage.last_used(), at(100));
    }

    #[test]
    fn a_member_without_a_limit_never_expires() {
        let start = Instant::now();
        let usage = Usage::new(Lifetime::Unlimited, start);
        assert_eq!(usage.expires_in(start), None);
        assert!(!usage.has_expired(start + Duration::from_secs(1_000_000)));
    }
}
