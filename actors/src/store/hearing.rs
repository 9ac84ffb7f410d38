//! Those on this server that hear what the store says under a name.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// Hears what is said. It must not wait.
pub(crate) type Hearer = Arc<Hear>;

type Hear = dyn Fn(&str) + Send + Sync;

/// All that hear something, by its name. Of one name, the last that was added hears.
#[derive(Default)]
pub(super) struct Hearing(Mutex<HashMap<Box<str>, Weak<Hear>>>);

/// Whether something was heard.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Heard {
    ByOne,
    ByNone,
}

impl Hearing {
    /// Adds one that hears for as long as it exists.
    pub(super) fn add(&self, name: String, hearer: &Hearer) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, hearer| hearer.strong_count() > 0);
        all.insert(name.into(), Arc::downgrade(hearer));
    }

    /// Says something under a name.
    pub(super) fn say(&self, name: &str, what: &str) -> Heard {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let hearer = all.get(name).and_then(Weak::upgrade);
        drop(all);
        match hearer {
            Some(hearer) => {
                hearer(what);
                Heard::ByOne
            }
            None => Heard::ByNone,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_exists_hears_what_is_said_under_its_name() {
        let (hearing, heard) = (Hearing::default(), Arc::new(Mutex::new(Vec::new())));
        let notes = Arc::clone(&heard);
        let hearer: Hearer = Arc::new(move |what: &str| notes.lock().unwrap().push(what.to_owned()));
        hearing.add("a".into(), &hearer);
        assert_eq!((hearing.say("a", "1"), hearing.say("b", "2")), (Heard::ByOne, Heard::ByNone));
        drop(hearer);
        assert_eq!(hearing.say("a", "3"), Heard::ByNone);
        assert_eq!(*heard.lock().unwrap(), ["1"]);
    }
}
