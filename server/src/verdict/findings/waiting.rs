//! How long the client waits for an answer: `no-timeout` and `overlapping-attempts`.

use std::time::Duration;

use crate::journal::{Ended, Entry};
use crate::verdict::attempt::fault_name;

use super::context::{Context, Found, counted, pair};

/// The longest wait for an answer that nobody wants.
const LONGEST: Duration = Duration::from_secs(30);

/// The client still waited when a long hang ended.
pub(super) fn no_timeout(context: &Context<'_, '_>) -> Option<Found> {
    let longest = context.policy.timeout.unwrap_or(LONGEST);
    let endured = |entry: &&Entry| hung(entry) && entry.ended == Ended::Broken && entry.duration >= longest;
    let cases: Vec<_> = context.journal.entries.iter().filter(endured).map(|entry| vec![entry.seq]).collect();
    Found::of(&cases, |count| {
        let requests = counted(count, "request");
        format!("{requests} still waited for an answer after {} ms, when the hang ended", longest.as_millis())
    })
}

fn hung(entry: &Entry) -> bool {
    fault_name(entry) == "hang" || entry.fault.as_ref().is_some_and(|fault| &*fault.short == "lose:hang")
}

/// Two attempts of a call were in flight at once.
pub(super) fn overlapping(context: &Context<'_, '_>) -> Option<Found> {
    let mut cases = Vec::new();
    for strand in context.strands() {
        let attempts = strand.attempts();
        let overlapping = (1..attempts.len()).filter(|number| strand.overlaps(*number));
        cases.extend(overlapping.map(|number| pair(&attempts[number - 1], &attempts[number])));
    }
    Found::of(&cases, |count| {
        format!("{} began while another of the same call was in flight", counted(count, "attempt"))
    })
}
