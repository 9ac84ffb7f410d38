//! What has ended since the actor last looked, and what has begun and not ended. Every thread writes here.

use std::collections::VecDeque;
use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::{Notify, broadcast};

use super::log::Record;

/// How many records wait before the actor is asked to take them.
const FULL: usize = 512;

/// How many events a reader may lag behind.
const MAX_LAG: usize = 1024;

/// Something that a reader of the stream sees.
#[derive(Debug, Clone)]
pub enum Event<R> {
    /// A record has begun; what is known of it by then.
    Begun(R),
    /// A record has ended.
    Ended(R),
}

/// What the actor has not seen yet.
pub(super) struct Inbox<R: Record> {
    inner: Mutex<Inner<R>>,
    idle: Notify,
    /// How many records wait at most. If the actor does not take them, the oldest are forgotten.
    max_waiting: usize,
}

struct Inner<R: Record> {
    last_id: u64,
    last_seq: u64,
    /// What has begun and not ended, in the order of the ids.
    open: VecDeque<(u64, R::Begun)>,
    ended: VecDeque<(Instant, Box<R>)>,
    state: State,
    /// There while somebody follows.
    events: Option<broadcast::Sender<Event<R>>>,
}

/// Whether the actor knows that records wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// No record has come since the actor took them all.
    Empty,
    /// Records wait.
    Waiting,
    /// The actor has been asked to take them.
    Asked,
}

/// What the writer of a record does next.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Appended {
    /// The record is the first since the actor took them all.
    pub(super) is_first: bool,
    /// The actor is to take the records.
    pub(super) is_full: bool,
    /// How many bytes were added.
    pub(super) added: u64,
    /// How many bytes were forgotten.
    pub(super) forgotten: u64,
}

impl<R: Record> Inbox<R> {
    /// An inbox of a journal of `max_size` records. No fewer can wait, so that what is forgotten here would not have
    /// been kept.
    pub(super) fn new(max_size: usize) -> Self {
        let inner = Inner {
            last_id: 0,
            last_seq: 0,
            open: VecDeque::new(),
            ended: VecDeque::new(),
            state: State::Empty,
            events: None,
        };
        Self { inner: Mutex::new(inner), idle: Notify::new(), max_waiting: max_size.max(FULL) }
    }

    /// Gives ids behind this one from now on.
    #[cfg(feature = "store")]
    pub(super) fn begin_behind(&self, id: u64) {
        self.lock().last_id = id;
    }

    /// Notes that something begins, and gives its record an id; the id, and where to announce it.
    pub(super) fn begin(&self, record: &mut R) -> (u64, Option<broadcast::Sender<Event<R>>>) {
        let begun = record.begun();
        let mut inner = self.lock();
        inner.last_id += 1;
        let id = inner.last_id;
        record.set_id(id);
        inner.open.push_back((id, begun));
        (id, inner.events.clone())
    }

    /// Notes that something has ended without a record.
    pub(super) fn forget(&self, id: u64) {
        let is_idle = self.lock().close(id);
        if is_idle {
            self.idle.notify_waiters();
        }
    }

    /// Appends the record of what has ended, under the next number.
    pub(super) fn append(&self, id: u64, ended: Instant, mut record: Box<R>) -> Appended {
        let mut inner = self.lock();
        let is_idle = inner.close(id);
        inner.last_seq += 1;
        record.set_seq(inner.last_seq);
        inner.announce(&record);
        let added = record.bytes() as u64;
        inner.ended.push_back((ended, record));
        let appended = Appended {
            is_first: inner.state == State::Empty,
            is_full: inner.state != State::Asked && inner.ended.len() >= FULL,
            added,
            forgotten: inner.forget_surplus(self.max_waiting),
        };
        inner.state = match inner.state {
            _ if appended.is_full => State::Asked,
            State::Empty => State::Waiting,
            other => other,
        };
        drop(inner);
        if is_idle {
            self.idle.notify_waiters();
        }
        appended
    }

    /// Takes all records that wait, oldest first.
    pub(super) fn take(&self) -> VecDeque<(Instant, Box<R>)> {
        let mut inner = self.lock();
        inner.state = State::Empty;
        // An inbox that has been full will soon be full again, and does not grow to it step by step.
        let capacity = if inner.ended.len() >= FULL { FULL } else { 0 };
        mem::replace(&mut inner.ended, VecDeque::with_capacity(capacity))
    }

    /// When the oldest record that waits ended.
    pub(super) fn oldest(&self) -> Option<Instant> {
        self.lock().ended.front().map(|(ended, _)| *ended)
    }

