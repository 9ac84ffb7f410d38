//! The findings: what a client can do wrong. One file a finding or a close family.

mod at_once;
mod backoff;
mod connections;
mod context;
mod keys;
mod load;
mod permanent;
mod repeats;
mod retry_after;
mod rhythm;
mod row;
mod runs;
mod waiting;

use serde::Serialize;
use utoipa::ToSchema;

use super::call::{Basis, Call};
use super::grouping;
use super::judge::Journal;
use super::policy::Policy;

use context::{Context, Found};

pub use row::{Row, Severity};

/// The most requests that a finding names.
const MAX_EVIDENCE: usize = 100;

/// One thing that the client did wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Finding {
    /// Which.
    #[schema(value_type = String)]
    pub id: Row,
    /// How bad it is.
    pub severity: Severity,
    /// What was seen.
    pub message: String,
    /// The `seq` of requests that show it.
    pub evidence: Vec<u64>,
    /// Where it is explained.
    pub link: String,
}

/// What a finding is concluded from.
enum From {
    /// From calls: it is a note if some of them are guesses and it does not follow without them.
    Calls,
    /// From the journal as a whole.
    Journal,
}

/// Judges the calls of a context.
type Rule = fn(&Context<'_, '_>) -> Option<Found>;

const RULES: [(Row, From, Rule); 20] = [
    (Row::NoRetry, From::Journal, permanent::no_retry),
    (Row::RetriedPermanent, From::Calls, permanent::retried_permanent),
    (Row::RetryAfterIgnored, From::Calls, retry_after::ignored),
    (Row::NoBackoff, From::Calls, backoff::none),
    (Row::FlatBackoff, From::Calls, rhythm::flat),
    (Row::NoJitter, From::Calls, rhythm::no_jitter),
    (Row::TooManyAttempts, From::Calls, load::too_many),
    (Row::RetryStorm, From::Calls, load::storm),
    (Row::OutageIgnored, From::Calls, load::outage_ignored),
    (Row::KeyChanged, From::Calls, keys::changed),
    (Row::KeyMissing, From::Calls, keys::missing),
    (Row::KeyReused, From::Calls, keys::reused),
    (Row::ExecutedTwice, From::Calls, keys::executed_twice),
    (Row::BodyLost, From::Calls, repeats::body_lost),
    (Row::HeaderLost, From::Calls, repeats::header_lost),
    (Row::NoTimeout, From::Journal, waiting::no_timeout),
    (Row::BrokenConnectionReused, From::Journal, connections::broken_reused),
    (Row::SlowRetry, From::Calls, backoff::slow),
    (Row::OverlappingAttempts, From::Calls, waiting::overlapping),
    (Row::ConnectionChurn, From::Journal, connections::churn),
];

/// Everything that the client did wrong, in the order of the rows.
pub(super) fn find(journal: &Journal<'_>, calls: &[Call<'_>], policy: &Policy) -> Vec<Finding> {
    let certain = |call: &&Call<'_>| matches!(call.basis, Basis::Marked | Basis::Key);
    let all = Context::new(journal, calls.iter().collect(), calls, policy);
    let certain = Context::new(journal, calls.iter().filter(certain).collect(), calls, policy);
    let judged = |(row, basis, rule): &(Row, From, Rule)| {
        if policy.allow.contains(row) || (journal.forgotten > 0 && row.needs_beginning()) {
            return None;
        }
        match basis {
            From::Journal => rule(&all).map(|found| finding(*row, row.severity(), found)),
            From::Calls => rule(&certain)
                .map(|found| finding(*row, row.severity(), found))
                .or_else(|| rule(&all).map(|found| finding(*row, Severity::Note, found))),
        }
    };
    RULES.iter().filter_map(judged).collect()
}

/// What only several journals show together, each of them of a client of its own: that their clients return together.
/// The evidence is the `seq` in each journal.
#[must_use]
pub fn across(journals: &[Journal<'_>], policy: &Policy) -> Option<Finding> {
    let first = journals.first().filter(|_| !policy.allow.contains(&Row::NoJitter))?;
    let calls = journals.iter().map(|journal| grouping::calls(journal, policy));
    let calls: Vec<Call<'_>> = calls.flatten().collect();
    let certain = calls.iter().filter(|call| matches!(call.basis, Basis::Marked | Basis::Key)).collect();
    let found = rhythm::no_jitter(&Context::new(first, certain, &calls, policy))?;
    Some(finding(Row::NoJitter, Row::NoJitter.severity(), found))
}

fn finding(id: Row, severity: Severity, found: Found) -> Finding {
    let mut evidence = found.evidence;
    evidence.sort_unstable();
    evidence.dedup();
    evidence.truncate(MAX_EVIDENCE);
    let link = format!("/findings#{}", id.id());
    Finding { id, severity, message: found.message, evidence, link }
}
