//! Sorts the entries of a journal into calls.

use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use crate::journal::Entry;

use super::attempt::{self, Outcome, end};
use super::call::{Basis, Call};
use super::index::{Only, Waiting};
use super::judge::Journal;
use super::policy::Policy;
use super::redirect;
use super::retry_after;
use super::strand::NOTICED_WITHIN;

/// What the session says of its calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grouping {
    /// Nothing: the requests say what belongs together.
    ByRequest,
    /// All requests are of one call.
    OneCall,
}

/// How long after a redirect a request without key to its target is taken for its consequence.
const FOLLOWED_WITHIN: Duration = Duration::from_secs(10);

/// What names the call of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Name<'a> {
    Session,
    Mark(&'a [u8]),
    Key(&'a str),
}

/// Method, path and query.
type Target<'a> = (&'a str, &'a str, &'a str);
type Body = Option<[u8; 32]>;

/// The calls of a journal, in the order in which they began.
pub(super) fn calls<'a>(journal: &Journal<'a>, policy: &Policy) -> Vec<Call<'a>> {
    let mut sorted: Vec<&Entry> = journal.entries.iter().collect();
    sorted.sort_by_key(|entry| (entry.at, entry.id));
    let mut groups = Groups::new(policy.longest_wait(), journal.began);
    for entry in sorted {
        groups.add(entry, name(entry, journal.grouping, policy));
    }
    let finish = |group: Group<'a>| Call::new(group.basis, group.key, group.entries);
    groups.groups.into_iter().map(finish).collect()
}

fn name<'a>(entry: &'a Entry, grouping: Grouping, policy: &Policy) -> Option<Name<'a>> {
    match (grouping, entry.header("x-test-call")) {
        (Grouping::OneCall, _) => Some(Name::Session),
        (_, Some(mark)) if !mark.is_empty() => Some(Name::Mark(mark)),
        _ => policy.key(entry).map(Name::Key),
    }
}

/// A call in the making.
struct Group<'a> {
    basis: Basis,
    key: Option<&'a str>,
    entries: Vec<&'a Entry>,
    /// When the request ended after which another of this call is expected, and when its `Retry-After` allows it.
    waits_since: Vec<Duration>,
    /// Where the last redirect of the call leads, and since when it is to be followed; `None` once it has been.
    redirect: Option<(String, Duration)>,
}

/// Which call a request without a name belongs to.
enum Origin {
    Known(usize),
    New,
    /// It follows the redirect of one of several calls.
    Unclear,
}

struct Groups<'a> {
    groups: Vec<Group<'a>>,
    named: HashMap<Name<'a>, usize>,
    /// Guesses that failed, by what they ask for.
    open: Waiting<(Target<'a>, Body)>,
    /// The same whatever the body: for requests whose body is not known.
    open_any: Waiting<Target<'a>>,
    redirects: Waiting<String>,
    longest_wait: Duration,
    began: SystemTime,
}

impl<'a> Groups<'a> {
    fn new(longest_wait: Duration, began: SystemTime) -> Self {
        Self {
            groups: Vec::new(),
            named: HashMap::new(),
            open: Waiting::new(),
            open_any: Waiting::new(),
            redirects: Waiting::new(),
            longest_wait,
            began,
        }
    }

    fn add(&mut self, entry: &'a Entry, name: Option<Name<'a>>) {
        let origin = match name {
            Some(name) => self.named.get(&name).map_or(Origin::New, |number| Origin::Known(*number)),
            None => self.origin(entry),
        };
        let number = match origin {
            Origin::Known(number) => number,
            Origin::New => self.begin(entry, name),
            Origin::Unclear => self.begin_as(entry, name, Basis::Unclear),
        };
        self.groups[number].entries.push(entry);
        self.note_redirect(number, entry);
        if self.groups[number].basis == Basis::Guess {
            self.expect_more(number, entry);
        }
    }

    fn begin(&mut self, entry: &'a Entry, name: Option<Name<'a>>) -> usize {
        let basis = match name {
            Some(Name::Session | Name::Mark(_)) => Basis::Marked,
            Some(Name::Key(_)) => Basis::Key,
            None => Basis::Guess,
        };
        self.begin_as(entry, name, basis)
    }

    fn begin_as(&mut self, entry: &'a Entry, name: Option<Name<'a>>, basis: Basis) -> usize {
        let number = self.groups.len();
        let key = match name {
            Some(Name::Key(key)) => Some(key),
            _ => entry.key.as_deref(),
        };
        self.groups.push(Group { basis, key, entries: Vec::new(), waits_since: Vec::new(), redirect: None });
        if let Some(name) = name {
            self.named.insert(name, number);
        }
        number
    }

    fn origin(&self, entry: &'a Entry) -> Origin {
        let redirected = match self.redirects.is_empty() {
            true => Only::None,
            false => {
                let path = redirect::normalised(entry.path());
                let from = entry.at.saturating_sub(FOLLOWED_WITHIN);
                self.redirects.only(&path, from, entry.at + NOTICED_WITHIN)
            }
        };
        match redirected {
            Only::One(number) => Origin::Known(number),
            Only::Several => Origin::Unclear,
            Only::None => self.guess(entry).map_or(Origin::New, Origin::Known),
        }
    }

    /// Notes that the call has followed its redirect with this request, and where this one is redirected to.
    fn note_redirect(&mut self, number: usize, entry: &Entry) {
        let group = &mut self.groups[number];
        if let Some((path, since)) =
            group.redirect.take_if(|(path, _)| *path == redirect::normalised(entry.path()))
        {
            self.redirects.remove(&path, since, number);
            // One that failed may be sent again, by the client or by its HTTP library.
            if attempt::outcome(entry) != Outcome::Succeeded {
                self.expect_at(number, path, end(entry));
            }
        }
        if let Some(path) = redirect::target(entry) {
            self.expect_at(number, path, end(entry));
        }
    }

    /// Notes that a request of the call to this path is expected.
    fn expect_at(&mut self, number: usize, path: String, since: Duration) {
        let group = &mut self.groups[number];
        if let Some((path, since)) = group.redirect.replace((path.clone(), since)) {
            self.redirects.remove(&path, since, number);
        }
        self.redirects.insert(path, since, number);
    }

    fn guess(&self, entry: &'a Entry) -> Option<usize> {
        let target = target(entry);
        let from = entry.at.saturating_sub(self.longest_wait);
        let found = match body(entry) {
            None => self.open_any.first(&target, from, entry.at),
            known => {
                let exact = self.open.first(&(target, known), from, entry.at);
                exact.or_else(|| self.open.first(&(target, None), from, entry.at))
            }
        };
        found.map(|(_, number)| number)
    }

    /// Notes that a guess may go on after this request of it, or that it cannot.
    fn expect_more(&mut self, number: usize, entry: &'a Entry) {
        let group = &mut self.groups[number];
        let first = group.entries[0];
        let (target, body) = (target(first), body(first));
        for since in group.waits_since.drain(..) {
            self.open.remove(&(target, body), since, number);
            self.open_any.remove(&target, since, number);
        }
        if attempt::outcome(entry) != Outcome::Succeeded {
            let allowed = retry_after::not_before(entry, self.began).map(|demanded| demanded.at);
            for since in [Some(end(entry)), allowed].into_iter().flatten() {
                group.waits_since.push(since);
                self.open.insert((target, body), since, number);
                self.open_any.insert(target, since, number);
            }
        }
    }
}

fn target(entry: &Entry) -> Target<'_> {
    (entry.method(), entry.path(), entry.query())
}

fn body(entry: &Entry) -> Body {
    entry.body.map(|body| body.sha256)
}
