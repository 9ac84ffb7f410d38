//! Members that several servers share. Their list is in a store; every server has a mirror of it, which it reads without
//! asking for as long as it may act on what it knows.
//!
//! The store makes, ends and resets members, and ends those that have not been used for a while. Servers note the uses
//! three times a second, so a member may outlive its time by a second or two, and never ends before it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use tokio::sync::Notify;

use super::actor::{Members, Registry};
use super::handle::{self, RegistryHandle};
use super::table::{Entry, Full, Id, Member, Refused};
use super::usage::{Lifetime, Usage};
use crate::address::WeakAddress;
use crate::clock::now;
use crate::error::ActorError;
use crate::lifecycle::Unstarted;
use crate::store::{Availability, Listener, StoreHandle, StorePlace, script};

/// A member that servers share.
pub trait SharedMember: Member {
    /// The member has this state from now on, in place of another: what is under way in that one must end.
    fn enter(&self, state: u64);

    /// Takes how many requests have come to the member on this server since this was last called.
    fn take_requests(&self) -> u64;
}

/// Makes a member of its id, the number of its state, and its settings as they are written in the store; `None` if they
/// cannot be read.
pub type MakeMember<T> = Box<dyn Fn(&Id, u64, &str) -> Option<T> + Send + Sync>;

/// What the servers of a store share.
pub struct SharedMembers<T: SharedMember> {
    /// How members are found on this server.
    pub registry: RegistryHandle<T>,
    shared: Arc<Shared<T>>,
}

/// When a member was made and used, over all servers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Its id.
    pub id: Id,
    /// When it was made, by the clock of the store.
    pub created: SystemTime,
    /// When it was last used.
    pub used: SystemTime,
    /// How many requests it has had since its last reset.
    pub requests: u64,
    /// How long it lives unless it is used; `None` for the permanent one.
    pub ends_in: Option<Duration>,
}

/// What is to be shared.
pub struct SharedSettings<T> {
    /// The permanent member, which has no state before the store has given it one.
    pub permanent: (Id, T),
    /// Its settings, as they are written in the store. A server with other settings warns.
    pub settings: String,
    /// How long the permanent member's keys are kept without a use.
    pub lives: Duration,
    /// How many other members there may be.
    pub capacity: usize,
    /// Makes the members that other servers have asked for.
    pub make: MakeMember<T>,
    /// Where events are logged.
    pub log_target: &'static str,
}

struct Shared<T: SharedMember> {
    store: StoreHandle,
    members: Arc<Members<T>>,
    permanent: Arc<Entry<T>>,
    settings: String,
    lives: Duration,
    capacity: usize,
    make: MakeMember<T>,
    log_target: &'static str,
    /// Whether the store has the permanent member.
    is_open: AtomicBool,
    changed: Notify,
}

/// How often uses are noted.
const PERIOD: Duration = Duration::from_millis(300);

/// Makes the mirror of what the servers of a store share, and the actor that has yet to be started.
pub fn shared<T: SharedMember>(
    store: StoreHandle,
    settings: SharedSettings<T>,
) -> (SharedMembers<T>, Unstarted) {
    let (id, permanent) = settings.permanent;
    let (registry, actor) = handle::prepare(id, permanent, usize::MAX, settings.log_target);
    let shared = Arc::new(Shared {
        members: Arc::clone(registry.members()),
        permanent: Arc::clone(registry.permanent()),
        store,
        settings: settings.settings,
        lives: settings.lives,
        capacity: settings.capacity,
        make: settings.make,
        log_target: settings.log_target,
        is_open: AtomicBool::new(false),
        changed: Notify::new(),
    });
    let (own, weak) = (Arc::clone(&shared), registry.downgrade());
    let actor = actor.and_then(move || drop(actix_rt::spawn(look_after(own, weak))));
    (SharedMembers { registry, shared }, actor)
}

/// Opens the permanent member, and notes uses, for as long as the actor runs.
async fn look_after<T: SharedMember>(shared: Arc<Shared<T>>, actor: WeakAddress<Registry<T>>) {
    let own = Arc::downgrade(&shared);
    let listener: Listener = Arc::new(move |id: &str, value: Option<&str>| {
        if let Some(shared) = own.upgrade() {
            shared.learn(id, value);
        }
    });
    shared.store.listen("session", &listener);
    let mut availability = shared.store.availability();
    while actor.upgrade().is_some() {
        let is_available = *availability.borrow_and_update() == Availability::Available;
        if is_available && !shared.is_open.load(Ordering::Acquire) {
            shared.open().await;
        }
        if is_available {
            shared.note_uses().await;
        }
        tokio::select! {
            _ = availability.changed() => {}
            () = shared.changed.notified() => {}
            () = actix_rt::time::sleep(PERIOD) => {}
        }
    }
}

impl<T: SharedMember> Shared<T> {
    /// Brings the mirror up to date.
    fn learn(&self, id: &str, value: Option<&str>) {
        let parsed = value.and_then(|value| {
            let (state, settings) = value.split_once(' ')?;
            Some((state.parse::<u64>().ok()?, settings))
        });
        if *id == *self.permanent.id {
            self.is_open.store(parsed.is_some(), Ordering::Release);
            match parsed {
                Some((state, _)) => self.permanent.member.enter(state),
                None => self.changed.notify_one(),
            }
            return;
        }
        let known = self.members.read().get(id).cloned();
        match (parsed, known) {
            (Some((state, _)), Some(entry)) => entry.member.enter(state),
            (Some((state, settings)), None) => self.add(id.into(), state, settings),
            (None, _) => self.members.end(id),
        }
    }

