//! How the client uses idempotency keys: `key-changed`, `key-missing`, `key-reused` and `executed-twice`.

use std::collections::{BTreeMap, HashMap};

use crate::journal::{Entry, Execution};
use crate::verdict::attempt::Attempt;
use crate::verdict::call::{Basis, Call, different_requests};
use crate::verdict::policy::{Policy, is_idempotent};
use crate::verdict::strand::Strand;

use super::context::{Context, Found, counted};
use super::repeats;

/// What is wrong with the keys of the attempts of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Defect {
    /// A later attempt has another key.
    Changed,
    /// A later attempt has none, and the first has one.
    Lost,
    /// None has one.
    Missing,
    /// The request was executed more than once.
    Twice,
}

/// A request that is not idempotent was repeated under another key.
pub(super) fn changed(context: &Context<'_, '_>) -> Option<Found> {
    Found::of(&cases(context, |defect| defect == Defect::Changed), |calls| {
        format!("{} repeated under another key", counted(calls, "request"))
    })
}

/// A request that is not idempotent was repeated without a key.
pub(super) fn missing(context: &Context<'_, '_>) -> Option<Found> {
    Found::of(&cases(context, |defect| matches!(defect, Defect::Lost | Defect::Missing)), |calls| {
        format!("{} repeated without a key, though not idempotent", counted(calls, "request"))
    })
}

/// A request that is not idempotent was executed twice.
pub(super) fn executed_twice(context: &Context<'_, '_>) -> Option<Found> {
    Found::of(&cases(context, |defect| defect == Defect::Twice), |calls| {
        format!("{} executed more than once, though not idempotent", counted(calls, "request"))
    })
}

fn cases(context: &Context<'_, '_>, wanted: impl Fn(Defect) -> bool) -> Vec<Vec<u64>> {
    let of_strand = |strand| defect(strand, context.policy);
    context
        .strands()
        .filter_map(of_strand)
        .filter(|(found, _)| wanted(*found))
        .map(|(_, seqs)| seqs)
        .collect()
}

/// The defect that explains the others: a key that changes or is lost explains two executions, and two executions are
/// what is to be feared of a missing key.
fn defect(strand: &Strand<'_>, policy: &Policy) -> Option<(Defect, Vec<u64>)> {
    let first = strand.first_sent()?;
    if is_idempotent(first.method()) {
        return None;
    }
    let negotiated: Vec<usize> =
        strand.retries().filter(|retry| retry.negotiated).map(|retry| retry.number).collect();
    let mut missing = None;
    for (number, attempt) in strand.sent_again() {
        let seqs = vec![first.seq, attempt.first().seq];
        match (policy.key(first), policy.key(attempt.first())) {
            (Some(before), Some(after)) if before != after => return Some((Defect::Changed, seqs)),
            (Some(_), None) => return Some((Defect::Lost, seqs)),
            (None, None) if !negotiated.contains(&number) => {
                missing.get_or_insert((Defect::Missing, seqs));
            }
            _ => {}
        }
    }
    twice(strand, policy).map(|seqs| (Defect::Twice, seqs)).or(missing)
}

/// Two executions of one request that no key has made one.
fn twice(strand: &Strand<'_>, policy: &Policy) -> Option<Vec<u64>> {
    let mut executed: HashMap<(&str, &str), &Entry> = HashMap::new();
    let requests = strand.attempts().iter().flat_map(Attempt::requests);
    let finished = requests.filter(|entry| entry.execution == Execution::Executed);
    for entry in finished.filter(|entry| !is_idempotent(entry.method())) {
        let first = *executed.entry((entry.method(), entry.path())).or_insert(entry);
        let key = policy.key(entry);
        let is_one = first.id == entry.id || (key.is_some() && key == policy.key(first));
        if !is_one {
            return Some(vec![first.seq, entry.seq]);
        }
    }
    None
}

/// One key was used for different requests.
pub(super) fn reused(context: &Context<'_, '_>) -> Option<Found> {
    let mut by_key: BTreeMap<&str, Vec<&Entry>> = BTreeMap::new();
    for entry in context.calls.iter().flat_map(|call| &call.entries) {
        if let Some(key) = context.policy.key(entry) {
            by_key.entry(key).or_default().push(entry);
        }
    }
    let mut cases = Vec::new();
    for (key, mut entries) in by_key {
        entries.sort_by_key(|entry| (entry.at, entry.id));
        let call = Call::new(Basis::Key, Some(key), entries);
        let different = different_requests(&call);
        if different.len() > 1 {
            cases.push(different.iter().map(|entry| entry.seq).collect());
        } else if let Some(seqs) = call.strands().iter().find_map(other_body) {
            cases.push(seqs);
        }
    }
    Found::of(&cases, |keys| format!("{} used for different requests", counted(keys, "key")))
}

/// An attempt with another body than the first that is not a failed attempt's repetition: that is `body-lost`.
fn other_body(strand: &Strand<'_>) -> Option<Vec<u64>> {
    let lost = repeats::changed_bodies(strand);
    let first = strand.attempts().first()?.first();
    let other = strand.attempts().iter().enumerate().skip(1).find(|(number, attempt)| {
        let entry = attempt.first();
        repeats::has_other_body(first, entry) && !lost.iter().any(|change| change.number == *number)
    })?;
    Some(vec![first.seq, other.1.first().seq])
}
