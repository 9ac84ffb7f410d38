//! The answers that were replayed lately, readable without a message to the actor.
//!
//! Only the actor writes here: it publishes an answer when it replays it, and withdraws it when the answer leaves the
//! cache. Readers note which answers they took, in order, and the actor reads those notes before it next
//! looks at the order of use; so the least recently used answer is still exactly that.

use std::collections::HashMap;
use std::mem;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::cache::{Fingerprint, Key};

/// The largest number of published answers. A cache that is read evenly gains nothing from more.
const MAX_ANSWERS: usize = 1024;

/// The largest number of noted uses. Beyond it a reader asks the actor, which reads the notes.
const MAX_NOTES: usize = 4096;

/// Answers that any thread can read.
#[derive(Debug)]
pub(super) struct Published<V> {
    inner: Mutex<Inner<V>>,
    /// How many answers have been handed in that the actor has not stored yet.
    unstored: AtomicUsize,
}

/// An answer that has been handed in. While it exists, readers ask the actor: storing it may evict what they read.
#[derive(Debug)]
pub(super) struct Unstored<V>(Arc<Published<V>>);

impl<V> Drop for Unstored<V> {
    fn drop(&mut self) {
        self.0.unstored.fetch_sub(1, Ordering::SeqCst);
    }
}

#[derive(Debug)]
struct Inner<V> {
    answers: HashMap<Key, Answer<V>>,
    used: Vec<Key>,
}

#[derive(Debug)]
struct Answer<V> {
    value: V,
    fingerprint: Fingerprint,
    expires: Instant,
}

impl<V: Clone> Published<V> {
    pub(super) fn new() -> Self {
        let inner = Mutex::new(Inner { answers: HashMap::new(), used: Vec::new() });
        Self { inner, unstored: AtomicUsize::new(0) }
    }

    /// The answer to a request, if it is published and has not expired; its use is noted. A request that asks for
    /// something else under the key has to ask the actor.
    pub(super) fn read(&self, key: &Key, fingerprint: Fingerprint, now: Instant) -> Option<V> {
        if self.unstored.load(Ordering::SeqCst) > 0 {
            return None;
        }
        let Inner { answers, used } = &mut *self.lock();
        let answer =
            answers.get(key).filter(|answer| now < answer.expires && answer.fingerprint == fingerprint)?;
        // The use of what was used last changes no order.
        if used.last() != Some(key) {
            if used.len() == MAX_NOTES {
                return None;
            }
            used.push(Key::clone(key));
        }
        Some(answer.value.clone())
    }

    /// Makes readers ask the actor until the returned value is dropped.
    pub(super) fn hand_in(self: &Arc<Self>) -> Unstored<V> {
        self.unstored.fetch_add(1, Ordering::SeqCst);
        Unstored(Arc::clone(self))
    }

    /// Publishes an answer until it expires.
    pub(super) fn publish(&self, key: &Key, fingerprint: Fingerprint, value: V, expires: Instant) {
        let answers = &mut self.lock().answers;
        if answers.len() == MAX_ANSWERS {
            // An answer that is still in use is published again with its next replay.
            answers.clear();
        }
        answers.insert(Key::clone(key), Answer { value, fingerprint, expires });
    }

    /// Withdraws an answer.
    pub(super) fn withdraw(&self, key: &str) {
        self.lock().answers.remove(key);
    }

    /// Withdraws every answer, and forgets the uses.
    pub(super) fn clear(&self) {
        let Inner { answers, used } = &mut *self.lock();
        answers.clear();
        used.clear();
    }

    /// Takes the keys whose answers were read since the last time, in order.
    pub(super) fn take_notes(&self) -> Vec<Key> {
        mem::take(&mut self.lock().used)
    }

    fn lock(&self) -> MutexGuard<'_, Inner<V>> {
        // Nothing panics while it is held, and what is behind it is whole after every line.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const SAME: Fingerprint = Fingerprint([1; 32]);

    fn key(n: usize) -> Key {
        Key::from(n.to_string())
    }

    #[test]
    fn an_answer_is_read_until_it_expires_or_is_withdrawn() {
        let (published, now) = (Published::new(), Instant::now());
        let expires = now + Duration::from_secs(1);
        published.publish(&key(1), SAME, 7, expires);
        assert_eq!(published.read(&key(1), SAME, now), Some(7));
        assert_eq!(published.read(&key(1), SAME, expires), None);
        assert_eq!(published.read(&key(1), Fingerprint([2; 32]), now), None, "it asks for something else");
        published.withdraw("1");
        assert_eq!(published.read(&key(1), SAME, now), None);
    }

    #[test]
    fn uses_are_noted_in_order_and_once_in_a_row() {
        let (published, now) = (Published::new(), Instant::now());
        for n in 1..=2 {
            published.publish(&key(n), SAME, n, now + Duration::from_secs(1));
        }
        for n in [1, 1, 2, 2, 1] {
            published.read(&key(n), SAME, now);
        }
        assert_eq!(published.take_notes(), [key(1), key(2), key(1)]);
        assert!(published.take_notes().is_empty());
    }

    #[test]
    fn neither_answers_nor_notes_grow_without_bound() {
        let (published, now) = (Published::new(), Instant::now());
        let expires = now + Duration::from_secs(1);
        for n in 0..3 * MAX_ANSWERS {
            published.publish(&key(n), SAME, n, expires);
        }
        assert!(published.lock().answers.len() <= MAX_ANSWERS);
        for n in 1..=2 {
            published.publish(&key(n), SAME, n, expires);
        }
        for n in 0..MAX_NOTES {
            assert!(published.read(&key(n % 2 + 1), SAME, now).is_some());
        }
        assert_eq!(
            published.read(&key(1), SAME, now),
            None,
            "a reader whose use cannot be noted asks the actor"
        );
        assert_eq!(published.take_notes().len(), MAX_NOTES);
    }

    #[test]
    fn while_an_answer_is_handed_in_and_not_stored_readers_ask_the_actor() {
        let (published, now) = (Arc::new(Published::new()), Instant::now());
        published.publish(&key(1), SAME, 7, now + Duration::from_secs(1));
        let (first, second) = (published.hand_in(), published.hand_in());
        drop(first);
        assert_eq!(published.read(&key(1), SAME, now), None, "storing the second may evict it");
        drop(second);
        assert_eq!(published.read(&key(1), SAME, now), Some(7));
    }
}
