//! How fast an answer is sent. \[pure\]

use std::time::Duration;

/// How long an answer may take. The connection ends then.
pub(super) const MAX_DRIP: Duration = Duration::from_secs(300);

/// The shortest time between two writes, unless a byte takes longer.
const SHORTEST_TICK: Duration = Duration::from_millis(20);

/// A bound on the speed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Drip {
    bytes_per_second: u32,
}

impl Drip {
    pub(super) fn new(bytes_per_second: u32) -> Self {
        Self { bytes_per_second: bytes_per_second.max(1) }
    }

    /// How many bytes may have been sent, so long after the first one: that one, and as many as the time allows.
    pub(super) fn allowed(self, elapsed: Duration) -> u64 {
        let bytes = elapsed.as_micros() * u128::from(self.bytes_per_second) / 1_000_000;
        u64::try_from(bytes).unwrap_or(u64::MAX).saturating_add(1)
    }

    /// How long to wait between two writes: for one byte at least.
    pub(super) fn tick(self) -> Duration {
        SHORTEST_TICK.max(Duration::from_secs(1) / self.bytes_per_second)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_speed_is_kept_over_any_time() {
        let second = Duration::from_secs(1);
        for (speed, after_one, after_five_minutes) in
            [(1, 2, 301), (64, 65, 19_201), (1_000_000_000, 1_000_000_001, 300_000_000_001)]
        {
            let drip = Drip::new(speed);
            assert_eq!(drip.allowed(Duration::ZERO), 1);
            assert_eq!(drip.allowed(second), after_one);
            assert_eq!(drip.allowed(MAX_DRIP), after_five_minutes);
        }
    }

    #[test]
    fn a_slow_drip_waits_for_its_next_byte_and_a_fast_one_sends_several() {
        assert_eq!(Drip::new(1).tick(), Duration::from_secs(1));
        assert_eq!(Drip::new(10).tick(), Duration::from_millis(100));
        assert_eq!(Drip::new(64).tick(), SHORTEST_TICK);
    }
}
