//! Requests that are alike and in flight at once.

use std::collections::HashMap;
use std::time::Duration;

use crate::journal::Entry;
use crate::verdict::attempt::end;
use crate::verdict::strand::NOTICED_WITHIN;

/// Answers whether a like request was in flight when one ended.
pub(super) struct AtOnce<'a> {
    alike: HashMap<Target<'a>, Vec<Seen>>,
}

/// Method, path and query.
type Target<'a> = (&'a str, &'a str, &'a str);

/// A request, and the two among it and those before it that ended last.
#[derive(Debug, Clone, Copy)]
struct Seen {
    at: Duration,
    last: [Option<(Duration, u64)>; 2],
}

impl<'a> AtOnce<'a> {
    pub(super) fn new(entries: &'a [Entry]) -> Self {
        let mut sorted: Vec<&Entry> = entries.iter().collect();
        sorted.sort_by_key(|entry| (entry.at, entry.id));
        let mut alike: HashMap<_, Vec<Seen>> = HashMap::new();
        for entry in sorted {
            let seen = alike.entry(target(entry)).or_default();
            let mut ends = seen.last().map_or([None; 2], |before| before.last).to_vec();
            ends.push(Some((end(entry), entry.id)));
            ends.sort_unstable();
            seen.push(Seen { at: entry.at, last: [ends[1], ends[2]] });
        }
        Self { alike }
    }

    /// Whether another request for the same was in flight when this one ended, or shortly before.
    pub(super) fn has_other(&self, entry: &Entry) -> bool {
        let (Some(alike), ended) = (self.alike.get(&target(entry)), end(entry)) else { return false };
        let begun = alike.partition_point(|seen| seen.at <= ended);
        let last =
            begun.checked_sub(1).and_then(|index| alike.get(index)).map_or([None; 2], |seen| seen.last);
        let others = last.iter().flatten().filter(|(_, id)| *id != entry.id);
        others.into_iter().any(|(other, _)| *other + NOTICED_WITHIN >= ended)
    }
}

fn target(entry: &Entry) -> Target<'_> {
    (entry.method(), entry.path(), entry.query())
}
