//! The handle that looks members up, and has them added and removed.

use std::ops::Deref;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::actor::{self, Create, Created, Members, Registry, Remove};
use super::table::{Entry, Id, Member};
use crate::address::Address;
#[cfg(feature = "store")]
use crate::address::WeakAddress;
use crate::clock::now;
use crate::error::ActorError;
use crate::lifecycle::{self, Unstarted};

/// Looks up and changes the members of one registry, from any thread. Cheap to clone; the actor ends with its last
/// handle.
pub struct RegistryHandle<T: Member> {
    members: Arc<Members<T>>,
    permanent: Arc<Entry<T>>,
    address: Address<Registry<T>>,
}

/// A member in use: it does not expire before this is dropped, which counts as its last use.
#[derive(Debug)]
pub struct InUse<T>(Arc<Entry<T>>);

/// Makes a registry with one permanent member and room for `capacity` others, and the actor that has yet to be
/// started. Ends and restarts are logged under `log_target`.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use resilience_actors::registry::{self, Member};
///
/// struct Room(u32);
/// impl Member for Room {
///     fn end(&self) {}
/// }
///
/// # #[actix_rt::main]
/// # async fn main() -> Result<(), resilience_actors::ActorError> {
/// let (rooms, actor) = registry::prepare("lobby".into(), Room(0), 1_000, "rooms");
/// actor.start();
/// let lifetime = Duration::from_secs(3_600);
/// rooms.create("blue".into(), lifetime, || Room(7)).await?.expect("the id is free");
/// assert_eq!(rooms.permanent().member.0, 0);
/// assert_eq!(rooms.use_member("blue", std::time::Instant::now()).map(|room| room.member.0), Some(7));
/// # Ok(())
/// # }
/// ```
pub fn prepare<T: Member>(
    id: Id,
    permanent: T,
    capacity: usize,
    log_target: &'static str,
) -> (RegistryHandle<T>, Unstarted) {
    let (members, permanent) = Members::new(id, permanent, capacity, now());
    let members = Arc::new(members);
    let own = Arc::clone(&members);
    let (address, actor) = lifecycle::prepare(move |_, _| Registry::new(Arc::clone(&own), log_target));
    let swept = address.downgrade();
    let actor = actor.and_then(move || drop(actix_rt::spawn(actor::sweep_regularly(swept))));
    (RegistryHandle { members, permanent, address }, actor)
}

impl<T: Member> RegistryHandle<T> {
    /// The member that never expires.
    #[must_use]
    pub fn permanent(&self) -> &Arc<Entry<T>> {
        &self.permanent
    }

    /// Begins a use of the permanent member, which needs no lookup, at `now` by the clock of the runtime.
    #[must_use]
    pub fn use_permanent(&self, now: Instant) -> InUse<T> {
        self.permanent.usage.begin(now);
        InUse(Arc::clone(&self.permanent))
    }

    /// Begins a use of a member at `now` by the clock of the runtime, without a message; `None` if no member has this id
    /// or it has expired.
    #[must_use]
    pub fn use_member(&self, id: &str, now: Instant) -> Option<InUse<T>> {
        // The use begins under the lock that a sweep needs, so a member that was found is not swept.
        let members = self.members.read();
        let entry = members.get(id)?;
        if entry.usage.has_expired(now) {
            return None;
        }
        entry.usage.begin(now);
        Some(InUse(Arc::clone(entry)))
    }

    /// A member, without using it.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<Arc<Entry<T>>> {
        let members = self.members.read();
        members.get(id).filter(|entry| !entry.usage.has_expired(now())).cloned()
    }

    /// All members, in the order of their ids.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<Entry<T>>> {
        let now = now();
        let mut all = self.members.read().all();
        all.retain(|entry| !entry.usage.has_expired(now));
        all
    }

    /// How many members there are, the permanent one and those included that have expired within the last second.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "it never is")]
    pub fn len(&self) -> usize {
        self.members.read().len()
    }

    /// Adds a member, which `make` makes if the id is free and there is room. Once this has returned, every thread
    /// finds it.
    ///
    /// # Errors
    /// [`ActorError`] when the actor has not answered; the member may be there all the same.
    pub async fn create(
        &self,
        id: Id,
        lifetime: Duration,
        make: impl FnOnce() -> T + Send + 'static,
    ) -> Result<Created<T>, ActorError> {
        self.address.ask(|reply| Create { id, lifetime, make: Box::new(make), reply }).await
    }

    #[cfg(feature = "store")]
    pub(super) fn members(&self) -> &Arc<Members<T>> {
        &self.members
    }

    #[cfg(feature = "store")]
    pub(super) fn downgrade(&self) -> WeakAddress<Registry<T>> {
        self.address.downgrade()
    }

    /// Removes a member and ends it; `None` if no member has this id.
    ///
    /// # Errors
    /// [`ActorError`] when the actor has not answered; the member may be gone all the same.
    pub async fn remove(&self, id: Id) -> Result<Option<Arc<Entry<T>>>, ActorError> {
        self.address.ask(|reply| Remove { id, reply }).await
    }
}