    /// What has begun and not ended, in the order of the ids.
    pub(super) fn open(&self) -> Vec<(u64, R::Begun)> {
        self.lock().open.iter().cloned().collect()
    }

    /// Waits until nothing is open.
    pub(super) async fn idle(&self) {
        loop {
            let idle = self.idle.notified();
            if self.lock().open.is_empty() {
                return;
            }
            idle.await;
        }
    }

    /// Follows what begins and ends from now on.
    pub(super) fn follow(&self) -> broadcast::Receiver<Event<R>> {
        let mut inner = self.lock();
        match &inner.events {
            Some(events) => events.subscribe(),
            None => {
                let (events, receiver) = broadcast::channel(MAX_LAG);
                inner.events = Some(events);
                receiver
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner<R>> {
        // Nothing panics while it is held, and what is behind it is whole after every line.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<R: Record> Inner<R> {
    /// Takes an id from those that are open; whether it was the last of them.
    fn close(&mut self, id: u64) -> bool {
        if let Ok(index) = self.open.binary_search_by_key(&id, |(open, _)| *open) {
            self.open.remove(index);
        }
        self.open.is_empty()
    }

    fn announce(&mut self, record: &R) {
        if let Some(events) = &self.events
            && events.send(Event::Ended(R::clone(record))).is_err()
        {
            // The last reader has left.
            self.events = None;
        }
    }

    fn forget_surplus(&mut self, max_waiting: usize) -> u64 {
        if self.ended.len() <= max_waiting {
            return 0;
        }
        self.ended.pop_front().map_or(0, |(_, record)| record.bytes() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::super::log::tests::Named;
    use super::*;

    fn append(inbox: &Inbox<Named>) -> Appended {
        let (id, _) = inbox.begin(&mut Named(0, "a"));
        inbox.append(id, Instant::now(), Box::new(Named(0, "a")))
    }

    #[test]
    fn records_are_numbered_in_the_order_in_which_they_end() {
        let inbox = Inbox::new(4 * FULL);
        let (first, _) = inbox.begin(&mut Named(0, "first"));
        let (second, _) = inbox.begin(&mut Named(0, "second"));
        assert_eq!((first, second), (1, 2));
        inbox.append(second, Instant::now(), Box::new(Named(0, "second")));
        assert_eq!(inbox.open(), [(first, "first")]);
        inbox.append(first, Instant::now(), Box::new(Named(0, "first")));
        let taken: Vec<_> = inbox.take().into_iter().map(|(_, record)| record).collect();
        assert_eq!(taken, [Named(1, "second"), Named(2, "first")].map(Box::new));
        assert!(inbox.open().is_empty() && inbox.take().is_empty());
    }

    #[test]
    fn the_actor_is_asked_once_when_the_inbox_is_full() {
        let inbox = Inbox::new(4 * FULL);
        for round in 0..2 {
            let asked: Vec<_> = (0..2 * FULL).map(|_| append(&inbox).is_full).collect();
            assert_eq!(asked.iter().position(|is_full| *is_full), Some(FULL - 1), "round {round}");
            assert_eq!(asked.iter().filter(|is_full| **is_full).count(), 1, "round {round}");
            assert_eq!(inbox.take().len(), 2 * FULL);
        }
    }

    #[test]
    fn an_inbox_that_is_not_emptied_is_bounded() {
        let inbox = Inbox::new(4 * FULL);
        let forgotten: u64 = (0..4 * FULL + 3).map(|_| append(&inbox).forgotten).sum();
        assert_eq!(forgotten, 30);
        let taken = inbox.take();
        assert_eq!((taken.len(), taken[0].1.seq()), (4 * FULL, 4));
    }

    #[test]
    fn what_ends_without_a_record_takes_no_number() {
        let inbox = Inbox::new(4 * FULL);
        let (id, _) = inbox.begin(&mut Named(0, "a"));
        inbox.forget(id);
        assert!(inbox.open().is_empty());
        append(&inbox);
        assert_eq!(inbox.take()[0].1.seq(), 1);
    }

    #[tokio::test]
    async fn a_reader_sees_what_begins_and_ends_and_costs_nothing_when_it_has_left() {
        let inbox = Inbox::new(4 * FULL);
        assert!(inbox.begin(&mut Named(0, "a")).1.is_none());
        let mut reader = inbox.follow();
        append(&inbox);
        assert!(matches!(reader.recv().await, Ok(Event::Ended(Named(1, _)))));
        drop(reader);
        append(&inbox);
        assert!(inbox.begin(&mut Named(0, "a")).1.is_none(), "the last reader has left");
    }
}
