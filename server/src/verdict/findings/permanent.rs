//! Whether the client tries again when it helps, and only then: `no-retry` and `retried-permanent`.

use std::collections::{BTreeSet, HashSet};

use crate::verdict::attempt::{Attempt, Outcome};
use crate::verdict::call::{Basis, Call, RESENT_WITHIN};
use crate::verdict::retry_after;
use crate::verdict::strand::{Retry, Strand};

use super::at_once::AtOnce;
use super::context::{Context, Found, counted, pair};
use super::runs::without_breaker;

/// Safe calls failed in passing, and none was tried again in the whole journal.
pub(super) fn no_retry(context: &Context<'_, '_>) -> Option<Found> {
    let at_work = !context.journal.in_flight.is_empty();
    if at_work || context.all.iter().any(|call| was_tried_again(context, call)) {
        return None;
    }
    let at_once = AtOnce::new(context.journal.entries);
    let given_up: Vec<_> = context.all.iter().filter_map(|call| given_up(context, &at_once, call)).collect();
    let cases: Vec<Vec<u64>> =
        without_breaker(context.all, given_up).iter().map(|only| vec![only.last().seq]).collect();
    Found::of(&cases, |calls| {
        let calls = counted(calls, "call");
        format!("{calls} that may be repeated failed in passing, and the client never tried one again")
    })
}

/// The only attempt of a call that could have been tried again.
fn given_up<'c, 'a>(
    context: &Context<'_, '_>,
    at_once: &AtOnce<'_>,
    call: &'c Call<'a>,
) -> Option<&'c Attempt<'a>> {
    let attempts = call.attempts();
    let [only] = attempts.as_slice() else { return None };
    // It may have been another attempt of a call that was redirected, or hedged by a request that was in flight.
    let is_alone = match call.basis {
        Basis::Unclear => false,
        Basis::Guess => !at_once.has_other(only.last()),
        Basis::Marked | Basis::Key => true,
    };
    let failed = failed_in_passing(context, only) && !is_excused(context, only);
    (is_alone && failed && !was_sent_again(call)).then_some(*only)
}

/// Whether a request of the call was sent twice, even if that was no attempt: a client may have counted it as one.
fn was_sent_again(call: &Call<'_>) -> bool {
    let mut sent = HashSet::new();
    call.entries.iter().any(|entry| !sent.insert((entry.method(), entry.path())))
}

fn was_tried_again(context: &Context<'_, '_>, call: &Call<'_>) -> bool {
    call.strands().iter().any(|strand| {
        // An HTTP library would have come back at once.
        let after_stale = strand.stale_before().is_some_and(|wait| wait > RESENT_WITHIN);
        after_stale
            || strand.repeats().next().is_some()
                && strand.attempts().iter().any(|attempt| is_passing(context, attempt.outcome()))
    })
}

fn failed_in_passing(context: &Context<'_, '_>, attempt: &Attempt<'_>) -> bool {
    context.policy.is_safe_to_repeat(attempt.first()) && is_passing(context, attempt.outcome())
}

fn is_passing(context: &Context<'_, '_>, outcome: Outcome) -> bool {
    match (&context.policy.retries_on, outcome) {
        (Some(promised), Outcome::Refused(status)) => promised.contains(&status),
        (Some(_), _) => false,
        (None, outcome) => outcome.is_passing(),
    }
}

/// The answer demanded a longer wait than a client has to sit out.
fn is_excused(context: &Context<'_, '_>, attempt: &Attempt<'_>) -> bool {
    let demanded = retry_after::not_before(attempt.last(), context.journal.began);
    demanded.is_some_and(|demanded| demanded.wait > context.policy.patience())
}

/// An attempt follows an answer that the next one will get as well.
pub(super) fn retried_permanent(context: &Context<'_, '_>) -> Option<Found> {
    let mut statuses = BTreeSet::new();
    let mut cases = Vec::new();
    for retry in context.strands().flat_map(Strand::retries) {
        if let Some(status) = permanent(context, &retry).filter(|_| context.is_informed(&retry)) {
            statuses.insert(status);
            cases.push(pair(retry.from, retry.to));
        }
    }
    Found::of(&cases, |count| {
        let statuses: Vec<String> = statuses.iter().map(u16::to_string).collect();
        let attempts = counted(count, "attempt");
        format!("{attempts} followed an answer that does not change: {}", statuses.join(", "))
    })
}

fn permanent(context: &Context<'_, '_>, retry: &Retry<'_, '_>) -> Option<u16> {
    let Outcome::Refused(status) = retry.from.outcome() else { return None };
    let promised = context.policy.retries_on.as_ref().is_some_and(|statuses| statuses.contains(&status));
    let invited = retry.from.last().retry_after.is_some();
    let in_flight = status == 409 && context.policy.key(retry.from.first()).is_some();
    let permanent = matches!(status, 400 | 401 | 403 | 404 | 405 | 409 | 410 | 413 | 422);
    (permanent && !promised && !invited && !in_flight && !retry.negotiated).then_some(status)
}
