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
    /// Its place in the order of creation.
    pub number: u64,
}

/// All members.
#[derive(Debug)]
pub(super) struct Table<T> {
    entries: HashMap<Id, Arc<Entry<T>>>,
    capacity: usize,
    next: u64,
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
    /// When the next member expires if nobody uses it; `None` if that cannot be said.
    pub next_end: Option<Duration>,
}

impl<T> Table<T> {
    pub(super) fn new(capacity: usize) -> Self {
        Self { entries: HashMap::new(), capacity, next: 0 }
    }

    pub(super) fn get(&self, id: &str) -> Option<&Arc<Entry<T>>> {
        self.entries.get(id)
    }

    /// Adds a member, which is made only if there is room for it. One without a limited lifetime takes no room.
    pub(super) fn insert(
        &mut self,
        id: Id,
        lifetime: Lifetime,
        now: Instant,
        make: impl FnOnce() -> T,
    ) -> Result<Arc<Entry<T>>, Refused> {
        if self.entries.contains_key(&id) {
            return Err(Refused::Taken);
        }
        if lifetime != Lifetime::Unlimited && self.limited().count() >= self.capacity {
            let next_end = self.limited().filter_map(|entry| entry.usage.expires_in(now)).min();
            return Err(Refused::Full(Full { next_end }));
        }
        let entry = Arc::new(Entry {
            id: Arc::clone(&id),
            member: make(),
            usage: Usage::new(lifetime, now),
            number: self.next,
        });
        self.next += 1;
        self.entries.insert(id, Arc::clone(&entry));
        Ok(entry)
    }

    pub(super) fn remove(&mut self, id: &str) -> Option<Arc<Entry<T>>> {
        self.entries.remove(id)
    }

    /// Removes the members that have expired.
    pub(super) fn sweep(&mut self, now: Instant) -> Vec<Arc<Entry<T>>> {
        self.entries.extract_if(|_, entry| entry.usage.has_expired(now)).map(|(_, entry)| entry).collect()
    }

    /// All members, in the order in which they were created.
    pub(super) fn all(&self) -> Vec<Arc<Entry<T>>> {
        let mut all: Vec<_> = self.entries.values().cloned().collect();
        all.sort_unstable_by_key(|entry| entry.number);
        all
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    fn limited(&self) -> impl Iterator<Item = &Entry<T>> {
        self.entries.values().map(|entry| &**entry).filter(|entry| !entry.usage.is_unlimited())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Lifetime = Lifetime::SinceLastUse(Duration::from_secs(60));

    fn insert(table: &mut Table<u32>, id: &str, lifetime: Lifetime, now: Instant) -> Result<(), Refused> {
        table.insert(id.into(), lifetime, now, || 7).map(drop)
    }

    #[test]
    fn ids_are_unique_and_the_number_of_members_is_bounded() {
        let (mut table, start) = (Table::new(2), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(insert(&mut table, "default", Lifetime::Unlimited, start), Ok(()));
        assert_eq!(insert(&mut table, "a", MINUTE, start), Ok(()));
        assert_eq!(insert(&mut table, "a", MINUTE, start), Err(Refused::Taken));
        assert_eq!(insert(&mut table, "b", MINUTE, at(10)), Ok(()));
        let full = Full { next_end: Some(Duration::from_secs(40)) };
        assert_eq!(insert(&mut table, "c", MINUTE, at(20)), Err(Refused::Full(full)));
        assert!(table.remove("a").is_some() && table.remove("a").is_none());
        assert_eq!(insert(&mut table, "c", MINUTE, at(20)), Ok(()));
        let ids: Vec<Id> = table.all().iter().map(|entry| Arc::clone(&entry.id)).collect();
        assert_eq!(ids, ["default", "b", "c"].map(Id::from));
    }

    #[test]
    fn expired_members_are_swept() {
        let (mut table, start) = (Table::new(10), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        insert(&mut table, "default", Lifetime::Unlimited, start).unwrap();
        insert(&mut table, "used", MINUTE, start).unwrap();
        insert(&mut table, "idle", MINUTE, start).unwrap();
        table.get("used").unwrap().usage.begin(at(30));
        let swept: Vec<Id> = table.sweep(at(1_000)).iter().map(|entry| Arc::clone(&entry.id)).collect();
        assert_eq!(swept, ["idle"].map(Id::from));
        assert_eq!(table.len(), 2);
    }
}
