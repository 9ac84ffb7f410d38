//! The handle that begins records, reads them, and follows them.

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use tokio::sync::broadcast;

use super::actor::{Drain, Journal, Read, Shared, Shed};
use super::budget::ByteBudget;
use super::inbox::{Event, Inbox};
use super::log::{Page, Record};
#[cfg(feature = "store")]
use super::shared::{SharedJournal, SharedSettings};
use crate::address::{Address, WeakAddress};
use crate::error::ActorError;
use crate::lifecycle::{self, Unstarted};
#[cfg(feature = "store")]
use crate::store::StorePlace;

/// Writes and reads one journal, from any thread. Cheap to clone; the actor ends with its last handle.
///
/// The records are in the memory of this process, or in a store that several servers share.
pub struct JournalHandle<R: Record> {
    shared: Arc<Shared<R>>,
    state: State<R>,
}

/// Where the records are kept.
enum State<R: Record> {
    /// In an actor of this process.
    Memory(Address<Journal<R>>),
    /// In a store.
    #[cfg(feature = "store")]
    Shared(SharedJournal<R>),
}

/// Something that has begun and not ended. Dropping it means that it leaves no record.
pub struct Open<R: Record> {
    id: u64,
    shared: Option<Arc<Shared<R>>>,
    journal: Keeper<R>,
}

/// Who takes records that wait.
enum Keeper<R: Record> {
    Memory(WeakAddress<Journal<R>>),
    #[cfg(feature = "store")]
    Shared(SharedJournal<R>),
}

/// Makes an empty journal of up to `max_size` records, and the actor that has yet to be started. All journals of a
/// process share a `budget` of bytes. A restart of the actor, which empties the journal, is logged under `log_target`,
/// at ERROR.
///
/// # Examples
///
/// ```
/// use resilience_actors::journal::{self, ByteBudget, Record};
///
/// #[derive(Debug, Clone, PartialEq)]
/// struct Visit { id: u64, seq: u64, name: &'static str }
///
/// impl Record for Visit {
///     type Begun = &'static str;
///
///     fn set_id(&mut self, id: u64) { self.id = id; }
///     fn begun(&self) -> &'static str { self.name }
///     fn set_seq(&mut self, seq: u64) { self.seq = seq; }
///     fn seq(&self) -> u64 { self.seq }
///     fn bytes(&self) -> usize { size_of::<Self>() }
/// }
///
/// # #[actix_rt::main]
/// # async fn main() -> Result<(), resilience_actors::ActorError> {
/// let (journal, actor) = journal::prepare(1000, &ByteBudget::new(1 << 20), "journal");
/// actor.start();
/// let (ada, visit) = journal.begin(Visit { id: 0, seq: 0, name: "Ada" });
/// assert_eq!(journal.in_flight(), [(1, "Ada")]);
/// ada.end(visit, std::time::Instant::now());
/// let page = journal.read(0, 100, |_| true).await?;
/// assert_eq!(page.records, [Visit { id: 1, seq: 1, name: "Ada" }]);
/// # Ok(())
/// # }
/// ```
pub fn prepare<R: Record>(
    max_size: usize,
    budget: &ByteBudget,
    log_target: &'static str,
) -> (JournalHandle<R>, Unstarted) {
    // The place asks the actor, whose address is known when the actor is prepared.
    let own: Arc<OnceLock<WeakAddress<Journal<R>>>> = Arc::default();
    let target = Arc::clone(&own);
    let place = budget.place(Arc::new(move || {
        if let Some(address) = target.get() {
            address.send(Shed);
        }
    }));
    let shared = Arc::new(Shared { inbox: Inbox::new(max_size), place });
    let for_actor = Arc::clone(&shared);
    let (address, actor) = lifecycle::prepare(move |_, last_seq| {
        Journal::new(max_size, Arc::clone(&for_actor), log_target, last_seq)
    });
    let _ = own.set(address.downgrade());
    (JournalHandle { shared, state: State::Memory(address) }, actor)
}

/// Makes a handle of the journal that all servers with this place in a store share, and what appends to it, which has yet
/// to be started. What waits on this server is counted in `budget`.
#[cfg(feature = "store")]
pub fn shared<R: Record>(
    place: StorePlace,
    settings: &SharedSettings<R>,
    budget: &ByteBudget,
) -> (JournalHandle<R>, Unstarted) {
    let place_in_budget = budget.place(Arc::new(|| {}));
    let shared = Arc::new(Shared { inbox: Inbox::new(settings.max_size), place: place_in_budget });
    let (journal, appends) = SharedJournal::new(place, settings, Arc::clone(&shared));
    (JournalHandle { shared, state: State::Shared(journal) }, appends)
}

