//! Executions in flight, and the followers of each. They are neither evicted nor do they expire.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};

use super::settings::{Fingerprint, Key};

/// Identifies one execution. A report with the id of an execution that has ended changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ExecutionId(u64);

/// A caller that may have to wait for the answer of another, and may leave meanwhile.
pub trait Follower {
    /// Whether the caller no longer waits.
    fn has_left(&self) -> bool;
}

/// The executions in flight, by key.
#[derive(Debug)]
pub(super) struct Executions<W> {
    by_key: HashMap<Key, Execution<W>>,
    /// The last number given to an execution.
    last_number: u64,
}

#[derive(Debug)]
struct Execution<W> {
    id: ExecutionId,
    fingerprint: Fingerprint,
    followers: VecDeque<W>,
}

/// What became of a caller whose key has no stored answer.
pub(super) enum Joined<W> {
    /// It leads a new execution.
    Leads(ExecutionId, W),
    /// It follows the one in flight.
    Follows,
    /// The one in flight is for something else.
    Conflicts(W),
}

impl<W: Follower> Executions<W> {
    pub(super) fn new(last_number: u64) -> Self {
        Self { by_key: HashMap::new(), last_number }
    }

    /// Adds a caller to the execution of its key, as the leader of a new one or as a follower.
    pub(super) fn join(&mut self, key: &Key, fingerprint: Fingerprint, caller: W) -> Joined<W> {
        match self.by_key.entry(Key::clone(key)) {
            Entry::Occupied(execution) if execution.get().fingerprint != fingerprint => {
                Joined::Conflicts(caller)
            }
            Entry::Occupied(execution) => {
                execution.into_mut().add(caller);
                Joined::Follows
            }
            Entry::Vacant(place) => {
                self.last_number += 1;
                let id = ExecutionId(self.last_number);
                place.insert(Execution { id, fingerprint, followers: VecDeque::new() });
                Joined::Leads(id, caller)
            }
        }
    }

    /// Ends the execution and returns what it was for and its followers, in the order in which they came; `None` if it
    /// has ended already.
    pub(super) fn end(&mut self, key: &Key, id: ExecutionId) -> Option<(Fingerprint, VecDeque<W>)> {
        self.by_key.get(key).filter(|current| current.id == id)?;
        self.by_key.remove(key).map(|ended| (ended.fingerprint, ended.followers))
    }

    /// Ends the execution and makes its first follower the leader of a new one; `None` if there is no follower, or it
    /// has ended already.
    pub(super) fn hand_over(&mut self, key: &Key, id: ExecutionId) -> Option<(ExecutionId, W)> {
        let (fingerprint, mut followers) = self.end(key, id)?;
        let successor = followers.pop_front()?;
        self.last_number += 1;
        let id = ExecutionId(self.last_number);
        self.by_key.insert(Key::clone(key), Execution { id, fingerprint, followers });
        Some((id, successor))
    }

    pub(super) fn len(&self) -> usize {
        self.by_key.len()
    }

    pub(super) fn last_number(&self) -> u64 {
        self.last_number
    }
}

impl<W: Follower> Execution<W> {
    /// Adds a follower. Those that have left are removed whenever the queue would have to grow, so it holds at most
    /// twice as many as ever waited at once, however many come and go.
    fn add(&mut self, follower: W) {
        if self.followers.len() == self.followers.capacity() {
            self.followers.retain(|waiting| !waiting.has_left());
        }
        self.followers.push_back(follower);
    }
}
