//! The journal of one session.

use std::time::{Instant, SystemTime};

use resilience_actors::Unstarted;
use resilience_actors::journal::{self, ByteBudget, JournalHandle};

use super::entry::Entry;
use crate::logging;

/// How large journals may be.
#[derive(Debug, Clone)]
pub struct JournalSettings {
    /// How many requests of a session are kept; 0: there is no journal.
    pub max_size: usize,
    /// How many bytes the journals of all sessions keep.
    pub budget: ByteBudget,
}

/// The journal of one session, from its creation or its last reset on.
pub struct Journal {
    /// The entries.
    pub handle: JournalHandle<Entry>,
    /// When the session began.
    pub began: Instant,
    /// When the session began, by the wall clock.
    pub began_at: SystemTime,
}

impl Journal {
    /// The requests in flight, so far as they are known.
    #[must_use]
    pub fn in_flight(&self) -> Vec<Entry> {
        self.handle.in_flight().into_iter().map(|(id, known)| Entry::in_flight(id, known)).collect()
    }

    /// An empty journal that begins now, and its actor; `None` if there is to be no journal.
    #[must_use]
    pub fn prepare(settings: &JournalSettings) -> Option<(Self, Unstarted)> {
        if settings.max_size == 0 {
            return None;
        }
        let (handle, actor) = journal::prepare(settings.max_size, &settings.budget, logging::JOURNAL);
        Some((Self { handle, began: Instant::now(), began_at: SystemTime::now() }, actor))
    }
}
