//! Appends what has ended on this server to a journal in a store, in batches.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio::time::{sleep, timeout};

use super::actor::Shared;
use super::log::Record;
use crate::error::ActorError;
use crate::store::{Hearer, StorePlace, script};

/// How long a record waits at most for others to be appended with.
const BATCH: Duration = Duration::from_millis(100);

/// How many records are appended in one step, so that no step takes long.
const MAX_BATCH: usize = 256;

/// How long to wait before a batch is appended again to a store that has not answered.
const PAUSE: Duration = Duration::from_millis(300);

/// Appends to one journal.
pub(super) struct Upload<R: Record> {
    pub(super) place: StorePlace,
    pub(super) waiting: Arc<Shared<R>>,
    pub(super) write: fn(&R) -> String,
    pub(super) max_size: usize,
    pub(super) max_bytes: u64,
    /// Names this journal on this server; no other has it.
    pub(super) name: String,
    pub(super) batches: AtomicU64,
    /// The number, on this server, of the last record that was taken.
    pub(super) last: AtomicU64,
    pub(super) signals: Arc<Signals>,
}

/// What wakes the task that appends.
#[derive(Default)]
pub(super) struct Signals {
    /// There is something to append.
    pub(super) records: Notify,
    /// Somebody reads, and does not want to wait for the end of a batch.
    pub(super) flush: Notify,
    /// What the answers to those that read are known by.
    pub(super) readers: Mutex<Vec<String>>,
}

impl Signals {
    /// Hears that the journal is read.
    pub(super) fn hearer(self: &Arc<Self>) -> Hearer {
        let signals = Arc::clone(self);
        Arc::new(move |number: &str| {
            signals.readers.lock().unwrap_or_else(PoisonError::into_inner).push(number.to_owned());
            signals.records.notify_one();
            signals.flush.notify_one();
        })
    }
}

/// Appends for as long as the journal has a handle.
pub(super) async fn run<R: Record>(upload: Weak<Upload<R>>, signals: Arc<Signals>) {
    loop {
        signals.records.notified().await;
        let _ = timeout(BATCH, signals.flush.notified()).await;
        let Some(upload) = upload.upgrade() else { break };
        upload.append_all().await;
    }
}

impl<R: Record> Upload<R> {
    /// Appends all that waits, and says so to those that read.
    async fn append_all(&self) {
        // Those that ask from here on ask for another round.
        let readers =
            std::mem::take(&mut *self.signals.readers.lock().unwrap_or_else(PoisonError::into_inner));
        let mut records: VecDeque<(Instant, Box<R>)> = self.waiting.inbox.take();
        self.waiting.place.set(None);
        loop {
            let batch: Vec<Box<R>> =
                records.drain(..records.len().min(MAX_BATCH)).map(|(_, record)| record).collect();
            let is_last = records.is_empty();
            self.append(&batch, if is_last { readers.as_slice() } else { &[] }).await;
            let bytes: usize = batch.iter().map(|record| record.bytes()).sum();
            self.waiting.place.budget().subtract(bytes as u64);
            if is_last {
                return;
            }
        }
    }

    async fn append(&self, batch: &[Box<R>], readers: &[String]) {
        let number = self.batches.fetch_add(1, Ordering::Relaxed) + 1;
        let lost = self.lost_before(batch);
        let (first, others) =
            readers.split_first().map_or(("", readers), |(first, rest)| (first.as_str(), rest));
        while self.send(batch, number, first, lost).await.is_err() {
            sleep(PAUSE).await;
        }
        for reader in others {
            // The journal has this batch, so this appends nothing.
            let _ = self.send(&[], number, reader, 0).await;
        }
    }

    /// How many records were forgotten before these because the store was gone, or they came too fast.
    fn lost_before(&self, batch: &[Box<R>]) -> u64 {
        let (Some(first), Some(last)) = (batch.first(), batch.last()) else { return 0 };
        let before = self.last.swap(last.seq(), Ordering::Relaxed);
        first.seq().saturating_sub(before + 1)
    }

    async fn send(&self, batch: &[Box<R>], number: u64, reader: &str, lost: u64) -> Result<(), ActorError> {
        let mut arguments = vec![
            self.name.clone(),
            number.to_string(),
            self.max_size.to_string(),
            self.max_bytes.to_string(),
            reader.to_owned(),
            lost.to_string(),
        ];
        for record in batch {
            arguments.push(record.bytes().to_string());
            arguments.push((self.write)(record));
        }
        self.place.store.ask(self.place.call(&script::JOURNAL_APPEND, arguments)).await.map(drop)
    }
}

impl<R: Record> Drop for Upload<R> {
    fn drop(&mut self) {
        self.signals.records.notify_one();
        self.signals.flush.notify_one();
    }
}
