//! When a verdict is asked for, and which of its findings are new. \[pure\]

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde::Deserialize;

/// How long the client has been quiet when it counts as one that does not retry.
const QUIET: Duration = Duration::from_secs(60);

/// The shortest time between two verdicts. A verdict on a large journal takes the server longer; the times between
/// grow with that.
const REST: Duration = Duration::from_secs(1);
const RESTS: u32 = 5;
const LONGEST_REST: Duration = Duration::from_secs(15);

/// The finding that only time shows.
const NO_RETRY: &str = "no-retry";

/// A finding of a verdict, as the server sends it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Finding {
    /// Its id.
    pub(super) id: String,
    /// How bad it is.
    pub(super) severity: String,
    /// What the client did.
    pub(super) message: String,
    /// The requests that show it.
    pub(super) evidence: Vec<u64>,
}

/// What the findings depend on.
#[derive(Debug)]
pub(super) struct Judging {
    /// When a request ended last.
    changed: Instant,
    /// When the next verdict is asked for.
    due: Option<Instant>,
    /// When the next one may be asked for.
    rested: Instant,
    /// The findings that have been reported.
    reported: BTreeSet<String>,
}

impl Judging {
    /// Begins to watch a session, which may have findings already.
    pub(super) fn begin(now: Instant) -> Self {
        Self { changed: now, due: Some(now), rested: now, reported: BTreeSet::new() }
    }

    /// Notes that a request has ended.
    pub(super) fn request_ended(&mut self, now: Instant) {
        self.changed = now;
        self.ask(now);
    }

    /// Notes that requests may have ended unseen.
    pub(super) fn ask(&mut self, now: Instant) {
        let soon = now.max(self.rested);
        self.due = Some(self.due.map_or(soon, |due| due.min(soon)));
    }

    /// Notes that the session has begun anew.
    pub(super) fn session_began_anew(&mut self) {
        self.reported.clear();
    }

    /// When the next verdict is to be asked for.
    pub(super) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Notes that a verdict has been asked for.
    pub(super) fn asked(&mut self) {
        self.due = None;
    }

    /// Notes that an answer has come, or none, to a verdict that was asked for at `asked`.
    pub(super) fn answered(&mut self, asked: Instant, now: Instant) {
        let rest = (now.saturating_duration_since(asked) * RESTS).clamp(REST, LONGEST_REST);
        self.rested = now + rest;
        self.due = self.due.map(|due| due.max(self.rested));
    }

    /// The findings to report, of all that there are.
    pub(super) fn new_findings(&mut self, findings: Vec<Finding>, now: Instant) -> Vec<Finding> {
        let quiet_at = self.changed + QUIET;
        let mut new = Vec::new();
        for finding in findings {
            if self.reported.contains(&finding.id) {
                continue;
            }
            if finding.id == NO_RETRY && now < quiet_at {
                self.due = Some(self.due.map_or(quiet_at, |due| due.min(quiet_at)));
                continue;
            }
            self.reported.insert(finding.id.clone());
            new.push(finding);
        }
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(id: &str) -> Finding {
        Finding {
            id: id.to_owned(),
            severity: "warn".to_owned(),
            message: "did it".to_owned(),
            evidence: vec![1],
        }
    }

    fn ids(findings: &[Finding]) -> Vec<&str> {
        findings.iter().map(|finding| finding.id.as_str()).collect()
    }

    #[test]
    fn a_finding_is_reported_once_until_the_session_begins_anew() {
        let now = Instant::now();
        let mut judging = Judging::begin(now);
        assert_eq!(ids(&judging.new_findings(vec![finding("a")], now)), ["a"]);
        assert_eq!(ids(&judging.new_findings(vec![finding("a"), finding("b")], now)), ["b"]);
        judging.session_began_anew();
        assert_eq!(ids(&judging.new_findings(vec![finding("a")], now)), ["a"]);
    }

    #[test]
    fn no_retry_waits_for_sixty_seconds_without_a_request() {
        let begin = Instant::now();
        let at = |seconds| begin + Duration::from_secs(seconds);
        let mut judging = Judging::begin(begin);
        judging.request_ended(at(5));
        judging.asked();
        assert!(judging.new_findings(vec![finding("no-retry")], at(6)).is_empty());
        assert_eq!(judging.due(), Some(at(65)), "the verdict is asked for again when it is time");
        judging.request_ended(at(30));
        judging.asked();
        assert!(judging.new_findings(vec![finding("no-retry")], at(89)).is_empty());
        assert_eq!(judging.due(), Some(at(90)));
        judging.asked();
        assert_eq!(ids(&judging.new_findings(vec![finding("no-retry")], at(90))), ["no-retry"]);
        assert_eq!(judging.due(), None);
    }

    #[test]
    fn verdicts_are_asked_for_at_once_and_then_no_more_often_than_the_server_can_bear() {
        let begin = Instant::now();
        let at = |milliseconds| begin + Duration::from_millis(milliseconds);
        // How long the verdict took, and when the next one is asked for after its answer.
        for (took, rest) in [(10, 1_000), (400, 2_000), (60_000, 15_000)] {
            let mut judging = Judging::begin(begin);
            assert_eq!(judging.due(), Some(begin));
            judging.asked();
            judging.request_ended(at(5));
            judging.answered(begin, at(took));
            assert_eq!(judging.due(), Some(at(took + rest)), "what ended meanwhile is not forgotten");
            judging.asked();
            judging.request_ended(at(took + 1));
            judging.request_ended(at(took + 2));
            assert_eq!(judging.due(), Some(at(took + rest)));
        }
    }
}
