//! One session: what it is known by, what it was created with, and its state.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use actix_rt::ArbiterHandle;
use arc_swap::{ArcSwap, Guard};
use resilience_actors::ActorError;
use resilience_actors::registry::Member;
use tokio_util::sync::CancellationToken;

use super::settings::SessionSettings;
use super::state::SessionState;

/// A session.
pub struct Session {
    /// The settings that it was created with.
    pub settings: SessionSettings,
    /// When it was created, by the wall clock.
    pub created_at: SystemTime,
    /// Requests to its data plane.
    requests: AtomicU64,
    state: ArcSwap<SessionState>,
    /// Cancelled when the session ends, and with it every state that it has had or gets.
    ended: CancellationToken,
    home: Home,
}

/// Where the actors of a session live.
#[derive(Debug, Clone)]
pub enum Home {
    /// On the thread that starts them. With a single worker no message then has to wake another thread.
    ThisThread,
    /// On an arbiter that outlasts the workers.
    Arbiter(ArbiterHandle),
}

impl Session {
    /// Creates a session whose actors do not run before [`begin`](Self::begin).
    #[must_use]
    pub fn new(settings: SessionSettings, home: Home) -> Self {
        let ended = CancellationToken::new();
        let state = ArcSwap::from_pointee(SessionState::new(&settings, ended.child_token()));
        Self { settings, created_at: SystemTime::now(), requests: AtomicU64::new(0), state, ended, home }
    }

    /// The state that a request begins with.
    pub fn state(&self) -> Arc<SessionState> {
        self.state.load_full()
    }

    /// The state, for a look at it.
    pub fn peek(&self) -> Guard<Arc<SessionState>> {
        self.state.load()
    }

    /// Starts the actors of the session and puts its first plan in force.
    ///
    /// # Errors
    /// [`ActorError`] when an actor does not answer.
    pub async fn begin(&self) -> Result<(), ActorError> {
        let state = self.state();
        self.begin_state(&state).await
    }

    /// Replaces the state by a new one, as it was when the session was created, and ends the old one.
    ///
    /// # Errors
    /// [`ActorError`] when an actor does not answer; the session is as it was then.
    pub async fn reset(&self) -> Result<(), ActorError> {
        // A reset that overlaps the end of the session makes a state that has ended as well.
        let state = Arc::new(SessionState::new(&self.settings, self.ended.child_token()));
        self.begin_state(&state).await?;
        self.requests.store(0, Ordering::Relaxed);
        self.state.swap(state).ended.cancel();
        Ok(())
    }

    /// Counts a request to the data plane.
    pub fn count_request(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    /// How many requests its data plane has had.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    async fn begin_state(&self, state: &Arc<SessionState>) -> Result<(), ActorError> {
        match &self.home {
            Home::ThisThread => state.start_actors(),
            Home::Arbiter(arbiter) => {
                let state = Arc::clone(state);
                // An arbiter that has ended drops the actors, and the question below says so.
                arbiter.spawn_fn(move || state.start_actors());
            }
        }
        match &self.settings.plan {
            Some(plan) => state.faults.replace(Arc::clone(plan)).await,
            None => Ok(()),
        }
    }
}

impl Member for Session {
    fn end(&self) {
        self.ended.cancel();
    }
}
