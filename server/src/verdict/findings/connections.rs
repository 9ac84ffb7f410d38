//! How the client uses connections: `broken-connection-reused` and `connection-churn`.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use crate::journal::{Ended, Entry, Reuse};
use crate::verdict::attempt::{end, fault_name};

use super::context::{Context, Found, counted};

/// How many requests on connections of their own are worth a note.
const CHURN: usize = 20;
/// How long a connection is taken to be open for another request.
const KEPT: Duration = Duration::from_secs(5);

/// A request came on a connection whose last answer was broken.
pub(super) fn broken_reused(context: &Context<'_, '_>) -> Option<Found> {
    let mut entries: Vec<&Entry> = context.journal.entries.iter().collect();
    entries.sort_by_key(|entry| (entry.connection, entry.request_on_connection));
    let reused = |pair: &&[&Entry]| {
        let [first, next] = **pair else { return false };
        first.connection == next.connection && is_broken(first) && came_after(first, next)
    };
    let cases = entries.windows(2).filter(reused).map(|pair| pair.iter().map(|entry| entry.seq).collect());
    Found::of(&cases.collect::<Vec<_>>(), |count| {
        let requests = counted(count, "request");
        format!("{requests} came on a connection whose last answer was broken or followed by other bytes")
    })
}

fn is_broken(entry: &Entry) -> bool {
    let fault = matches!(fault_name(entry), "malformed_chunk" | "garbage" | "extra" | "truncate");
    entry.ended != Ended::Stale && entry.first_byte.is_some() && (fault || entry.ended == Ended::Broken)
}

/// Whether the next request was sent when the answer could be known.
fn came_after(first: &Entry, next: &Entry) -> bool {
    first.first_byte.is_some_and(|byte| next.at >= first.at + byte)
}

/// Each request came on a new connection although others had been left open.
pub(super) fn churn(context: &Context<'_, '_>) -> Option<Found> {
    let mut requests: HashMap<u64, usize> = HashMap::new();
    for entry in context.journal.entries {
        *requests.entry(entry.connection).or_default() += 1;
    }
    let mut alone: Vec<&Entry> = context.journal.entries.iter().collect();
    alone.retain(|entry| requests[&entry.connection] == 1 && entry.request_on_connection == 1);
    alone.sort_by_key(|entry| (entry.at, entry.id));
    let mut idle = BTreeSet::new();
    let mut wasted = Vec::new();
    for entry in &alone {
        let from = (entry.at.saturating_sub(KEPT), 0);
        if let Some(found) = idle.range(from..=(entry.at, u64::MAX)).next_back().copied() {
            idle.remove(&found);
            wasted.push(entry.seq);
        }
        if entry.ended == Ended::Answered && entry.reuse == Reuse::Open && !is_broken(entry) {
            idle.insert((end(entry), entry.id));
        }
    }
    let most = alone.len() * 2 >= context.journal.entries.len();
    // The first request of them needs a connection, and counts.
    let found = most && wasted.len() + 1 >= CHURN;
    found.then(|| Found {
        message: format!(
            "{} used a connection each that was left open",
            counted(wasted.len() + 1, "request")
        ),
        evidence: wasted,
    })
}
