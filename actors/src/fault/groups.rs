//! How often a rule has matched for each key or connection, in bounded memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use lru::LruCache;
use sha2::{Digest, Sha256};

/// How many keys and connections all plans of a process remember together.
///
/// A plan always remembers [`KeyBudget::OWN`] of them, so that one plan cannot make the others forget everything.
#[derive(Clone, Debug)]
pub struct KeyBudget(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    limit: usize,
    remembered: AtomicUsize,
}

impl KeyBudget {
    /// How many keys a plan remembers even when the budget is spent.
    pub const OWN: usize = 1_000;

    /// A budget of `limit` keys.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self(Arc::new(Shared { limit, remembered: AtomicUsize::new(0) }))
    }

    /// How many keys all plans remember now.
    #[must_use]
    pub fn remembered(&self) -> usize {
        self.0.remembered.load(Ordering::Relaxed)
    }
}

/// Whose matches of one rule count together: a key or a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Group {
    /// The first half of the key's SHA-256: as good as the key, and small whatever its length.
    Key([u8; 16]),
    /// The number of a connection.
    Connection(u64),
}

impl Group {
    pub(super) fn of_key(key: &str) -> Self {
        let mut half = [0; 16];
        half.copy_from_slice(&Sha256::digest(key)[..16]);
        Self::Key(half)
    }
}

/// The matches of each group, by rule. The group that was unused for the longest time is forgotten first.
#[derive(Debug)]
pub(super) struct Groups {
    counts: LruCache<(usize, Group), u64>,
    budget: KeyBudget,
    forgotten: u64,
}

impl Groups {
    pub(super) fn new(budget: KeyBudget) -> Self {
        Self { counts: LruCache::unbounded(), budget, forgotten: 0 }
    }

    /// How often the rule has matched for the group; 0 for one that is unknown or forgotten.
    pub(super) fn matches(&self, rule: usize, group: Group) -> u64 {
        self.counts.peek(&(rule, group)).copied().unwrap_or(0)
    }

    /// Counts a match, and forgets another group if there is no room.
    pub(super) fn count(&mut self, rule: usize, group: Group) {
        self.set(rule, group, self.matches(rule, group) + 1);
    }

    /// Remembers how often a rule has matched for a group.
    pub(super) fn set(&mut self, rule: usize, group: Group, matches: u64) {
        if self.counts.put((rule, group), matches).is_some() {
            return;
        }
        let shared = &self.budget.0;
        let remembered = shared.remembered.fetch_add(1, Ordering::Relaxed) + 1;
        if remembered > shared.limit && self.counts.len() > KeyBudget::OWN.min(shared.limit) {
            self.counts.pop_lru();
            shared.remembered.fetch_sub(1, Ordering::Relaxed);
            self.forgotten += 1;
        }
    }

    /// How many groups have been forgotten.
    pub(super) fn forgotten(&self) -> u64 {
        self.forgotten
    }
}

impl Drop for Groups {
    fn drop(&mut self) {
        self.budget.0.remembered.fetch_sub(self.counts.len(), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_group_that_was_unused_for_the_longest_time_is_forgotten() {
        let mut groups = Groups::new(KeyBudget::new(2));
        let [a, b, c] = ["a", "b", "c"].map(Group::of_key);
        for group in [a, b, a, c] {
            groups.count(0, group);
        }
        assert_eq!([a, b, c].map(|group| groups.matches(0, group)), [2, 0, 1]);
        assert_eq!(groups.forgotten(), 1);
        assert_eq!(groups.matches(1, a), 0, "rules count apart");
    }

    #[test]
    fn plans_share_a_budget_and_give_back_what_they_used() {
        let budget = KeyBudget::new(1_500);
        let fill = |keys: u64| {
            let mut groups = Groups::new(budget.clone());
            (0..keys).for_each(|n| groups.count(0, Group::Connection(n)));
            groups
        };
        let greedy = fill(5_000);
        assert_eq!((greedy.counts.len(), greedy.forgotten()), (1_500, 3_500));
        let modest = fill(5_000);
        assert_eq!((modest.counts.len(), modest.forgotten()), (KeyBudget::OWN, 4_000));
        drop((greedy, modest));
        assert_eq!(budget.remembered(), 0);
    }
}