impl<R: Record> JournalHandle<R> {
    /// Begins a record of what is known by now, and gives it an id. Readers that follow the journal see it.
    pub fn begin(&self, record: R) -> (Open<R>, Box<R>) {
        let mut record = Box::new(record);
        let (id, events) = self.shared.inbox.begin(&mut record);
        let journal = match &self.state {
            State::Memory(address) => Keeper::Memory(address.downgrade()),
            #[cfg(feature = "store")]
            State::Shared(journal) => Keeper::Shared(journal.clone()),
        };
        let open = Open { id, shared: Some(Arc::clone(&self.shared)), journal };
        if let Some(events) = events {
            // An error means that the last reader has left.
            let _ = events.send(Event::Begun(R::clone(&record)));
        }
        (open, record)
    }

    /// Reads up to `limit` records behind the number `since` that `is_wanted` accepts. What ended before the call is
    /// among them.
    ///
    /// # Errors
    /// [`ActorError`] when the actor has not answered.
    pub async fn read(
        &self,
        since: u64,
        limit: usize,
        is_wanted: impl FnMut(&R) -> bool + Send + 'static,
    ) -> Result<Page<R>, ActorError> {
        match &self.state {
            State::Memory(address) => {
                let is_wanted = Box::new(is_wanted);
                address.ask(|reply| Read { since, limit, is_wanted, reply }).await
            }
            #[cfg(feature = "store")]
            State::Shared(journal) => Box::pin(journal.read(since, limit, is_wanted)).await,
        }
    }

    /// Follows what begins and ends from now on. A reader that lags behind misses the oldest, and learns how many it has missed.
    #[must_use]
    pub fn follow(&self) -> broadcast::Receiver<Event<R>> {
        self.shared.inbox.follow()
    }

    /// Returns what has begun and not ended, in the order of the ids.
    #[must_use]
    pub fn in_flight(&self) -> Vec<(u64, R::Begun)> {
        self.shared.inbox.open()
    }

    /// Waits until nothing is in flight.
    pub async fn idle(&self) {
        self.shared.inbox.idle().await;
    }

    /// Returns how many times the actor has been restarted after a panic. Each restart empties the journal.
    #[must_use]
    pub fn restarts(&self) -> u64 {
        match &self.state {
            State::Memory(address) => address.restarts(),
            #[cfg(feature = "store")]
            State::Shared(_) => 0,
        }
    }

    /// The address of the actor that keeps the records in memory.
    #[cfg(test)]
    fn address(&self) -> &Address<Journal<R>> {
        match &self.state {
            State::Memory(address) => address,
            #[cfg(feature = "store")]
            State::Shared(_) => panic!("they are in a store"),
        }
    }
}

impl<R: Record> Clone for JournalHandle<R> {
    fn clone(&self) -> Self {
        let state = match &self.state {
            State::Memory(address) => State::Memory(address.clone()),
            #[cfg(feature = "store")]
            State::Shared(journal) => State::Shared(journal.clone()),
        };
        Self { shared: Arc::clone(&self.shared), state }
    }
}

impl<R: Record> Open<R> {
    /// Appends the record, which has ended at `ended`.
    pub fn end(mut self, record: Box<R>, ended: Instant) {
        let Some(shared) = self.shared.take() else { return };
        let appended = shared.inbox.append(self.id, ended, record);
        if appended.is_first {
            shared.place.begin(ended);
        }
        if appended.forgotten > 0 {
            shared.place.budget().subtract(appended.forgotten);
        }
        shared.place.budget().add(appended.added);
        match &self.journal {
            Keeper::Memory(journal) if appended.is_full => journal.send(Drain),
            Keeper::Memory(_) => {}
            #[cfg(feature = "store")]
            Keeper::Shared(journal) => journal.appended(&appended),
        }
    }
}

impl<R: Record> Drop for Open<R> {
    fn drop(&mut self) {
        if let Some(shared) = self.shared.take() {
            shared.inbox.forget(self.id);
        }
    }
}

#[cfg(test)]
#[path = "handle_tests.rs"]
mod tests;
