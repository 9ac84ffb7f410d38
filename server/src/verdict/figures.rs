//! The figures of a verdict.

use std::collections::HashSet;
use std::time::Duration;

use crate::journal::Entry;

use super::attempt::end;

/// The most requests that were in flight at once.
pub(super) fn peak_concurrent(entries: &[Entry]) -> usize {
    let begun = entries.iter().map(|entry| (entry.at, true));
    // A request that took no time was in flight as well.
    let ended = entries.iter().map(|entry| (end(entry).max(entry.at + Duration::from_nanos(1)), false));
    let mut events: Vec<_> = begun.chain(ended).collect();
    // What ends when another begins has ended.
    events.sort_unstable();
    let (mut now, mut peak) = (0_usize, 0);
    for (_, begins) in events {
        now = if begins { now + 1 } else { now.saturating_sub(1) };
        peak = peak.max(now);
    }
    peak
}

/// How many connections were used.
pub(super) fn connections(entries: &[Entry]) -> usize {
    entries.iter().map(|entry| entry.connection).collect::<HashSet<_>>().len()
}

/// `amount / of`, to the hundredth; 0 of nothing.
#[expect(clippy::cast_precision_loss, reason = "no journal holds 2^52 requests")]
pub(super) fn ratio(amount: usize, of: usize) -> f64 {
    if of == 0 { 0.0 } else { (amount as f64 / of as f64 * 100.0).round() / 100.0 }
}
