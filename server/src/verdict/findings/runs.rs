//! Attempts that failed one after the other.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use crate::verdict::attempt::{Attempt, Outcome};
use crate::verdict::call::Call;

/// The shortest run of failures that may have opened the breaker of a client that works as it should.
const OPENS_BREAKER: usize = 5;
/// A client that sends another request within this time was not held back by a breaker.
const WENT_ON: Duration = Duration::from_secs(1);
/// After how many calls that failed so an open breaker is ruled out: more than as many were not under way at once.
const RULED_OUT: usize = 10;

/// Runs of attempts that failed in passing, in the order in which they ended.
pub(super) fn failed_runs<'c, 'a>(calls: &'c [Call<'a>]) -> Vec<Vec<&'c Attempt<'a>>> {
    let mut attempts: Vec<_> = calls.iter().flat_map(Call::attempts).collect();
    attempts.sort_by_key(|attempt| (attempt.end(), attempt.last().seq));
    attempts.retain(|attempt| attempt.outcome() != Outcome::Unclear);
    let runs = attempts.split(|attempt| !attempt.outcome().is_passing());
    runs.filter(|run| !run.is_empty()).map(<[_]>::to_vec).collect()
}

/// Of calls that were given up after one attempt, those that no breaker explains. A breaker that opens while calls wait
/// for their second attempt ends them, and the journal looks as if the client never tried again.
pub(super) fn without_breaker<'c, 'a>(
    calls: &'c [Call<'a>],
    given_up: Vec<&'c Attempt<'a>>,
) -> Vec<&'c Attempt<'a>> {
    let runs = failed_runs(calls);
    let long = runs.iter().enumerate().filter(|(_, run)| run.len() >= OPENS_BREAKER);
    let run_of: HashMap<u64, usize> =
        long.flat_map(|(number, run)| run.iter().map(move |attempt| (attempt.last().id, number))).collect();
    let mut begins: Vec<Duration> =
        calls.iter().flat_map(|call| &call.entries).map(|entry| entry.at).collect();
    begins.sort_unstable();
    let went_on = |attempt: &Attempt<'_>| {
        let next = begins.partition_point(|begin| *begin <= attempt.end());
        begins.get(next).is_some_and(|begin| *begin <= attempt.end() + WENT_ON)
    };
    let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
    for run in given_up.iter().filter(|only| went_on(only)).filter_map(|only| run_of.get(&only.last().id)) {
        *counts.entry(*run).or_default() += 1;
    }
    let is_clear = |only: &&Attempt<'_>| match run_of.get(&only.last().id) {
        Some(run) => counts.get(run).is_some_and(|count| *count >= RULED_OUT),
        None => true,
    };
    given_up.into_iter().filter(is_clear).collect()
}
