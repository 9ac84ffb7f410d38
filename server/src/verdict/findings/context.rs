//! What a rule sees.

use std::time::Duration;

use crate::verdict::attempt::Attempt;
use crate::verdict::call::Call;
use crate::verdict::judge::Journal;
use crate::verdict::policy::Policy;
use crate::verdict::strand::{NOTICED_WITHIN, Retry, Strand};

/// The calls that a rule judges, and what is known besides.
pub(super) struct Context<'c, 'a> {
    pub(super) journal: &'c Journal<'a>,
    pub(super) policy: &'c Policy,
    /// The calls that are judged.
    pub(super) calls: Vec<&'c Call<'a>>,
    /// All calls, for what holds of the whole journal.
    pub(super) all: &'c [Call<'a>],
    hedges: bool,
}

/// What a rule has found.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) message: String,
    pub(super) evidence: Vec<u64>,
}

impl<'c, 'a> Context<'c, 'a> {
    pub(super) fn new(
        journal: &'c Journal<'a>,
        calls: Vec<&'c Call<'a>>,
        all: &'c [Call<'a>],
        policy: &'c Policy,
    ) -> Self {
        let overlaps =
            |strand: &Strand<'_>| (0..strand.attempts().len()).any(|number| strand.overlaps(number));
        let hedges = all.iter().flat_map(Call::strands).any(overlaps);
        Self { journal, policy, calls, all, hedges }
    }

    /// The strands of the judged calls.
    pub(super) fn strands(&self) -> impl Iterator<Item = &'c Strand<'a>> {
        self.calls.iter().flat_map(|call| call.strands())
    }

    /// Whether the client knew how the attempt before had ended. One that hedges may have sent this one as the answer
    /// came.
    pub(super) fn is_informed(&self, retry: &Retry<'_, '_>) -> bool {
        let since = retry.to.begin().saturating_sub(retry.from.end());
        let raced = self.hedges && since < NOTICED_WITHIN;
        !retry.overlaps && !raced
    }
}

impl Found {
    /// A finding from the cases that were found; nothing if there are none. `message` gets how many there are.
    pub(super) fn of(cases: &[Vec<u64>], message: impl FnOnce(usize) -> String) -> Option<Self> {
        let count = cases.len();
        (count > 0).then(|| Self { message: message(count), evidence: cases.concat() })
    }
}

/// The numbers of the last request of one attempt and the first of the next.
pub(super) fn pair(from: &Attempt<'_>, to: &Attempt<'_>) -> Vec<u64> {
    vec![from.last().seq, to.first().seq]
}

/// The numbers of the first requests of all attempts.
pub(super) fn attempts(strand: &Strand<'_>) -> Vec<u64> {
    strand.attempts().iter().map(|attempt| attempt.first().seq).collect()
}

/// `3 calls`, `1 call`.
pub(super) fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// Whether the longest of some durations is at most `percent` longer than the shortest.
pub(super) fn within(durations: &[Duration], percent: u32) -> bool {
    let shortest = durations.iter().min().copied().unwrap_or_default();
    let longest = durations.iter().max().copied().unwrap_or_default();
    longest * 100 <= shortest * (100 + percent)
}
