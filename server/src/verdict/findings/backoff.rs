//! The length of single waits: `no-backoff` and `slow-retry`.

use std::time::Duration;

use crate::verdict::strand::Strand;

use super::context::{Context, Found, attempts, counted, pair};

/// A shorter wait is none, unless the client promises otherwise.
const SHORTEST: Duration = Duration::from_millis(20);
/// What a measured wait may differ from the client's.
const TOLERANCE: Duration = Duration::from_millis(20);
/// How many short waits in a row are too many.
const IN_A_ROW: usize = 3;

/// The client waited too shortly several times in a row.
pub(super) fn none(context: &Context<'_, '_>) -> Option<Found> {
    let cases: Vec<_> =
        context.strands().filter(|strand| has_no_backoff(context, strand)).map(attempts).collect();
    Found::of(&cases, |calls| {
        let shortest = shortest(context).as_millis();
        format!("{}: three waits or more in a row of less than {shortest} ms", counted(calls, "call"))
    })
}

/// Whether there are too many short waits in a row in a strand.
pub(super) fn has_no_backoff(context: &Context<'_, '_>, strand: &Strand<'_>) -> bool {
    let shortest = shortest(context);
    let mut in_a_row = 0;
    strand.retries().filter_map(|retry| retry.wait()).any(|wait| {
        in_a_row = if wait < shortest { in_a_row + 1 } else { 0 };
        in_a_row >= IN_A_ROW
    })
}

fn shortest(context: &Context<'_, '_>) -> Duration {
    context.policy.min_wait.map_or(SHORTEST, |promised| promised.saturating_sub(TOLERANCE))
}

/// The client waited longer than it promises.
pub(super) fn slow(context: &Context<'_, '_>) -> Option<Found> {
    let promised = context.policy.max_wait?;
    let retries = context.strands().flat_map(Strand::retries);
    let slow = retries.filter(|retry| retry.wait().is_some_and(|wait| wait > promised + TOLERANCE));
    Found::of(&slow.map(|retry| pair(retry.from, retry.to)).collect::<Vec<_>>(), |count| {
        format!("{} longer than the promised {} ms", counted(count, "wait"), promised.as_millis())
    })
}
