//! The attempts of a call that repeat one another.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use crate::journal::Entry;

use super::attempt::{Attempt, Outcome, end};

/// What ended so little after the next attempt began had ended for the client: this server notices an end later.
pub(super) const NOTICED_WITHIN: Duration = Duration::from_millis(20);

/// The attempts of one request, in the order in which they began.
#[derive(Debug)]
pub(super) struct Strand<'a> {
    /// The same request before them, on a connection that had gone stale.
    stale: Option<&'a Entry>,
    attempts: Vec<Attempt<'a>>,
    relations: Vec<Relation>,
    follows: Vec<Follows>,
}

/// The numbers of an attempt that did not succeed and of the one that follows it.
#[derive(Debug, Clone, Copy)]
struct Follows {
    from: usize,
    to: usize,
    negotiated: bool,
}

/// How an attempt stands to those before it.
#[derive(Debug, Clone, Copy, Default)]
struct Relation {
    /// The one that ended last, if one has ended since the attempt before this one began.
    previous: Option<usize>,
    /// One was in flight.
    overlaps: bool,
    /// One was in flight, or had ended so little before that the client may not have known.
    may_overlap: bool,
    /// One had succeeded.
    after_success: bool,
    /// One had failed.
    after_failure: bool,
}

/// An attempt that follows one that did not succeed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Retry<'s, 'a> {
    pub(super) from: &'s Attempt<'a>,
    pub(super) to: &'s Attempt<'a>,
    /// The number of `to` in the strand.
    pub(super) number: usize,
    pub(super) overlaps: bool,
    /// It answers what the server asked for: other credentials, less of a body, no expectation.
    pub(super) negotiated: bool,
}

impl<'a> Strand<'a> {
    pub(super) fn new(stale: Option<&'a Entry>, attempts: Vec<Attempt<'a>>) -> Self {
        let relations = relations(&attempts);
        let follows = follows(&attempts, &relations);
        Self { stale, attempts, relations, follows }
    }

    /// What the client sent first: the first attempt, or the same request on a connection that had gone stale.
    pub(super) fn first_sent(&self) -> Option<&'a Entry> {
        self.stale.or_else(|| self.attempts.first().map(Attempt::first))
    }

    pub(super) fn attempts(&self) -> &[Attempt<'a>] {
        &self.attempts
    }

    /// Whether an attempt was in flight when this one began.
    pub(super) fn overlaps(&self, number: usize) -> bool {
        self.relations.get(number).is_some_and(|relation| relation.overlaps)
    }

    /// Whether this one may have been sent while another attempt was in flight.
    pub(super) fn may_overlap(&self, number: usize) -> bool {
        self.relations.get(number).is_some_and(|relation| relation.may_overlap)
    }

    /// Whether an attempt had failed when this one began.
    pub(super) fn after_failure(&self, number: usize) -> bool {
        self.relations.get(number).is_some_and(|relation| relation.after_failure)
    }

    /// The attempts that repeat one that had not succeeded yet, hedged ones among them.
    pub(super) fn repeats(&self) -> impl Iterator<Item = (usize, &Attempt<'a>)> {
        let after = |(number, _): &(usize, _)| !self.relations[*number].after_success;
        self.attempts.iter().enumerate().skip(1).filter(after)
    }

    /// How long after a request on a connection that had gone stale the first attempt came.
    pub(super) fn stale_before(&self) -> Option<Duration> {
        let (stale, first) = (self.stale?, self.attempts.first()?);
        Some(first.begin().saturating_sub(end(stale)))
    }

    /// As [`repeats`](Self::repeats), with the first attempt where it repeats what came on a stale connection.
    pub(super) fn sent_again(&self) -> impl Iterator<Item = (usize, &Attempt<'a>)> {
        let first = self.attempts.first().filter(|_| self.stale.is_some());
        first.map(|attempt| (0, attempt)).into_iter().chain(self.repeats())
    }

    /// The attempts that follow one that did not succeed.
    pub(super) fn retries(&self) -> impl Iterator<Item = Retry<'_, 'a>> {
        self.follows.iter().map(|follows| Retry {
            from: &self.attempts[follows.from],
            to: &self.attempts[follows.to],
            number: follows.to,
            overlaps: self.relations[follows.to].overlaps,
            negotiated: follows.negotiated,
        })
    }
}

/// The attempts that follow one that did not succeed.
fn follows(attempts: &[Attempt<'_>], relations: &[Relation]) -> Vec<Follows> {
    let mut negotiated = Vec::new();
    let mut follows = Vec::new();
    for (to, (attempt, relation)) in attempts.iter().zip(relations).enumerate() {
        let Some(from) = relation.previous.filter(|_| !relation.after_success) else { continue };
        let asked = match attempts[from].outcome() {
            Outcome::Refused(status @ (401 | 413 | 417)) => Some(status),
            _ => None,
        };
        let is_new = |status: &u16| !negotiated.contains(status);
        let allowed =
            asked.filter(|status| is_new(status) && changed(attempts[from].last(), attempt.first()));
        negotiated.extend(allowed);
        follows.push(Follows { from, to, negotiated: allowed.is_some() });
    }
    follows
}

impl Retry<'_, '_> {
    /// The wait before it; `None` if another attempt was in flight, or if the length was not the client's to choose.
    pub(super) fn wait(&self) -> Option<Duration> {
        let chosen = !self.overlaps && !self.negotiated && self.from.last().retry_after.is_none();
        chosen.then(|| self.to.begin().saturating_sub(self.from.end()))
    }
}

/// Whether a request has other headers than the one before it, so far as they are known.
fn changed(before: &Entry, after: &Entry) -> bool {
    let sorted = |entry: &Entry| {
        let mut headers: Vec<_> =
            entry.headers().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        headers.sort();
        headers
    };
    let complete = |entry: &Entry| entry.headers().count() == entry.header_names().count();
    !complete(before) || !complete(after) || sorted(before) != sorted(after)
}

fn relations(attempts: &[Attempt<'_>]) -> Vec<Relation> {
    let mut in_flight = BinaryHeap::new();
    let mut so_far = Relation::default();
    let mut relations = Vec::with_capacity(attempts.len());
    let mut last_end: Option<Duration> = None;
    for (number, attempt) in attempts.iter().enumerate() {
        so_far.previous = None;
        while let Some(&Reverse((end, ended))) = in_flight.peek() {
            if end > attempt.begin() + NOTICED_WITHIN {
                break;
            }
            in_flight.pop();
            so_far.previous = Some(ended);
            match attempts[ended].outcome() {
                Outcome::Succeeded => so_far.after_success = true,
                _ => so_far.after_failure = true,
            }
        }
        so_far.overlaps = !in_flight.is_empty();
        so_far.may_overlap = last_end.is_some_and(|end| end + NOTICED_WITHIN > attempt.begin());
        last_end = last_end.max(Some(attempt.end()));
        relations.push(so_far);
        in_flight.push(Reverse((attempt.end(), number)));
    }
    relations
}
