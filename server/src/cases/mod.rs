//! The cases that a client is examined with: each one a plan of faults, and what it shows of a client.
//!
//! [`table`] has them as data. `test-server check` runs a command against each; `POST /sessions {"case": …}` makes a
//! session of one for a test suite.

mod table;

use std::time::Duration;

use crate::fault::{FaultRules, read_plan};
use crate::json::Problems;
use crate::verdict::Grouping;

pub use table::CASES;

/// A case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Case {
    /// Its name.
    pub name: &'static str,
    /// What it shows of a client.
    pub why: &'static str,
    /// Where this is demanded or explained.
    pub source: &'static str,
    /// The rules of its plan as JSON, in which `HANG_MS` stands for the length of a hang.
    rules: &'static str,
    /// How often the client is run.
    pub runs: Runs,
    /// Which clients it concerns.
    pub concerns: Concerns,
    /// Which exit codes are right.
    pub exit: Exit,
}

/// How often a client is run in a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Runs {
    /// Once, in a session of one call.
    Once,
    /// So many times, each in a session of its own, and judged together.
    Alike(usize),
    /// So many times at once in one session.
    AtOnce(usize),
}

/// Which clients a case concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Concerns {
    /// All.
    All,
    /// Those that send a request with a body that is not idempotent.
    Posting,
    /// Those that use a connection again.
    Reusing,
}

/// Which exit codes of a client are right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// 0 exactly if an attempt got a whole 2xx.
    AsAnswered,
    /// 0 only if an attempt got a whole 2xx, but the client may refuse one too.
    MayRefuse,
    /// As answered; and a client that does not wait for the answer is impatient, which is worth a warning.
    AwaitsAnswer,
}

/// How long the case `hang` hangs unless the bound on the client is shorter. It is longer than any timeout that a
/// client should have.
pub const HANG: Duration = Duration::from_secs(31);

/// Stands for the length of a hang in the plan of a case.
const HANG_MS: &str = "HANG_MS";

impl Case {
    /// The case of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        CASES.iter().find(|case| case.name == name)
    }

    /// The plan as JSON, in which a hang lasts `hang`.
    #[must_use]
    pub fn plan(&self, hang: Duration) -> String {
        self.rules.replace(HANG_MS, &hang.as_millis().to_string())
    }

    /// The plan, in which a hang lasts `hang`, and its text.
    #[must_use]
    pub fn rules(&self, hang: Duration) -> (FaultRules, String) {
        let text = self.plan(hang);
        let rules = Problems::read(text.as_bytes(), read_plan).map(|(rules, _)| rules);
        // A test reads every plan of the table.
        (rules.unwrap_or_else(|_| FaultRules { seed: None, rules: Vec::new() }), text)
    }

    /// What a session of the case says of its calls: all requests are of one, unless several clients share it.
    #[must_use]
    pub fn grouping(&self) -> Grouping {
        match self.runs {
            Runs::Once | Runs::Alike(_) => Grouping::OneCall,
            Runs::AtOnce(_) => Grouping::ByRequest,
        }
    }

    /// Whether it takes as long as a hang.
    #[must_use]
    pub fn is_long(&self) -> bool {
        self.rules.contains(HANG_MS)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use resilience_actors::fault::{Purpose, uniform};

    use super::*;

    const NAMES: &str = "steady one-503 two-503 500 408 429-seconds 429-date 503-retry-after 404 400 outage reset \
        empty reset-in-body truncated truncated-chunked malformed-chunk garbage extra-bytes early-answer http10 hang \
        slow-head slow-body stale interim lost-ack rate-limit ten-alike flaky";

    #[test]
    fn the_table_has_every_case_once_and_in_the_order_of_the_documents() {
        let names: Vec<&str> = CASES.iter().map(|case| case.name).collect();
        assert_eq!(names, NAMES.split_whitespace().collect::<Vec<_>>());
        assert_eq!(names.iter().collect::<HashSet<_>>().len(), names.len());
        assert!(names.iter().all(|name| Case::named(name).is_some_and(|case| case.name == *name)));
        assert_eq!(Case::named("Steady"), None);
    }

    #[test]
    fn every_plan_can_be_read_and_every_case_says_why_and_by_what_source() {
        for case in &CASES {
            let text = case.plan(HANG);
            let rules = Problems::read(text.as_bytes(), read_plan).map(|(rules, _)| rules);
            let rules = rules.unwrap_or_else(|problems| panic!("{}: {problems:?}", case.name));
            assert_eq!(case.rules(HANG), (rules, text), "{}", case.name);
            for sentence in [case.why, case.source] {
                assert!(sentence.len() > 8 && !sentence.ends_with('.'), "{}: {sentence}", case.name);
            }
        }
    }

    #[test]
    fn the_hang_is_as_long_as_it_is_asked_to_be() {
        let text = Case::named("hang").map(|case| case.plan(Duration::from_millis(1500)));
        assert_eq!(text.as_deref(), Some(r#"{"rules":[{"script":[{"hang":{"ms":1500}}]}]}"#));
    }

    #[test]
    fn the_flaky_case_fails_twice_at_first_and_never_three_times_in_a_row() {
        let (rules, _) = Case::named("flaky").expect("the case exists").rules(HANG);
        let seed = rules.seed.expect("the case has a seed");
        let fails = |n| uniform(seed, 0, "", n, Purpose::Fault) < 0.3;
        let preview: Vec<bool> = (1..=150).map(fails).collect();
        assert_eq!(&preview[..3], [true, true, false]);
        assert!(preview.windows(3).all(|three| three != [true, true, true]), "{preview:?}");
        let failed = preview.iter().filter(|failed| **failed).count();
        assert!((30..=60).contains(&failed), "{failed} of 150");
    }
}
