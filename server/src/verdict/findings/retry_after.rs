//! `retry-after-ignored`: the client came back earlier than an answer said.

use std::time::Duration;

use crate::verdict::attempt::{Attempt, Outcome};
use crate::verdict::retry_after::not_before;
use crate::verdict::strand::Strand;

use super::context::{Context, Found, counted, pair};

/// An attempt began before the time that an answer to the same call had named.
pub(super) fn ignored(context: &Context<'_, '_>) -> Option<Found> {
    let cases: Vec<_> = context.strands().flat_map(|strand| too_early(context, strand)).collect();
    Found::of(&cases, |count| {
        format!("{} began before the time that Retry-After had named", counted(count, "attempt"))
    })
}

fn too_early(context: &Context<'_, '_>, strand: &Strand<'_>) -> Vec<Vec<u64>> {
    let mut binding: Option<(Duration, &Attempt<'_>)> = None;
    let mut cases = Vec::new();
    for retry in strand.retries() {
        let answer = retry.from.last();
        let demanded = not_before(answer, context.journal.began)
            .filter(|_| matches!(retry.from.outcome(), Outcome::Refused(_)))
            .map(|demanded| (demanded.at.saturating_sub(demanded.tolerance), retry.from));
        binding = match (binding, demanded) {
            (Some(held), Some(new)) if held.0 >= new.0 => Some(held),
            (held, new) => new.or(held),
        };
        let Some((not_before, from)) = binding else { continue };
        let came_back = retry.to.begin() >= from.end() && context.is_informed(&retry);
        if came_back && retry.to.begin() < not_before {
            cases.push(pair(from, retry.to));
        }
    }
    cases
}
