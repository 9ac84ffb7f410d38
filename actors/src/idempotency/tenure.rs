//! The right to make the answer to one key, in a store.
//!
//! It is known by a token that no other execution has, and belongs to an epoch of the store. A server that was stopped
//! and goes on may find that another has taken over: then its answer changes nothing.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::answer::{Answer as Value, Settled};
use super::cache::CacheSettings;
use crate::error::ActorError;
use crate::store::{Answer, Call, StorePlace, script};

/// How an answer is written in a store.
pub(super) struct Codec<V> {
    pub(super) write: fn(&V) -> String,
    pub(super) read: fn(&str) -> Option<V>,
}

/// One execution.
pub(super) struct Tenure<V> {
    pub(super) place: StorePlace,
    pub(super) epoch: Arc<str>,
    pub(super) token: String,
    pub(super) fingerprint: String,
    pub(super) settings: CacheSettings,
    /// How long the execution takes at most.
    pub(super) execution: Duration,
    pub(super) codec: Codec<V>,
}

impl<V> Copy for Codec<V> {}

impl<V> Clone for Codec<V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<V> fmt::Debug for Tenure<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tenure({} in {})", self.token, self.epoch)
    }
}

impl<V: Value> Tenure<V> {
    /// Hands the answer in, and waits until the store has said what became of it. If it does not say, the execution is
    /// abandoned as soon as the store is back, unless the answer was stored.
    pub(super) async fn settle(self, key: &str, value: V) -> Result<Settled<V>, ActorError> {
        let call = self.completion(key, &value);
        let key = key.to_owned();
        let store = self.place.store.clone();
        let read = move |answer: Result<Answer, _>| match answer {
            Ok(answer) => match answer.text(0) {
                "stored" => Ok(Settled::Stored(value)),
                "replay" => {
                    (self.codec.read)(answer.text(1)).map(Settled::Replay).ok_or(ActorError::Unavailable)
                }
                _ => Err(ActorError::Unavailable),
            },
            Err(_) => {
                self.abandon(&key);
                Err(ActorError::Unavailable)
            }
        };
        store.run(call, read).await?
    }

    /// Hands the answer in.
    pub(super) fn complete(self, key: &str, value: &V) {
        let call = self.completion(key, value);
        self.place.store.insist(call, self.execution);
    }

    /// Passes the execution on.
    pub(super) fn abandon(self, key: &str) {
        let arguments = vec![key.to_owned(), self.token];
        let call = self.place.call(&script::ANSWER_ABANDON, arguments).of_epoch(self.epoch);
        self.place.store.insist(call, self.execution);
    }

    fn completion(&self, key: &str, value: &V) -> Call {
        let arguments = vec![
            key.to_owned(),
            self.fingerprint.clone(),
            self.token.clone(),
            (self.codec.write)(value),
            self.settings.ttl.as_millis().to_string(),
            self.settings.max_size.to_string(),
        ];
        self.place.call(&script::ANSWER_COMPLETE, arguments).of_epoch(Arc::clone(&self.epoch))
    }
}
