//! Judges the journal of a session: waits for the requests in flight, reads the entries, and calls the pure
//! [`verdict`](crate::verdict::verdict).

use std::collections::HashSet;
use std::time::{Duration, SystemTime};

use resilience_actors::ActorError;
use tokio::sync::Semaphore;

use crate::journal::{Entry, Journal};
use crate::verdict::{self, Grouping, Policy, Verdict};

/// How long a verdict waits for the requests in flight.
pub const MAX_WAIT: Duration = Duration::from_secs(2);

/// How many entries are read with one message, so that the journal's actor serves others in between. A journal that
/// is larger is judged on a thread of its own.
const PAGE: usize = 2_000;

/// How many pages are read at most: a busy client could have a journal read for ever. The largest journal has half of them.
const MAX_PAGES: usize = 1_000;

/// How many large journals are read and judged at once.
static LARGE: Semaphore = Semaphore::const_new(4);

/// The journal of a session at one point in time.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// The requests that have ended, in the order in which they ended.
    pub entries: Vec<Entry>,
    /// The requests in flight.
    pub in_flight: Vec<Entry>,
    /// How many requests the journal has forgotten.
    pub forgotten: u64,
    /// When the session began.
    pub began: SystemTime,
}

/// Waits up to [`MAX_WAIT`] for the requests in flight, and judges the journal of a session.
///
/// # Errors
/// [`ActorError`] when the journal's actor has not answered.
pub async fn judge(journal: &Journal, policy: Policy, grouping: Grouping) -> Result<Verdict, ActorError> {
    let first = read_settled(journal).await?;
    if first.is_complete {
        return Ok(verdict::verdict(&first.snapshot.as_journal(grouping), &policy));
    }
    // The semaphore is never closed.
    let _permit = LARGE.acquire().await.ok();
    let snapshot = read_rest(journal, first).await?;
    let judged =
        tokio::task::spawn_blocking(move || verdict::verdict(&snapshot.as_journal(grouping), &policy));
    // An error means that the judgement panicked.
    judged.await.map_err(|_| ActorError::Failed("verdict"))
}

impl Snapshot {
    /// Waits up to [`MAX_WAIT`] for the requests in flight, and reads the journal of a session.
    ///
    /// # Errors
    /// [`ActorError`] when the journal's actor has not answered.
    pub async fn settled(journal: &Journal) -> Result<Self, ActorError> {
        let first = read_settled(journal).await?;
        read_rest(journal, first).await
    }

    /// The snapshot as the verdict takes it.
    #[must_use]
    pub fn as_journal(&self, grouping: Grouping) -> verdict::Journal<'_> {
        verdict::Journal {
            entries: &self.entries,
            in_flight: &self.in_flight,
            forgotten: self.forgotten,
            grouping,
            began: self.began,
        }
    }
}

/// A snapshot in the making.
struct Reading {
    snapshot: Snapshot,
    is_complete: bool,
}

/// Waits up to [`MAX_WAIT`] for the requests in flight, and reads the first page.
async fn read_settled(journal: &Journal) -> Result<Reading, ActorError> {
    // An error means that something is still in flight.
    let _ = actix_rt::time::timeout(MAX_WAIT, journal.handle.idle()).await;
    // The requests in flight are taken first: one that ends meanwhile is then among the entries.
    let in_flight = journal.in_flight();
    let empty = Snapshot { entries: Vec::new(), in_flight, forgotten: 0, began: journal.began_at };
    read_page(journal, empty).await
}

async fn read_rest(journal: &Journal, mut reading: Reading) -> Result<Snapshot, ActorError> {
    for _ in 0..MAX_PAGES {
        if reading.is_complete {
            break;
        }
        reading = read_page(journal, reading.snapshot).await?;
    }
    Ok(reading.snapshot)
}

async fn read_page(journal: &Journal, mut snapshot: Snapshot) -> Result<Reading, ActorError> {
    let since = snapshot.entries.last().map_or(0, |entry| entry.seq);
    let page = journal.handle.read(since, PAGE, |_| true).await?;
    if snapshot.entries.is_empty() || page.forgotten > since {
        // What was read before would have a gap behind it.
        snapshot.entries.clear();
        snapshot.forgotten = page.forgotten;
    }
    let is_complete = page.records.len() < PAGE;
    let ended: HashSet<u64> = page.records.iter().map(|entry| entry.id).collect();
    snapshot.in_flight.retain(|entry| !ended.contains(&entry.id));
    snapshot.entries.extend(page.records);
    Ok(Reading { snapshot, is_complete })
}
