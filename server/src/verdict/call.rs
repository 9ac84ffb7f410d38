//! A call: what the client's user asked for once, and the requests that the client made for it.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::Duration;

use crate::journal::{Ended, Entry};

use super::attempt::{Attempt, Outcome, end};
use super::index::Waiting;
use super::redirect;
use super::strand::{NOTICED_WITHIN, Strand};

/// How long after a request that ended before a byte its repetition is the work of the HTTP library.
pub(super) const RESENT_WITHIN: Duration = Duration::from_millis(100);

/// What says that requests belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basis {
    /// The client or its test: `X-Test-Call`, or a session of one call.
    Marked,
    /// The idempotency key.
    Key,
    /// Their likeness.
    Guess,
    /// Nothing: it is a request to where several calls were redirected, and is of one of them.
    Unclear,
}

/// A call.
#[derive(Debug)]
pub struct Call<'a> {
    /// What says that its requests belong together.
    pub basis: Basis,
    /// The key of its first request.
    pub key: Option<&'a str>,
    /// Its requests in the order in which they began.
    pub entries: Vec<&'a Entry>,
    strands: Vec<Strand<'a>>,
}

impl<'a> Call<'a> {
    /// The call of these requests, which are in the order in which they began.
    pub(super) fn new(basis: Basis, key: Option<&'a str>, entries: Vec<&'a Entry>) -> Self {
        let strands = strands(&entries);
        Self { basis, key, entries, strands }
    }

    /// The attempts of each different request, in the order in which they began.
    pub(super) fn strands(&self) -> &[Strand<'a>] {
        &self.strands
    }

    /// All attempts, in the order in which they began.
    #[must_use]
    pub fn attempts(&self) -> Vec<&Attempt<'a>> {
        let mut attempts: Vec<_> = self.strands.iter().flat_map(Strand::attempts).collect();
        attempts.sort_by_key(|attempt| (attempt.begin(), attempt.first().id));
        attempts
    }

    /// Whether an attempt succeeded.
    #[must_use]
    pub fn succeeded(&self) -> bool {
        let mut attempts = self.strands.iter().flat_map(Strand::attempts);
        attempts.any(|attempt| attempt.outcome() == Outcome::Succeeded)
    }
}

/// A method, a path and a query.
type Target<'a> = (&'a str, &'a str, &'a str);

/// Sorts the requests of a call into attempts, and these into strands.
fn strands<'a>(entries: &[&'a Entry]) -> Vec<Strand<'a>> {
    let mut attempts: Vec<Attempt<'a>> = Vec::new();
    let mut redirects: Waiting<String> = Waiting::new();
    let mut unanswered: Waiting<Target<'a>> = Waiting::new();
    let mut stale: Vec<&Entry> = Vec::new();
    for entry in entries {
        if entry.ended == Ended::Stale {
            stale.push(entry);
            continue;
        }
        let target = (entry.method(), entry.path(), entry.query());
        let followed = match redirects.is_empty() {
            true => None,
            false => {
                let path = redirect::normalised(entry.path());
                redirects.take_last(&path, Duration::ZERO, entry.at + NOTICED_WITHIN)
            }
        };
        let resent = || {
            let from = entry.at.saturating_sub(RESENT_WITHIN);
            unanswered
                .take_last(&target, from, entry.at + NOTICED_WITHIN)
                .filter(|number| is_resent(attempts[*number].last(), entry))
        };
        let number = match followed.or_else(resent) {
            Some(number) => {
                attempts[number].follow(entry);
                number
            }
            None => {
                attempts.push(Attempt::new(entry));
                attempts.len() - 1
            }
        };
        if let Some(path) = redirect::target(entry) {
            redirects.insert(path, end(entry), number);
        }
        if entry.ended == Ended::Broken && entry.first_byte.is_none() && entry.request_on_connection > 1 {
            unanswered.insert(target, end(entry), number);
        }
    }
    sort(attempts, &stale)
}

/// Whether a request is what an HTTP library sends again by itself: the same, on another connection.
fn is_resent(before: &Entry, entry: &Entry) -> bool {
    let names = |entry: &Entry| entry.header_names().map(str::to_owned).collect::<BTreeSet<_>>();
    let other_body = matches!((before.body, entry.body), (Some(one), Some(other)) if one != other);
    before.connection != entry.connection
        && before.key == entry.key
        && !other_body
        && names(before) == names(entry)
}

/// Puts the attempts that repeat one another together.
fn sort<'a>(attempts: Vec<Attempt<'a>>, stale: &[&'a Entry]) -> Vec<Strand<'a>> {
    let mut sorted: Vec<Vec<Attempt<'a>>> = Vec::new();
    let mut known: HashMap<(&str, &str), usize> = HashMap::new();
    for attempt in attempts {
        let first = attempt.first();
        let number = *known.entry((first.method(), first.path())).or_insert(sorted.len());
        for request in attempt.requests() {
            known.entry((request.method(), request.path())).or_insert(number);
        }
        match sorted.get_mut(number) {
            Some(strand) => strand.push(attempt),
            None => sorted.push(vec![attempt]),
        }
    }
    let strand = |attempts: Vec<Attempt<'a>>| {
        let before = |entry: &&&'a Entry| {
            attempts.first().map(Attempt::first).is_some_and(|first| {
                (entry.method(), entry.path()) == (first.method(), first.path()) && entry.at < first.at
            })
        };
        Strand::new(stale.iter().find(before).copied(), attempts)
    };
    sorted.into_iter().map(strand).collect()
}

/// The different requests of a call that no redirect explains: the first of each.
pub(super) fn different_requests<'a>(call: &Call<'a>) -> Vec<&'a Entry> {
    let mut seen = HashSet::new();
    let firsts = call.strands.iter().filter_map(|strand| strand.attempts().first());
    firsts.map(Attempt::first).filter(|entry| seen.insert((entry.method(), entry.path()))).collect()
}
