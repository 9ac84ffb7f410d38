//! What waits have in common: `flat-backoff` within a call, `no-jitter` among calls.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::verdict::strand::Strand;

use super::backoff::has_no_backoff;
use super::context::{Context, Found, attempts, counted, within};

/// How many percent flat waits differ at most.
const FLAT: u32 = 10;
/// How many flat waits of a call are enough where there are two such calls, and in one call alone.
const WAITS_OF_TWO: usize = 3;
const WAITS_OF_ONE: usize = 5;
/// How many percent waits without jitter differ at most, how many calls show it, and which waits are compared.
const SAME: u32 = 2;
const CALLS: usize = 10;
const COMPARED: Duration = Duration::from_millis(100);

/// All waits of a call were equally long.
pub(super) fn flat(context: &Context<'_, '_>) -> Option<Found> {
    let waits = |strand: &Strand<'_>| -> Vec<Duration> {
        strand.retries().filter_map(|retry| retry.wait()).collect()
    };
    let of_all: Vec<_> = context
        .strands()
        .map(|strand| (strand, waits(strand)))
        .filter(|(strand, waits)| waits.len() >= WAITS_OF_TWO && !has_no_backoff(context, strand))
        .collect();
    let flat: Vec<_> = of_all.iter().filter(|(_, waits)| within(waits, FLAT)).collect();
    let enough = flat.len() >= 2 || flat.iter().any(|(_, waits)| waits.len() >= WAITS_OF_ONE);
    // Random waits are alike now and then.
    if !enough || flat.len() * 2 < of_all.len() {
        return None;
    }
    Found::of(&flat.iter().map(|(strand, _)| attempts(strand)).collect::<Vec<_>>(), |calls| {
        format!("{}: all waits within {FLAT} % of each other", counted(calls, "call"))
    })
}

/// The waits before the n-th retry were equally long in all calls.
pub(super) fn no_jitter(context: &Context<'_, '_>) -> Option<Found> {
    if context.policy.jitter == Some(false) {
        return None;
    }
    let mut waits: BTreeMap<usize, (Vec<Duration>, Vec<u64>)> = BTreeMap::new();
    for strand in context.strands() {
        let retries = strand.retries();
        let own = retries.filter(|retry| !retry.negotiated).enumerate();
        for (n, (wait, to)) in own.filter_map(|(n, retry)| Some((n, (retry.wait()?, retry.to)))) {
            let (durations, evidence) = waits.entry(n).or_default();
            durations.push(wait);
            evidence.push(to.first().seq);
        }
    }
    let is_same = |durations: &[Duration]| {
        let compared = durations.iter().all(|wait| *wait >= COMPARED);
        durations.len() >= CALLS && compared && within(durations, SAME)
    };
    let (n, (durations, evidence)) = waits.into_iter().find(|(_, (durations, _))| is_same(durations))?;
    let message = format!(
        "the waits before retry {} of {} calls within {SAME} % of each other: clients that fail together return together",
        n + 1,
        durations.len()
    );
    Some(Found { message, evidence })
}
