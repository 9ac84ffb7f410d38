//! What the client does to a server in trouble: `too-many-attempts`, `retry-storm` and `outage-ignored`.

use std::collections::{BTreeSet, HashSet};
use std::time::Duration;

use crate::verdict::attempt::{Attempt, Outcome};
use crate::verdict::call::Call;
use crate::verdict::strand::Strand;

use super::context::{Context, Found, attempts, counted};
use super::runs::failed_runs;

/// The most attempts of a call without a promise.
const MOST: usize = 10;
/// How many attempts per call are no storm, and how many calls are one.
const CALM: u64 = 3;
const STORM_CALLS: usize = 20;
/// How many failed attempts are an outage.
const OUTAGE: usize = 50;

/// The client made more attempts for a call than it promises, or than anybody should.
pub(super) fn too_many(context: &Context<'_, '_>) -> Option<Found> {
    let promised = context.policy.max_attempts.map(|most| usize::try_from(most).unwrap_or(usize::MAX));
    let most = promised.unwrap_or(MOST);
    let made = |strand: &Strand<'_>| {
        let all = strand.attempts().len();
        let hedged = (0..all).filter(|number| strand.may_overlap(*number)).count().min(all / 2);
        let negotiated = strand.retries().filter(|retry| retry.negotiated).count();
        // What the server asked for is no attempt more, nor is what was hedged of it. A promise is about retries: a
        // hedged attempt is not one.
        let excused = match promised {
            Some(_) => negotiated + hedged,
            None => negotiated + negotiated.min(hedged),
        };
        all.saturating_sub(excused)
    };
    let cases: Vec<_> = context.strands().filter(|strand| made(strand) > most).map(attempts).collect();
    Found::of(&cases, |calls| format!("{} of more than {most} attempts", counted(calls, "call")))
}

/// The client made many attempts for each of many calls while everything failed.
pub(super) fn storm(context: &Context<'_, '_>) -> Option<Found> {
    let calm = usize::try_from(context.policy.max_attempts.unwrap_or(CALM).max(CALM)).unwrap_or(usize::MAX);
    let stormy = |run: &Vec<Vec<&Attempt<'_>>>| {
        let begins: Vec<Duration> = run.iter().flatten().map(|attempt| attempt.begin()).collect();
        run.len() >= STORM_CALLS && rate_stayed(&begins)
    };
    let cases: Vec<Vec<u64>> = busy_runs(context, calm)
        .iter()
        .filter(|run| stormy(run))
        .map(|run| run.iter().flatten().map(|attempt| attempt.first().seq).collect())
        .collect();
    Found::of(&cases, |storms| {
        let storms = counted(storms, "time");
        format!(
            "{storms}, {STORM_CALLS} calls in a row or more of more than {calm} attempts each while everything failed"
        )
    })
}

/// Runs of calls, in the order in which they began, each of more than `calm` attempts, during which nothing succeeded.
fn busy_runs<'c, 'a>(context: &Context<'c, 'a>, calm: usize) -> Vec<Vec<Vec<&'c Attempt<'a>>>> {
    let successes: BTreeSet<Duration> = context.all.iter().flat_map(success_times).collect();
    let mut calls: Vec<Vec<&'c Attempt<'a>>> = context.calls.iter().map(|call| call.attempts()).collect();
    calls.retain(|attempts| !attempts.is_empty());
    calls.sort_by_key(|attempts| attempts[0].begin());
    let mut runs: Vec<Vec<Vec<&Attempt<'_>>>> = vec![Vec::new()];
    for attempts in calls {
        let until = attempts.iter().map(|attempt| attempt.end()).max().unwrap_or_default();
        let run = runs.last().and_then(|run| run.first());
        let since = run.unwrap_or(&attempts)[0].begin();
        let failed = successes.range(since..=until.max(since)).next().is_none();
        if attempts.len() <= calm || !failed {
            runs.push(Vec::new());
        }
        if let Some(run) = runs.last_mut().filter(|_| attempts.len() > calm) {
            run.push(attempts);
        }
    }
    runs
}

fn success_times(call: &Call<'_>) -> Vec<Duration> {
    let attempts = call.attempts();
    let succeeded = attempts.iter().filter(|attempt| attempt.outcome() == Outcome::Succeeded);
    succeeded.map(|attempt| attempt.end()).collect()
}

/// Whether as much was sent in the second half of the time as in the first, to a fifth.
fn rate_stayed(begins: &[Duration]) -> bool {
    let (first, second) = halves(begins);
    second * 10 >= first * 8
}

fn halves(begins: &[Duration]) -> (usize, usize) {
    let middle = middle(begins);
    let first = begins.iter().filter(|begin| **begin < middle).count();
    (first, begins.len() - first)
}

fn middle(begins: &[Duration]) -> Duration {
    let since = begins.iter().min().copied().unwrap_or_default();
    let until = begins.iter().max().copied().unwrap_or_default();
    (since + until) / 2
}

/// The client went on as before in a long outage, with retries.
pub(super) fn outage_ignored(context: &Context<'_, '_>) -> Option<Found> {
    // A storm says the same, and more.
    if storm(context).is_some() {
        return None;
    }
    let retries: HashSet<u64> = context
        .strands()
        .flat_map(Strand::retries)
        .filter(|retry| !retry.negotiated)
        .map(|retry| retry.to.first().id)
        .collect();
    let ignored = |outage: &Vec<&Attempt<'_>>| {
        let begins: Vec<Duration> = outage.iter().map(|attempt| attempt.begin()).collect();
        let middle = middle(&begins);
        let late: Vec<_> = outage.iter().filter(|attempt| attempt.begin() >= middle).collect();
        let retried = late.iter().filter(|attempt| retries.contains(&attempt.first().id)).count();
        // With a budget a small share of retries goes on.
        rate_stayed(&begins) && retried * 3 > late.len()
    };
    let cases: Vec<Vec<u64>> = failed_runs(context.all)
        .iter()
        .filter(|run| run.len() >= OUTAGE && ignored(run))
        .map(|outage| outage.iter().map(|attempt| attempt.first().seq).collect())
        .collect();
    let longest = cases.iter().map(Vec::len).max().unwrap_or_default();
    Found::of(&cases, |_| {
        format!("in an outage of {longest} failed attempts, as many came in the second half as in the first")
    })
}
