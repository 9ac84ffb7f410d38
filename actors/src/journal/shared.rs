//! The journal of a session that several servers share.
//!
//! A server appends what has ended on it in batches, and the store numbers the records. Whoever reads asks all servers to
//! append first. What is in flight, and what is followed, is that of one server.

use std::collections::HashSet;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use super::actor::Shared;
use super::inbox::Appended;
use super::log::{Page, Record};
use super::upload::{self, Signals, Upload};
use crate::error::ActorError;
use crate::lifecycle::Unstarted;
use crate::store::{Hearer, StorePlace, script};

/// How a journal is kept in a store.
pub struct SharedSettings<R> {
    /// How many records a journal keeps.
    pub max_size: usize,
    /// How many bytes the journals of all sessions keep.
    pub max_bytes: u64,
    /// The id after which those of this server begin. Servers with other such ids never give out the same one.
    pub last_id: u64,
    /// Writes a record as text.
    pub write: fn(&R) -> String,
    /// Reads it; `None` if it cannot be read.
    pub read: fn(&str) -> Option<R>,
}

/// Asks a store.
pub(super) struct SharedJournal<R: Record> {
    place: StorePlace,
    read: fn(&str) -> Option<R>,
    upload: Arc<Upload<R>>,
    /// Hears that somebody reads.
    hearer: Hearer,
}

/// How long a reader waits for the other servers.
const FLUSH: Duration = Duration::from_secs(1);

/// How many records are read in one step.
const STEP: usize = 256;

impl<R: Record> Clone for SharedJournal<R> {
    fn clone(&self) -> Self {
        Self {
            place: self.place.clone(),
            read: self.read,
            upload: Arc::clone(&self.upload),
            hearer: Arc::clone(&self.hearer),
        }
    }
}

impl<R: Record> SharedJournal<R> {
    pub(super) fn new(
        place: StorePlace,
        settings: &SharedSettings<R>,
        waiting: Arc<Shared<R>>,
    ) -> (Self, Unstarted) {
        waiting.inbox.begin_behind(settings.last_id);
        let signals = Arc::new(Signals::default());
        let hearer = signals.hearer();
        place.store.hear(place.flush(), &hearer);
        let upload = Arc::new(Upload {
            name: place.store.token(),
            place: place.clone(),
            waiting,
            write: settings.write,
            max_size: settings.max_size,
            max_bytes: settings.max_bytes,
            batches: AtomicU64::new(0),
            last: AtomicU64::new(0),
            signals: Arc::clone(&signals),
        });
        let weak = Arc::downgrade(&upload);
        let appends = Unstarted::of(move || drop(actix_rt::spawn(upload::run(weak, signals))));
        (Self { place, read: settings.read, upload, hearer }, appends)
    }

    /// A record has been appended on this server.
    pub(super) fn appended(&self, appended: &Appended) {
        if appended.is_first {
            self.upload.signals.records.notify_one();
        }
        if appended.is_full {
            self.upload.signals.flush.notify_one();
        }
    }

    /// As the journal in memory reads.
    pub(super) async fn read(
        &self,
        since: u64,
        limit: usize,
        mut is_wanted: impl FnMut(&R) -> bool,
    ) -> Result<Page<R>, ActorError> {
        self.flush().await?;
        let (mut page, mut behind) = (Page { records: Vec::new(), forgotten: 0, next: 0 }, since);
        loop {
            let arguments = vec![behind.to_string(), STEP.to_string()];
            let answer = self.place.store.ask(self.place.call(&script::JOURNAL_READ, arguments)).await?;
            (page.next, page.forgotten) = (answer.number(0), answer.number(1));
            let before = behind;
            for [seq, text] in answer.groups(2) {
                behind = seq.parse().unwrap_or(behind);
                let Some(mut record) = (self.read)(text) else { continue };
                record.set_seq(behind);
                if !is_wanted(&record) {
                    continue;
                }
                if page.records.len() == limit {
                    page.next = page.records.last().map_or(since, Record::seq);
                    return Ok(page);
                }
                page.records.push(record);
            }
            if behind == before {
                return Ok(page);
            }
        }
    }

    /// Waits until all servers have appended what had ended on them.
    async fn flush(&self) -> Result<(), ActorError> {
        let number = self.place.store.token();
        let (flushed, news): (Arc<Mutex<HashSet<String>>>, _) = (Arc::default(), Arc::new(Notify::new()));
        let (servers, signal) = (Arc::clone(&flushed), Arc::clone(&news));
        let hearer: Hearer = Arc::new(move |server: &str| {
            let server = server.split('/').next().unwrap_or_default().to_owned();
            servers.lock().unwrap_or_else(PoisonError::into_inner).insert(server);
            signal.notify_one();
        });
        self.place.store.hear(format!("flushed {number}"), &hearer);
        let call = self.place.call(&script::JOURNAL_FLUSH, vec![number]);
        let live = self.place.store.ask(call).await?;
        let all_have = || {
            let flushed = flushed.lock().unwrap_or_else(PoisonError::into_inner);
            live.groups(0).all(|[server]| flushed.contains(server))
        };
        let wait = async {
            while !all_have() {
                news.notified().await;
            }
        };
        // A server that is stopped or gone is not waited for any longer.
        let _ = tokio::time::timeout(FLUSH, wait).await;
        Ok(())
    }
}

#[cfg(test)]
#[path = "shared_tests.rs"]
mod tests;
