//! The members of a registry. Pure: the time is passed in.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use derive_more::{Display, Error};

use super::usage::{Lifetime, Usage};

/// The id of a member.
pub type Id = Arc<str>;

/// What is registered.
pub trait Member: Send + Sync + 'static {
    /// The member has been removed: what it has under way must end.
    fn end(&self);
}

/// A member and its use.
#[derive(Debug)]
pub struct Entry<T> {
    /// Its id.
    pub id: Id,
    /// The member.
    pub member: T,
    /// Its use.
    pub usage: Usage,
}

/// All members.
#[derive(Debug)]
pub(super) struct Table<T> {
    entries: HashMap<Id, Arc<Entry<T>>>,
    capacity: usize,
}

/// Why a member was not added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Display, Error)]
pub enum Refused {
    /// There is one with this id.
    #[display("the id is taken")]
    Taken,
    /// There are too many.
    #[display("there are too many members")]
    Full(#[error(not(source))] Full),
}

/// A registry that has no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full {
    /// When the next member expires if it is not used; `None` if that cannot be said.
    pub next_end: Option<Duration>,
}

impl<T> Table<T> {
    /// A table with one permanent member and room for `capacity` others.
    pub(super) fn new(id: Id, member: T, capacity: usize, now: Instant) -> (Self, Arc<Entry<T>>) {
        let usage = Usage::new(Lifetime::Unlimited, now);
        let permanent = Arc::new(Entry { id: Arc::clone(&id), member, usage });
        let entries = HashMap::from([(id, Arc::clone(&permanent))]);
        (Self { entries, capacity }, permanent)
    }

    pub(super) fn get(&self, id: &str) -> Option<&Arc<Entry<T>>> {
        self.entries.get(id)
    }

    /// Adds a member, which is made only if there is room for it.
    pub(super) fn insert(
        &mut self,
        id: Id,
        lifetime: Duration,
        now: Instant,
        make: impl FnOnce() -> T,
    ) -> Result<Arc<Entry<T>>, Refused> {
        if self.entries.contains_key(&id) {
            return Err(Refused::Taken);
        }
        // The permanent member takes no room.
        if self.entries.len() > self.capacity {
            let next_end = self.entries.values().filter_map(|entry| entry.usage.expires_in(now)).min();
            return Err(Refused::Full(Full { next_end }));
        }
        let entry = Arc::new(Entry {
            id: Arc::clone(&id),
            member: make(),
            usage: Usage::new(Lifetime::SinceLastUse(lifetime), now),
        });
        self.entries.insert(id, Arc::clone(&entry));
        Ok(entry)
    }

    /// Adds a member that is made elsewhere.
    #[cfg(feature = "store")]
    pub(super) fn put(&mut self, entry: Arc<Entry<T>>) {
        self.entries.insert(Arc::clone(&entry.id), entry);
    }

    /// Removes a member; the permanent one stays.
    pub(super) fn remove(&mut self, id: &str) -> Option<Arc<Entry<T>>> {
        self.entries.get(id).filter(|entry| !entry.usage.is_unlimited())?;
        self.entries.remove(id)
    }

    /// Whether a member with this id can be added only if one that has expired is removed first.
    pub(super) fn needs_sweep(&self, id: &str) -> bool {
        self.entries.contains_key(id) || self.entries.len() > self.capacity
    }

    /// Removes the members that have expired.
    pub(super) fn sweep(&mut self, now: Instant) -> Vec<Arc<Entry<T>>> {
        self.entries.extract_if(|_, entry| entry.usage.has_expired(now)).map(|(_, entry)| entry).collect()
    }

    /// All members, in the order of their ids.
    pub(super) fn all(&self) -> Vec<Arc<Entry<T>>> {
        let mut all: Vec<_> = self.entries.values().cloned().collect();
        all.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        all
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn table(capacity: usize) -> (Table<u32>, Instant) {
        let now = Instant::now();
        (Table::new("default".into(), 0, capacity, now).0, now)
    }

    fn insert(table: &mut Table<u32>, id: &str, now: Instant) -> Result<(), Refused> {
        table.insert(id.into(), MINUTE, now, || 7).map(drop)
    }

    #[test]
    fn ids_are_unique_and_the_number_of_members_is_bounded() {
        let (mut table, start) = table(2);
        let at = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(insert(&mut table, "default", start), Err(Refused::Taken));
        assert!(table.remove("default").is_none(), "it stays");
        assert_eq!(insert(&mut table, "a", start), Ok(()));
        assert_eq!(insert(&mut table, "a", start), Err(Refused::Taken));
        assert_eq!(insert(&mut table, "b", at(10)), Ok(()));
        let full = Full { next_end: Some(Duration::from_secs(40)) };
        assert_eq!(insert(&mut table, "c", at(20)), Err(Refused::Full(full)));
        assert!(table.remove("a").is_some() && table.remove("a").is_none());
        assert_eq!(insert(&mut table, "c", at(20)), Ok(()));
        let ids: Vec<Id> = table.all().iter().map(|entry| Arc::clone(&entry.id)).collect();
        assert_eq!(ids, ["b", "c", "default"].map(Id::from));
    }

    #[test]
    fn expired_members_are_swept() {
        let (mut table, start) = table(10);
        let at = |seconds| start + Duration::from_secs(seconds);
        insert(&mut table, "used", start).unwrap();
        insert(&mut table, "idle", start).unwrap();
        table.get("used").unwrap().usage.begin(at(30));
        let swept: Vec<Id> = table.sweep(at(1_000)).iter().map(|entry| Arc::clone(&entry.id)).collect();
        assert_eq!(swept, ["idle"].map(Id::from));
        assert_eq!(table.len(), 2);
    }
}
