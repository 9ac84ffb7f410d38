//! The idempotency keys in use, and which message each belongs to. Never asks the server.
//!
//! A key is given up long before the server could: after [`USES`], or after [`LIFETIME`]. So neither expiry nor
//! eviction can explain that its message changed.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use fastrand::Rng;

use crate::{Broken, broken};

/// Keys in use at a time: few enough that each is used often, and is never the least recently used of thousands.
const LIVE: usize = 100;

/// How often a key is used.
const USES: u32 = 200;

/// How long a key is used: far below the shortest sensible life of a cache's entry.
const LIFETIME: Duration = Duration::from_secs(60);

/// One key.
#[derive(Debug)]
pub(crate) struct Key {
    /// As it goes into the header.
    pub(crate) name: String,
    message: RefCell<Option<String>>,
    born: Instant,
}

/// The keys in use.
#[derive(Debug)]
pub(crate) struct Keys {
    run: u64,
    made: u64,
    live: Vec<(Rc<Key>, u32)>,
}

impl Keys {
    pub(crate) fn new(now: Instant) -> Self {
        // Names differ from run to run: a server that runs already may know those of the run before.
        let mut keys = Keys { run: fastrand::u64(..), made: 0, live: Vec::new() };
        for _ in 0..LIVE {
            let key = keys.make(now);
            keys.live.push((key, 0));
        }
        keys
    }

    /// A key to be used once more. Now and then an old one makes place for a new one.
    pub(crate) fn pick(&mut self, rng: &mut Rng, now: Instant) -> Rc<Key> {
        let place = rng.usize(..LIVE);
        let (key, uses) = &self.live[place];
        if *uses >= USES || now.duration_since(key.born) >= LIFETIME {
            self.live[place] = (self.make(now), 0);
        }
        let (key, uses) = &mut self.live[place];
        *uses += 1;
        Rc::clone(key)
    }

    /// The keys that have had an answer and will be used again.
    pub(crate) fn answered(&self, now: Instant) -> Vec<Rc<Key>> {
        let young = |key: &Rc<Key>| now.duration_since(key.born) < LIFETIME && key.message.borrow().is_some();
        self.live.iter().map(|(key, _)| key).filter(|key| young(key)).cloned().collect()
    }

    /// How many keys there have been.
    pub(crate) fn made(&self) -> u64 {
        self.made
    }

    fn make(&mut self, now: Instant) -> Rc<Key> {
        self.made += 1;
        let name = format!("soak-{:016x}-{}", self.run, self.made);
        Rc::new(Key { name, message: RefCell::default(), born: now })
    }
}

impl Key {
    /// Takes note of the message that this key was answered with.
    pub(crate) fn answered_with(&self, message: String) -> Result<(), Broken> {
        let mut known = self.message.borrow_mut();
        match &*known {
            Some(known) if *known != message => {
                broken!("key {} was answered with message {known} and later with {message}", self.name)
            }
            _ => {
                *known = Some(message);
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_may_be_answered_again_and_again_with_one_message_only() {
        let key = Keys::new(Instant::now()).pick(&mut Rng::with_seed(1), Instant::now());
        key.answered_with("a".into()).unwrap();
        key.answered_with("a".into()).unwrap();
        let Broken(what) = key.answered_with("b".into()).unwrap_err();
        assert!(what.contains(&key.name) && what.contains('a') && what.contains('b'), "{what}");
    }

    #[test]
    fn a_key_is_used_so_often_and_so_long_and_no_longer() {
        let (start, mut rng) = (Instant::now(), Rng::with_seed(1));
        let mut keys = Keys::new(start);
        for _ in 0..100_000 {
            keys.pick(&mut rng, start);
        }
        assert!(keys.live.iter().all(|(_, uses)| *uses <= USES));
        let later = start + LIFETIME;
        assert!(keys.answered(later).is_empty());
        assert_eq!(keys.pick(&mut rng, later).born, later);
    }
}
