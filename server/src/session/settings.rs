//! What a session is created with.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use resilience_actors::fault::{KeyBudget, Rules};
use resilience_actors::journal::ByteBudget;

use crate::cases::Case;
use crate::config::Config;
use crate::fault::Fault;
use crate::journal::JournalSettings;
use crate::verdict::Grouping;

/// The limits of a session and the plan that it begins with.
#[derive(Debug, Clone)]
pub struct SessionSettings {
    /// How many requests of the data plane are processed at once.
    pub max_concurrency: usize,
    /// The bound on one request.
    pub request_timeout: Duration,
    /// How many answers are kept.
    pub cache_max_size: NonZeroUsize,
    /// How long an answer is kept.
    pub cache_ttl: Duration,
    /// The seed of plans that have none of their own.
    pub seed: u64,
    /// The plan that the session begins with, also after a reset.
    pub plan: Option<Arc<Rules<Fault>>>,
    /// Whether all requests are of one call.
    pub grouping: Grouping,
    /// How many keys the plans of all sessions remember.
    pub key_budget: KeyBudget,
    /// How large the journal is.
    pub journal: JournalSettings,
}

impl SessionSettings {
    /// The seed that the session's first requests meet: that of its plan, if it begins with one.
    #[must_use]
    pub fn shown_seed(&self) -> u64 {
        self.plan.as_ref().map_or(self.seed, |plan| plan.seed)
    }

    /// The settings of a session that begins with the plan of a case, in which a hang lasts `hang`.
    #[must_use]
    pub fn for_case(&self, case: &Case, hang: Duration) -> Self {
        let seed = random_seed();
        let (rules, text) = case.rules(hang);
        let plan = Some(Arc::new(rules.into_rules(seed, text)));
        Self { seed, plan, grouping: case.grouping(), ..self.clone() }
    }
}

/// How many keys the plans of all sessions remember.
const MAX_REMEMBERED_KEYS: usize = 1_000_000;

/// The largest seed: an integer that JSON and IEEE 754 both hold exactly.
pub const MAX_SEED: u64 = crate::json::reader::MAX_INTEGER;

/// A random seed.
#[must_use]
pub fn random_seed() -> u64 {
    fastrand::u64(0..=MAX_SEED)
}

impl From<&Config> for SessionSettings {
    fn from(config: &Config) -> Self {
        Self {
            max_concurrency: config.max_concurrency,
            request_timeout: config.request_timeout,
            cache_max_size: config.cache_max_size,
            cache_ttl: config.cache_ttl,
            seed: config.seed.unwrap_or_else(random_seed),
            plan: None,
            grouping: Grouping::ByRequest,
            key_budget: KeyBudget::new(MAX_REMEMBERED_KEYS),
            journal: JournalSettings {
                max_size: config.journal_size,
                budget: ByteBudget::new(config.journal_bytes),
            },
        }
    }
}
