//! What this server knows of the store without asking, and until when it may act on it. The time is passed in.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::answer::Answer;

/// Learns the value of a topic, now and whenever it changes; `None` means that it has none. It must not wait.
pub(crate) type Watcher = Arc<Watch>;

type Watch = dyn Fn(Option<&str>) + Send + Sync;

/// Learns the values of all topics of a concept by their names within it, now and whenever one changes. It must not wait.
pub(crate) type Listener = Arc<Listen>;

type Listen = dyn Fn(&str, Option<&str>) + Send + Sync;

/// How many servers are remembered with what they know. Servers come and go; forgetting one costs an order a wait.
const MAX_SERVERS: usize = 1_000;

/// What this server knows.
pub(super) struct Knowledge {
    origin: Instant,
    /// Until when this server may act on what it knows: microseconds since `origin`.
    fresh_until: AtomicU64,
    inner: Mutex<Inner>,
    /// The last version that each server knows.
    known: watch::Sender<HashMap<Box<str>, u64>>,
    /// Told whenever something was learnt.
    learnt: watch::Sender<()>,
}

#[derive(Default)]
struct Inner {
    epoch: Option<Arc<str>>,
    /// `None`: nothing, so that everything has to be learnt.
    version: Option<u64>,
    /// The store's time in milliseconds, and when it was that time at the latest.
    clock: Option<(u64, Instant)>,
    topics: HashMap<Box<str>, Box<str>>,
    watchers: HashMap<Box<str>, Vec<Weak<Watch>>>,
    listeners: HashMap<Box<str>, Weak<Listen>>,
}

/// The answer to a renewal.
pub(super) struct Renewal<'a>(pub(super) &'a Answer);

impl Renewal<'_> {
    fn epoch(&self) -> &str {
        self.0.text(0)
    }

    fn time(&self) -> u64 {
        self.0.number(1)
    }

    fn version(&self) -> u64 {
        self.0.number(2)
    }

    fn forgets(&self) -> bool {
        self.0.number(3) == 1
    }
}

