//! The state of the registry's actor, which alone adds and removes members.

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant};

use super::table::{Entry, Id, Member, Refused, Table};
use crate::address::{Reply, WeakAddress};
use crate::clock::now;
use crate::lifecycle::{Handle, State};

/// How often expired members are removed. One that is looked up before counts as removed already.
pub(super) const SWEEP_PERIOD: Duration = Duration::from_secs(1);

/// The members, readable on every thread. The actor alone writes.
pub(super) struct Members<T>(RwLock<Table<T>>);

/// Sweeps now and then, for as long as the actor runs.
pub(super) async fn sweep_regularly<T: Member>(address: WeakAddress<Registry<T>>) {
    loop {
        actix_rt::time::sleep(SWEEP_PERIOD).await;
        match address.upgrade() {
            Some(address) => address.send(Sweep),
            None => break,
        }
    }
}

/// Adds and removes members.
pub(super) struct Registry<T: Member> {
    members: Arc<Members<T>>,
    log_target: &'static str,
}

/// A new member, or why it was not added.
pub type Created<T> = Result<Arc<Entry<T>>, Refused>;

/// Adds a member.
pub(super) struct Create<T> {
    pub(super) id: Id,
    pub(super) lifetime: Duration,
    pub(super) make: Box<dyn FnOnce() -> T + Send>,
    pub(super) reply: Reply<Created<T>>,
}

/// Removes a member.
pub(super) struct Remove<T> {
    pub(super) id: Id,
    pub(super) reply: Reply<Option<Arc<Entry<T>>>>,
}

/// Removes what has expired.
pub(super) struct Sweep;

impl<T> Members<T> {
    pub(super) fn new(id: Id, permanent: T, capacity: usize, now: Instant) -> (Self, Arc<Entry<T>>) {
        let (table, permanent) = Table::new(id, permanent, capacity, now);
        (Self(RwLock::new(table)), permanent)
    }

    pub(super) fn read(&self) -> RwLockReadGuard<'_, Table<T>> {
        // A table is whole after every change, also after one that panicked.
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a member that is made elsewhere.
    #[cfg(feature = "store")]
    pub(super) fn mirror(&self, entry: Arc<Entry<T>>) {
        self.write().put(entry);
    }

    /// Removes a member that has ended elsewhere.
    #[cfg(feature = "store")]
    pub(super) fn end(&self, id: &str)
    where
        T: Member,
    {
        let removed = self.write().remove(id);
        if let Some(entry) = removed {
            entry.member.end();
        }
    }

    fn write(&self) -> RwLockWriteGuard<'_, Table<T>> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Member> Registry<T> {
    /// Goes on with the members that there are: they outlive a failure of the actor.
    pub(super) fn new(members: Arc<Members<T>>, log_target: &'static str) -> Self {
        Self { members, log_target }
    }

    fn sweep(&self) {
        let swept = self.members.write().sweep(now());
        self.end(swept);
    }

    fn end(&self, expired: Vec<Arc<Entry<T>>>) {
        for entry in expired {
            log::debug!(target: self.log_target, id = &*entry.id; "Expired");
            entry.member.end();
        }
    }
}

impl<T: Member> State for Registry<T> {
    const NAME: &'static str = "registry";

    fn last_number(&self) -> u64 {
        0
    }

    fn log_restart(&self) {
        log::error!(target: self.log_target, "Registry actor restarted after a panic; its members are still there");
    }
}

impl<T: Member> Handle<Create<T>> for Registry<T> {
    fn handle(&mut self, Create { id, lifetime, make, reply }: Create<T>) {
        if reply.is_closed() {
            return;
        }
        // An expired member neither takes room nor holds its id. Not every creation looks at all members.
        let mut members = self.members.write();
        let expired = if members.needs_sweep(&id) { members.sweep(now()) } else { Vec::new() };
        let created = members.insert(id, lifetime, now(), make);
        drop(members);
        self.end(expired);
        let _ = reply.send(created);
    }
}

impl<T: Member> Handle<Remove<T>> for Registry<T> {
    fn handle(&mut self, Remove { id, reply }: Remove<T>) {
        let removed = self.members.write().remove(&id);
        if let Some(entry) = &removed {
            entry.member.end();
        }
        let _ = reply.send(removed);
    }
}

impl<T: Member> Handle<Sweep> for Registry<T> {
    fn handle(&mut self, _: Sweep) {
        self.sweep();
    }
}
