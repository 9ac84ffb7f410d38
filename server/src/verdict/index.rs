//! What waits for a later request, found by what that request looks like and when it comes.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;
use std::time::Duration;

/// Numbers that wait under a key, each from a point in time on.
#[derive(Debug)]
pub(super) struct Waiting<K> {
    sets: HashMap<K, BTreeSet<(Duration, usize)>>,
}

/// How many numbers wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Only {
    None,
    One(usize),
    Several,
}

impl<K: Eq + Hash> Waiting<K> {
    pub(super) fn new() -> Self {
        Self { sets: HashMap::new() }
    }

    /// Whether nothing has ever waited.
    pub(super) fn is_empty(&self) -> bool {
        self.sets.is_empty()
    }

    pub(super) fn insert(&mut self, key: K, since: Duration, number: usize) {
        self.sets.entry(key).or_default().insert((since, number));
    }

    pub(super) fn remove(&mut self, key: &K, since: Duration, number: usize) {
        if let Some(set) = self.sets.get_mut(key) {
            set.remove(&(since, number));
        }
    }

    /// The number that has waited longest since `from` or later, and since `to` or earlier.
    pub(super) fn first(&self, key: &K, from: Duration, to: Duration) -> Option<(Duration, usize)> {
        self.sets.get(key)?.range((from, 0)..=(to, usize::MAX)).next().copied()
    }

    /// The number that waits since `from` or later, and since `to` or earlier, if it is the only one.
    pub(super) fn only(&self, key: &K, from: Duration, to: Duration) -> Only {
        let Some(set) = self.sets.get(key) else { return Only::None };
        let mut found = set.range((from, 0)..=(to, usize::MAX));
        match (found.next(), found.next()) {
            (None, _) => Only::None,
            (Some((_, number)), None) => Only::One(*number),
            (Some(_), Some(_)) => Only::Several,
        }
    }

    /// Takes out the number that has waited for the shortest time, since `from` or later, and since `to` or earlier.
    pub(super) fn take_last(&mut self, key: &K, from: Duration, to: Duration) -> Option<usize> {
        let set = self.sets.get_mut(key)?;
        let found = set.range((from, 0)..=(to, usize::MAX)).next_back().copied()?;
        set.remove(&found);
        Some(found.1)
    }
}
