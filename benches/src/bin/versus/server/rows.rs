//! The rows of the table: what is measured beside what, and the bound of each ratio.

use super::subject::{BARE, CACHED, Journal, NGINX, OURS, Program, Subject, Target, in_sessions, with};
use crate::arrange::Arrangement;
use crate::table::Bound;

/// A program beside its baseline.
pub(super) struct Comparison {
    pub(super) name: &'static str,
    pub(super) subject: Subject,
    pub(super) baseline: Subject,
    pub(super) bound: Bound,
}

const fn compare(name: &'static str, subject: Subject, baseline: Subject, bound: Bound) -> Comparison {
    Comparison { name, subject, baseline, bound }
}

const fn keyed(target: Target, workers: usize) -> Subject {
    Subject { target, workers, ..OURS }
}

/// The bare handler under the load of [`keyed`], which makes nothing of the keys.
const fn bare(target: Target, workers: usize) -> Subject {
    Subject { target, workers, ..BARE }
}

pub(super) const COMPARISONS: [Comparison; 21] = [
    compare("a bare actix-web handler beside itself", BARE, BARE, Bound::Noise),
    compare(
        "GET /msg, journal off, beside a bare handler",
        Subject { journal: Journal::Off, ..OURS },
        BARE,
        Bound::AtMost(1.10),
    ),
    compare("GET /msg beside a bare handler", OURS, BARE, Bound::AtMost(1.15)),
    compare("GET /msg beside nginx with a constant", OURS, NGINX, Bound::AtMost(1.15)),
    compare(
        "GET /msg, cached key, beside a bare handler",
        Subject { headers: CACHED, ..OURS },
        BARE,
        Bound::AtMost(1.30),
    ),
    compare(
        "GET /msg, 100,000 cached keys in turn, beside a bare handler",
        keyed(Target::Keys(100_000), 1),
        bare(Target::Keys(100_000), 1),
        Bound::AtMost(1.15),
    ),
    compare(
        "GET /msg, all new keys, beside a bare handler",
        keyed(Target::NewKeys, 1),
        bare(Target::NewKeys, 1),
        Bound::AtMost(1.25),
    ),
    compare(
        "through the upstream, beside nginx proxy_pass to the same",
        Subject { program: Program::OursUpstream, ..OURS },
        Subject { program: Program::NginxProxy, ..BARE },
        Bound::AtMost(1.50),
    ),
    compare("GET /msg in a session, beside a bare handler", in_sessions(1), BARE, Bound::AtMost(1.20)),
    compare("GET /msg in 100 sessions in turn", in_sessions(100), in_sessions(1), Bound::AtMost(1.10)),
    compare("GET /msg in 10,000 sessions in turn", in_sessions(10_000), in_sessions(1), Bound::AtMost(1.10)),
    compare(
        "GET /msg, 1 rule without a match, beside a bare handler",
        with(Arrangement::Rules(1)),
        BARE,
        Bound::AtMost(1.25),
    ),
    compare(
        "GET /msg, 100 rules without a match, beside a bare handler",
        with(Arrangement::Rules(100)),
        BARE,
        Bound::AtMost(1.50),
    ),
    compare(
        "GET /msg, a script of 1,000 steps, beside one of 1",
        with(Arrangement::Script(1000)),
        with(Arrangement::Script(1)),
        Bound::AtMost(1.10),
    ),
    compare(
        "GET /msg, a full journal of 1,000, beside one of 100",
        Subject { journal: Journal::Of(1000), ..OURS },
        Subject { journal: Journal::Of(100), ..OURS },
        Bound::AtMost(1.02),
    ),
    compare(
        "GET /msg, a full journal of 100,000, beside one of 100",
        Subject { journal: Journal::Of(100_000), ..OURS },
        Subject { journal: Journal::Of(100), ..OURS },
        Bound::AtMost(1.05),
    ),
    compare(
        "a bare handler beside itself, 2 workers",
        Subject { workers: 2, ..BARE },
        Subject { workers: 2, ..BARE },
        Bound::Noise,
    ),
    compare(
        "GET /msg beside a bare handler, 2 workers",
        Subject { workers: 2, ..OURS },
        Subject { workers: 2, ..BARE },
        Bound::None,
    ),
    compare(
        "GET /msg, cached key, beside a bare handler, 2 workers",
        Subject { headers: CACHED, workers: 2, ..OURS },
        Subject { workers: 2, ..BARE },
        Bound::AtMost(1.50),
    ),
    compare(
        "GET /msg, 100,000 cached keys in turn, 2 workers",
        keyed(Target::Keys(100_000), 2),
        bare(Target::Keys(100_000), 2),
        Bound::AtMost(1.25),
    ),
    compare(
        "GET /msg, all new keys, 2 workers",
        keyed(Target::NewKeys, 2),
        bare(Target::NewKeys, 2),
        Bound::AtMost(1.40),
    ),
];

impl Comparison {
    pub(super) fn has_nginx(&self) -> bool {
        let is_nginx = |subject: &Subject| matches!(subject.program, Program::Nginx | Program::NginxProxy);
        is_nginx(&self.subject) || is_nginx(&self.baseline)
    }
}