    fn add(&self, id: Id, state: u64, settings: &str) {
        match (self.make)(&id, state, settings) {
            Some(member) => {
                let usage = Usage::new(Lifetime::Elsewhere, now());
                self.members.mirror(Arc::new(Entry { id, member, usage }));
            }
            // A server of another version has other settings.
            None => log::error!(target: self.log_target, id = &*id; "Settings in the store cannot be read"),
        }
    }

    /// Makes the permanent member, unless another server has.
    async fn open(&self) {
        let place = StorePlace::new(self.store.clone(), &self.permanent.id, self.lives);
        let arguments = vec![self.settings.clone(), "-".to_owned()];
        let Ok(answer) = self.store.order(place.call(&script::SESSION_CREATE, arguments)).await else {
            return;
        };
        if answer.text(0) == "taken" && answer.text(1) != self.settings {
            let (own, shared) = (self.settings.as_str(), answer.text(1));
            log::warn!(target: self.log_target, own, shared; "Settings differ from those of the other servers");
        }
    }

    /// Notes in the store which members are used.
    async fn note_uses(&self) {
        let all = self.members.read().all();
        let mut arguments = Vec::new();
        for entry in all.iter().filter(|entry| entry.usage.take_used()) {
            arguments.push(entry.id.to_string());
            arguments.push(entry.member.take_requests().to_string());
        }
        if !arguments.is_empty() {
            let place = StorePlace::new(self.store.clone(), "-", self.lives);
            // An error means that the store is gone, and everything in it may be.
            let _ = self.store.ask(place.call(&script::SESSION_TOUCH, arguments)).await;
        }
    }
}

impl<T: SharedMember> SharedMembers<T> {
    /// Returns as soon as what this server knows of the members is true, which mostly is at once.
    ///
    /// # Errors
    /// [`ActorError::Unavailable`] when the store does not answer.
    pub async fn freshen(&self) -> Result<(), ActorError> {
        if self.is_fresh() { Ok(()) } else { self.shared.store.freshen().await }
    }

    /// Whether what this server knows of the members is true.
    #[must_use]
    pub fn is_fresh(&self) -> bool {
        self.shared.store.is_fresh()
    }

    /// Makes a member with settings as `MakeMember` reads them. Once this has returned, all servers find it.
    ///
    /// # Errors
    /// [`ActorError`] when the store has not answered; the member may be there all the same.
    pub async fn create(
        &self,
        id: &str,
        lifetime: Duration,
        settings: String,
    ) -> Result<Result<Arc<Entry<T>>, Refused>, ActorError> {
        let place = StorePlace::new(self.shared.store.clone(), id, lifetime);
        let arguments = vec![settings, self.shared.capacity.to_string()];
        let answer = self.shared.store.order(place.call(&script::SESSION_CREATE, arguments)).await?;
        match answer.text(0) {
            "taken" => Ok(Err(Refused::Taken)),
            "full" => {
                let next_end = Some(Duration::from_millis(answer.number(1)));
                Ok(Err(Refused::Full(Full { next_end })))
            }
            _ => {
                self.freshen().await?;
                // It may have been ended at once.
                self.registry.find(id).ok_or(ActorError::Unavailable).map(Ok)
            }
        }
    }

    /// Ends a member on all servers; `false` if there is none with this id.
    ///
    /// # Errors
    /// [`ActorError`] when the store has not answered; the member may be gone all the same.
    pub async fn remove(&self, id: &str) -> Result<bool, ActorError> {
        let call = self.place(id).call(&script::SESSION_REMOVE, Vec::new());
        Ok(self.shared.store.order(call).await?.number(0) == 1)
    }

    /// Gives a member a new state on all servers; `false` if there is none with this id.
    ///
    /// # Errors
    /// [`ActorError`] when the store has not answered; the member may have a new state all the same.
    pub async fn reset(&self, id: &str) -> Result<bool, ActorError> {
        let call = self.place(id).call(&script::SESSION_RESET, Vec::new());
        Ok(self.shared.store.order(call).await?.number(0) > 0)
    }

    /// Reads when members were made and used. What was used within the last third of a second may be missing.
    ///
    /// # Errors
    /// [`ActorError`] when the store has not answered.
    pub async fn read(&self, ids: Vec<String>) -> Result<Vec<Reading>, ActorError> {
        let answer = self.shared.store.ask(self.place("-").call(&script::SESSION_READ, ids)).await?;
        Ok(answer.groups::<5>(0).map(reading).collect())
    }

    fn place(&self, id: &str) -> StorePlace {
        StorePlace::new(self.shared.store.clone(), id, self.shared.lives)
    }
}

fn reading([id, created, used, requests, left]: [&str; 5]) -> Reading {
    let millis = |text: &str| Duration::from_millis(text.parse().unwrap_or(0));
    Reading {
        id: id.into(),
        created: SystemTime::UNIX_EPOCH + millis(created),
        used: SystemTime::UNIX_EPOCH + millis(used),
        requests: requests.parse().unwrap_or(0),
        ends_in: (left != "-").then(|| millis(left)),
    }
}

#[cfg(test)]
#[path = "shared_tests.rs"]
mod tests;
