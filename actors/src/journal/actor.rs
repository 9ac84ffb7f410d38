//! The state of the journal actor: it owns the log, and takes into it what waits in the inbox.

use std::sync::Arc;

use super::budget::Place;
use super::inbox::Inbox;
use super::log::{Log, Page, Record};
use crate::address::Reply;
use crate::lifecycle::{Handle, State};

/// Owns one [`Log`].
pub(super) struct Journal<R: Record> {
    log: Log<R>,
    shared: Arc<Shared<R>>,
    log_target: &'static str,
}

/// What the actor shares with its handles.
pub(super) struct Shared<R: Record> {
    pub(super) inbox: Inbox<R>,
    pub(super) place: Place,
}

/// Takes the records that wait.
pub(super) struct Drain;

/// Forgets records because all journals together keep too much.
pub(super) struct Shed;

/// Which records are wanted.
pub(super) type Filter<R> = Box<dyn FnMut(&R) -> bool + Send>;

/// Reads a part of the log.
pub(super) struct Read<R: Record> {
    pub(super) since: u64,
    pub(super) limit: usize,
    pub(super) is_wanted: Filter<R>,
    pub(super) reply: Reply<Page<R>>,
}

impl<R: Record> Journal<R> {
    /// A log of what waits in the inbox and of what will.
    pub(super) fn new(max_size: usize, shared: Arc<Shared<R>>, log_target: &'static str, last: u64) -> Self {
        let journal = Self { log: Log::new(max_size, last), shared, log_target };
        journal.update_place();
        journal
    }

    fn drain(&mut self) {
        let records = self.shared.inbox.take();
        if records.is_empty() {
            return;
        }
        let forgotten = records.into_iter().map(|(ended, record)| self.log.append(ended, record)).sum();
        self.shared.place.budget().subtract(forgotten);
        self.update_place();
    }

    fn update_place(&self) {
        self.shared.place.set(self.log.oldest().or_else(|| self.shared.inbox.oldest()));
    }
}

impl<R: Record> State for Journal<R> {
    const NAME: &'static str = "journal";

    fn last_number(&self) -> u64 {
        self.log.last()
    }

    fn log_restart(&self) {
        log::error!(target: self.log_target, "Journal actor restarted after a panic; the journal is empty now");
    }
}

impl<R: Record> Handle<Drain> for Journal<R> {
    fn handle(&mut self, _: Drain) {
        self.drain();
    }
}

impl<R: Record> Handle<Shed> for Journal<R> {
    /// The journal whose oldest record is then the oldest goes on.
    fn handle(&mut self, _: Shed) {
        self.drain();
        let place = &self.shared.place;
        let others = place.oldest_of_others();
        while place.budget().is_tight()
            && self.log.oldest().is_some_and(|own| others.is_none_or(|others| own <= others))
        {
            place.budget().subtract(self.log.forget_oldest());
        }
        self.update_place();
        place.budget().shed();
    }
}

impl<R: Record> Handle<Read<R>> for Journal<R> {
    fn handle(&mut self, Read { since, limit, is_wanted, reply }: Read<R>) {
        if reply.is_closed() {
            return;
        }
        self.drain();
        let _ = reply.send(self.log.page(since, limit, is_wanted));
    }
}

impl<R: Record> Drop for Journal<R> {
    fn drop(&mut self) {
        self.shared.place.budget().subtract(self.log.clear());
        self.update_place();
    }
}

impl<R: Record> Drop for Shared<R> {
    fn drop(&mut self) {
        let left = self.inbox.take();
        self.place.budget().subtract(left.iter().map(|(_, record)| record.bytes() as u64).sum());
    }
}