impl Knowledge {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            origin: now,
            fresh_until: AtomicU64::new(0),
            inner: Mutex::default(),
            known: watch::Sender::default(),
            learnt: watch::Sender::default(),
        }
    }

    /// Whether this server may act on what it knows.
    pub(super) fn is_fresh(&self, now: Instant) -> bool {
        self.micros(now) < self.fresh_until.load(Ordering::Acquire)
    }

    /// The epoch, and the time of the store at `now`, as it is at least.
    pub(super) fn clock(&self, now: Instant) -> Option<(Arc<str>, u64)> {
        let inner = self.lock();
        let (time, then) = inner.clock?;
        let age = u64::try_from(now.saturating_duration_since(then).as_millis()).unwrap_or(u64::MAX);
        Some((Arc::clone(inner.epoch.as_ref()?), time.saturating_add(age)))
    }

    /// The epoch and the version that this server knows.
    pub(super) fn position(&self) -> (Option<Arc<str>>, Option<u64>) {
        let inner = self.lock();
        (inner.epoch.clone(), inner.version)
    }

    /// Learns the answer to a renewal that was asked for at `sent` and came at `received`. The lease counts from when
    /// it was asked for. Returns whether other servers have to hear that this one knows more than before.
    pub(super) fn learn(
        &self,
        renewal: &Renewal<'_>,
        sent: Instant,
        received: Instant,
        lease: Duration,
    ) -> bool {
        let mut inner = self.lock();
        if inner.epoch.as_deref() != Some(renewal.epoch()) {
            // Versions begin anew with an epoch.
            self.known.send_replace(HashMap::new());
        }
        let before = inner.version.filter(|_| !renewal.forgets());
        inner.epoch = Some(renewal.epoch().into());
        inner.clock = Some((renewal.time(), received));
        let news = inner.learn(renewal);
        drop(inner);
        // Not under the lock: who hears may want to hear of more.
        news.iter().for_each(News::tell);
        // Only now that everything is known.
        self.fresh_until.store(self.micros(sent + lease), Ordering::Release);
        self.learnt.send_replace(());
        before != Some(renewal.version())
    }

    /// Hears whenever something was learnt.
    pub(super) fn learnt(&self) -> watch::Receiver<()> {
        self.learnt.subscribe()
    }

    /// What this server knows may not be true any more: it has to learn everything before it acts on anything.
    pub(super) fn doubt(&self) {
        self.fresh_until.store(0, Ordering::Release);
        self.lock().version = None;
    }

    /// Calls a watcher with the value of a topic, now and at every change for as long as the watcher exists.
    pub(super) fn watch(&self, topic: &str, watcher: &Watcher) {
        let mut inner = self.lock();
        watcher(inner.topics.get(topic).map(|value| &**value));
        let watchers = inner.watchers.entry(topic.into()).or_default();
        watchers.retain(|watcher| watcher.strong_count() > 0);
        watchers.push(Arc::downgrade(watcher));
    }

    /// Calls a listener with the values of a concept's topics, now and at every change for as long as the listener exists,
    /// in place of another listener.
    pub(super) fn listen(&self, concept: &str, listener: &Listener) {
        let mut inner = self.lock();
        let all = inner.topics.iter().filter_map(|(topic, value)| {
            let (found, name) = topic.split_once(':')?;
            (found == concept).then(|| (name.to_owned(), value.clone()))
        });
        let all: Vec<_> = all.collect();
        inner.listeners.insert(concept.into(), Arc::downgrade(listener));
        drop(inner);
        all.iter().for_each(|(name, value)| listener(name, Some(value)));
    }

    /// Notes that a server knows a version.
    pub(super) fn note(&self, epoch: &str, server: &str, version: u64) {
        if self.lock().epoch.as_deref() != Some(epoch) {
            return;
        }
        self.known.send_modify(|known| {
            if known.len() >= MAX_SERVERS {
                known.clear();
            }
            let last = known.entry(server.into()).or_default();
            *last = version.max(*last);
        });
    }

    /// Waits until each of these servers knows a version, or may not act on what it knew before, which is so after the
    /// duration beside it.
    pub(super) async fn known_by(&self, version: u64, servers: Vec<(Box<str>, Duration)>) {
        let begun = tokio::time::Instant::now();
        let mut known = self.known.subscribe();
        for (server, left) in servers {
            let knows =
                |known: &HashMap<Box<str>, u64>| known.get(&server).is_some_and(|last| *last >= version);
            // Both ends mean the same: nothing has to be waited for any more.
            let _ = tokio::time::timeout_at(begun + left, known.wait_for(knows)).await;
        }
    }

    fn micros(&self, time: Instant) -> u64 {
        u64::try_from(time.saturating_duration_since(self.origin).as_micros()).unwrap_or(u64::MAX)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // What is behind it is whole after every line but those of `learn`, and a watcher that panics there leaves the
        // lease as it was.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A change, and those who hear of it.
struct News {
    topic: Box<str>,
    value: Option<Box<str>>,
    listener: Option<Listener>,
    watchers: Vec<Watcher>,
}

impl News {
    fn tell(&self) {
        let value = self.value.as_deref();
        if let (Some(listener), Some((_, name))) = (&self.listener, self.topic.split_once(':')) {
            listener(name, value);
        }
        self.watchers.iter().for_each(|watcher| watcher(value));
    }
}

impl Inner {
    fn learn(&mut self, renewal: &Renewal<'_>) -> Vec<News> {
        let changes: HashMap<&str, Option<&str>> = renewal.0.pairs(4).collect();
        let mut news = Vec::new();
        if renewal.forgets() {
            let gone: Vec<_> =
                self.topics.keys().filter(|topic| !changes.contains_key(&***topic)).cloned().collect();
            news.extend(gone.iter().map(|topic| self.set(topic, None)));
        }
        news.extend(changes.into_iter().map(|(topic, value)| self.set(topic, value)));
        self.version = Some(renewal.version());
        news
    }

    fn set(&mut self, topic: &str, value: Option<&str>) -> News {
        match value {
            Some(value) => drop(self.topics.insert(topic.into(), value.into())),
            None => drop(self.topics.remove(topic)),
        }
        let concept = topic.split_once(':').map(|(concept, _)| concept);
        let listener = concept.and_then(|concept| self.listeners.get(concept)).and_then(Weak::upgrade);
        let watchers: Vec<Watcher> =
            self.watchers.get(topic).into_iter().flatten().filter_map(Weak::upgrade).collect();
        if watchers.is_empty() {
            self.watchers.remove(topic);
        }
        News { topic: topic.into(), value: value.map(Into::into), listener, watchers }
    }
}

#[cfg(test)]
#[path = "knowledge_tests.rs"]
mod tests;
