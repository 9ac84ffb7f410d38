//! The idempotency cache of a session that several servers share.
//!
//! The store decides who leads. The lease of an execution is that of its server: one that is stopped, cut off or gone
//! does not renew it, and the next caller takes over. Followers are woken by the store, and ask again when the lease that
//! they wait for would have ended.

use std::sync::Arc;
use std::time::Duration;

use super::answer::Answer as Value;
use super::cache::{CacheSettings, CacheStats, Fingerprint, Key};
use super::lease::{Lease, Outcome};
pub(super) use super::tenure::Codec;
use super::tenure::Tenure;
use crate::error::ActorError;
use crate::store::{Answer, Failure, StorePlace, script};

/// Asks a store.
pub(super) struct SharedAnswers<V> {
    place: StorePlace,
    settings: CacheSettings,
    execution: Duration,
    codec: Codec<V>,
}

/// What the store says to a caller.
enum Begun<V: Value> {
    Now(Outcome<V>),
    /// It follows. Without news, it asks again after this.
    Follow(Duration),
}

/// The shortest wait of a follower that hears nothing.
const SHORTEST: Duration = Duration::from_millis(100);

impl<V> Clone for SharedAnswers<V> {
    fn clone(&self) -> Self {
        Self { place: self.place.clone(), ..*self }
    }
}

impl<V: Value> SharedAnswers<V> {
    pub(super) fn new(
        place: StorePlace,
        settings: CacheSettings,
        execution: Duration,
        codec: Codec<V>,
    ) -> Self {
        Self { place, settings, execution, codec }
    }

    pub(super) async fn begin(&self, key: Key, fingerprint: Fingerprint) -> Result<Outcome<V>, ActorError> {
        // Before the first question, so that what is said between an answer and the wait is heard.
        let waiter = self.place.store.wait(self.place.waiting_for(&key));
        loop {
            match self.ask(&key, fingerprint).await? {
                Begun::Now(outcome) => return Ok(outcome),
                Begun::Follow(left) => {
                    let _ = actix_rt::time::timeout(left.max(SHORTEST), waiter.heard()).await;
                }
            }
        }
    }

    async fn ask(&self, key: &Key, fingerprint: Fingerprint) -> Result<Begun<V>, ActorError> {
        let store = &self.place.store;
        let epoch = store.epoch().ok_or(ActorError::Unavailable)?;
        let tenure = Tenure {
            place: self.place.clone(),
            epoch: Arc::clone(&epoch),
            token: store.token(),
            fingerprint: hex(fingerprint),
            settings: self.settings,
            execution: self.execution,
            codec: self.codec,
        };
        let lasts = self.execution.as_millis().to_string();
        let arguments = vec![key.to_string(), tenure.fingerprint.clone(), tenure.token.clone(), lasts];
        let call = self.place.call(&script::ANSWER_BEGIN, arguments).of_epoch(epoch);
        let key = Key::clone(key);
        store.run(call, move |answer| begun(answer, key, tenure)).await?
    }

    pub(super) async fn stats(&self) -> Result<CacheStats, ActorError> {
        let answer = self.place.store.ask(self.place.call(&script::ANSWER_STATS, Vec::new())).await?;
        let count = |index| usize::try_from(answer.number(index)).unwrap_or(usize::MAX);
        Ok(CacheStats { stored: count(0), in_flight: count(1) })
    }
}

/// Reads an answer where it arrives: a lease that cannot be delivered is dropped there, and passes its execution on.
fn begun<V: Value>(
    answer: Result<Answer, Failure>,
    key: Key,
    tenure: Tenure<V>,
) -> Result<Begun<V>, ActorError> {
    let answer = match answer {
        Ok(answer) => answer,
        Err(Failure::NotDone) => return Err(ActorError::Unavailable),
        Err(Failure::Unknown) => {
            // It may have begun, and nobody would execute it.
            tenure.abandon(&key);
            return Err(ActorError::Unavailable);
        }
    };
    Ok(match answer.text(0) {
        "replay" => {
            let value = (tenure.codec.read)(answer.text(1)).ok_or(ActorError::Unavailable)?;
            Begun::Now(Outcome::Replay(value))
        }
        "lead" => Begun::Now(Outcome::Execute(Lease::shared(key, tenure))),
        "conflict" => Begun::Now(Outcome::Conflict),
        _ => Begun::Follow(Duration::from_millis(answer.number(1))),
    })
}

fn hex(fingerprint: Fingerprint) -> String {
    use std::fmt::Write as _;
    fingerprint.0.iter().fold(String::with_capacity(64), |mut hex, byte| {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
#[path = "shared_tests.rs"]
mod tests;