impl<T: Member> Clone for RegistryHandle<T> {
    fn clone(&self) -> Self {
        Self {
            members: Arc::clone(&self.members),
            permanent: Arc::clone(&self.permanent),
            address: self.address.clone(),
        }
    }
}

/// Begins another use of the same member.
impl<T> Clone for InUse<T> {
    fn clone(&self) -> Self {
        self.0.usage.begin_another();
        Self(Arc::clone(&self.0))
    }
}

impl<T> Deref for InUse<T> {
    type Target = Entry<T>;

    fn deref(&self) -> &Entry<T> {
        &self.0
    }
}

impl<T> Drop for InUse<T> {
    fn drop(&mut self) {
        // The end of a use matters to the expiry alone.
        let now = (!self.0.usage.is_unlimited()).then(now);
        self.0.usage.end(now);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
    use tokio::time::{advance, pause};

    use super::*;
    use crate::lifecycle::Panic;
    use crate::registry::{Full, Refused};

    #[derive(Debug, Default)]
    struct Ending(Arc<AtomicBool>);

    impl Member for Ending {
        fn end(&self) {
            self.0.store(true, Ordering::SeqCst);
        }
    }

    const MINUTE: Duration = Duration::from_secs(60);

    fn started(capacity: usize) -> RegistryHandle<Ending> {
        let (handle, actor) = prepare("default".into(), Ending::default(), capacity, "registry");
        actor.start();
        handle
    }

    async fn create(registry: &RegistryHandle<Ending>, id: &str) -> (Result<(), Refused>, Arc<AtomicBool>) {
        let ended = Arc::new(AtomicBool::new(false));
        let member = Ending(Arc::clone(&ended));
        let created = registry.create(id.into(), MINUTE, move || member).await.unwrap();
        (created.map(drop), ended)
    }

    #[actix_rt::test]
    async fn a_member_ends_when_it_is_removed() {
        let registry = started(10);
        let (created, ended) = create(&registry, "a").await;
        assert_eq!(created, Ok(()));
        assert_eq!(create(&registry, "a").await.0, Err(Refused::Taken));
        let in_use = registry.use_member("a", now()).unwrap();
        assert!(registry.remove("a".into()).await.unwrap().is_some());
        assert!(ended.load(Ordering::SeqCst), "also while it is used");
        assert!(
            registry.use_member("a", now()).is_none() && registry.remove("a".into()).await.unwrap().is_none()
        );
        drop(in_use);
    }

    #[actix_rt::test]
    async fn a_member_that_is_not_used_expires() {
        pause();
        let registry = started(1);
        let (_, ended) = create(&registry, "a").await;
        let in_use = registry.use_member("a", now()).unwrap();
        advance(10 * MINUTE).await;
        assert!(registry.find("a").is_some());
        drop(in_use);
        advance(MINUTE / 2).await;
        assert_eq!(
            registry.find("a").unwrap().usage.expires_in(now()),
            Some(MINUTE / 2),
            "looking is no use"
        );
        let full = Full { next_end: Some(MINUTE / 2) };
        assert_eq!(create(&registry, "b").await.0, Err(Refused::Full(full)));
        advance(MINUTE / 2).await;
        assert!(registry.use_member("a", now()).is_none() && registry.all().len() == 1);
        assert_eq!(create(&registry, "b").await.0, Ok(()), "the room of an expired member is free at once");
        assert!(ended.load(Ordering::SeqCst));
    }

    #[actix_rt::test]
    async fn a_member_is_in_use_until_its_last_use_ends() {
        pause();
        let registry = started(1);
        create(&registry, "a").await.0.unwrap();
        let first = registry.use_member("a", now()).unwrap();
        let second = first.clone();
        drop(first);
        advance(2 * MINUTE).await;
        assert!(registry.find("a").is_some());
        drop(second);
        advance(MINUTE).await;
        assert!(registry.find("a").is_none());
    }

    #[actix_rt::test]
    async fn what_has_expired_is_swept_without_a_question() {
        pause();
        let registry = started(10);
        let (_, ended) = create(&registry, "a").await;
        advance(MINUTE).await;
        while !ended.load(Ordering::SeqCst) {
            advance(super::super::actor::SWEEP_PERIOD).await;
            actix_rt::task::yield_now().await;
        }
        assert_eq!(registry.len(), 1, "the permanent one stays");
    }

    #[actix_rt::test]
    async fn members_outlive_a_panic_in_the_actor() {
        let registry = started(10);
        create(&registry, "a").await.0.unwrap();
        assert_eq!(registry.address.ask(Panic).await, Err(ActorError::Failed("registry")));
        assert!(registry.use_member("a", now()).is_some());
        let panicking = registry.create("b".into(), MINUTE, || panic!("it cannot be made")).await;
        assert_eq!(panicking.map(|created| created.map(drop)), Err(ActorError::Failed("registry")));
        assert!(registry.find("b").is_none());
        assert_eq!(create(&registry, "b").await.0, Ok(()));
    }
}
