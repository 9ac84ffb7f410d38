//! Whether a request is repeated as it was: `body-lost` and `header-lost`.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::journal::Entry;
use crate::verdict::attempt::Outcome;
use crate::verdict::policy::Policy;
use crate::verdict::strand::Strand;

use super::context::{Context, Found, counted};

/// An attempt whose body differs from that of the attempt before which it stands in for.
pub(super) struct Change {
    /// The number of the attempt in its strand.
    pub(super) number: usize,
    seqs: Vec<u64>,
}

/// A request was repeated with another body.
pub(super) fn body_lost(context: &Context<'_, '_>) -> Option<Found> {
    let changes = context.strands().flat_map(changed_bodies);
    Found::of(&changes.map(|change| change.seqs).collect::<Vec<_>>(), |count| {
        format!("{} with another or an empty body", counted(count, "attempt"))
    })
}

/// The attempts after a failed one with another body than the first.
pub(super) fn changed_bodies(strand: &Strand<'_>) -> Vec<Change> {
    compared(strand, &[413])
        .into_iter()
        .filter(|(number, before, after)| strand.after_failure(*number) && has_other_body(before, after))
        .map(|(number, before, after)| Change { number, seqs: vec![before.seq, after.seq] })
        .collect()
}

/// Whether two requests have different bodies. One that was not read to its end equals any.
pub(super) fn has_other_body(one: &Entry, other: &Entry) -> bool {
    match (one.body, other.body) {
        (Some(one), Some(other)) => one.sha256 != other.sha256,
        _ => false,
    }
}

/// Each repetition, and the request that it must equal: the first with its method and path, or the last one that the
/// server asked to be changed by an answer with one of these statuses.
fn compared<'a>(strand: &Strand<'a>, renewed_by: &[u16]) -> Vec<(usize, &'a Entry, &'a Entry)> {
    let renewed: HashSet<usize> = strand
        .retries()
        .filter(|retry| retry.negotiated)
        .filter(
            |retry| matches!(retry.from.outcome(), Outcome::Refused(status) if renewed_by.contains(&status)),
        )
        .map(|retry| retry.number)
        .collect();
    let repeats: HashSet<usize> = strand.repeats().map(|(number, _)| number).collect();
    let mut firsts: HashMap<(&str, &str), &Entry> = HashMap::new();
    let mut pairs = Vec::new();
    for (number, attempt) in strand.attempts().iter().enumerate() {
        let entry = attempt.first();
        let target = (entry.method(), entry.path());
        if renewed.contains(&number) {
            firsts.insert(target, entry);
        }
        if let Some(before) = firsts.get(&target).filter(|before| before.id != entry.id) {
            pairs.extend(repeats.contains(&number).then_some((number, *before, entry)));
        }
        for request in attempt.requests() {
            firsts.entry((request.method(), request.path())).or_insert(request);
        }
    }
    pairs
}

/// A request was repeated without a header.
pub(super) fn header_lost(context: &Context<'_, '_>) -> Option<Found> {
    let mut names = BTreeSet::new();
    let mut cases = Vec::new();
    for strand in context.strands() {
        for (_, before, after) in compared(strand, &[401, 413, 417]) {
            let kept: HashSet<&str> = after.header_names().collect();
            let must_stay = |name: &&str| is_compared(name, context.policy) && !kept.contains(*name);
            let mut lost: Vec<&str> = before.header_names().filter(must_stay).collect();
            if has_other_body(before, after) {
                lost.retain(|name| !name.starts_with("content-"));
            }
            if !lost.is_empty() {
                names.extend(lost.iter().map(|name| (*name).to_owned()));
                cases.push(vec![before.seq, after.seq]);
            }
        }
    }
    Found::of(&cases, |count| {
        let names: Vec<String> = names.into_iter().take(10).collect();
        format!("{} without a header of the first: {}", counted(count, "attempt"), names.join(", "))
    })
}

/// Whether a repetition must have the header, whose name is in lower case.
fn is_compared(name: &str, policy: &Policy) -> bool {
    let of_connection = matches!(
        name,
        "connection"
            | "keep-alive"
            | "proxy-connection"
            | "proxy-authorization"
            | "te"
            | "trailer"
            | "transfer-encoding"
            | "content-length"
            | "upgrade"
            | "upgrade-insecure-requests"
            | "http2-settings"
            | "expect"
    );
    let of_moment = matches!(name, "range" | "cookie" | "date") || name.starts_with("if-");
    let traced = ["x-b3-", "x-datadog-", "x-cloud-trace"].iter().any(|prefix| name.starts_with(prefix));
    let of_trace = traced
        || matches!(
            name,
            "traceparent"
                | "tracestate"
                | "baggage"
                | "b3"
                | "uber-trace-id"
                | "x-amzn-trace-id"
                | "sentry-trace"
                | "x-correlation-id"
                | "x-trace-id"
                | "x-span-id"
        );
    let of_test = matches!(name, "x-test-call" | "x-test-session" | "x-fault");
    !(of_connection || of_moment || of_trace || of_test || policy.is_key_header(name))
}
