//! A rule as the store reads it: what it needs to count, and nothing else. `plan_decide.lua` says what the words mean.

use super::rule::{Action, Per, Rule, Step, Then};

/// The line of a rule.
pub(super) fn line<F>(rule: &Rule<F>) -> String {
    let (kind, rest) = match &rule.action {
        Action::Script { steps, then, .. } => ("script", format!("{} {}", follows(*then), digits(steps))),
        Action::Fault { step, probability, .. } => {
            ("fault", format!("{probability} {}", digits(std::slice::from_ref(step))))
        }
        Action::RateLimit(limit) => ("rate", format!("{} {}", limit.per_second, limit.burst)),
    };
    let per = match rule.action.per() {
        Per::Session => "session",
        Per::Key => "key",
        Per::Connection => "connection",
    };
    let after = rule.window.map_or(0, |window| window.after.as_millis());
    let lasts = rule.window.and_then(|window| window.lasts).map(|lasts| lasts.as_millis().to_string());
    let times = rule.times.map(|times| times.to_string());
    let [lasts, times] = [lasts, times].map(|limit| limit.unwrap_or_else(|| "-".to_owned()));
    format!("{kind} {per} {after} {lasts} {times} {rest}")
}

fn follows(then: Then) -> &'static str {
    match then {
        Then::Pass => "pass",
        Then::Last => "last",
        Then::Repeat => "repeat",
    }
}

fn digits<F>(steps: &[Step<F>]) -> String {
    let digit = |step: &Step<F>| match step {
        Step { fault: Some(_), .. } => '2',
        Step { delay: Some(_), .. } => '1',
        Step { .. } => '0',
    };
    steps.iter().map(digit).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::fault::{Delay, Matcher, RateLimit, Window};

    #[test]
    fn a_line_has_what_the_store_counts_by() {
        let step = |delay: Option<f64>, fault| Step { delay: delay.map(Delay::Fixed), fault };
        let steps =
            vec![step(None, None), step(Some(1.0), None), step(Some(1.0), Some(7)), step(None, Some(7))];
        let rule =
            |action| Rule { name: None, matcher: Matcher::default(), action, window: None, times: None };
        let window = Window { after: Duration::from_secs(2), lasts: Some(Duration::from_secs(3)) };
        let bounded = |rule| Rule { window: Some(window), times: Some(4), ..rule };
        let table = [
            (
                rule(Action::Script { per: Per::Key, steps, then: Then::Repeat }),
                "script key 0 - - repeat 0122",
            ),
            (
                bounded(rule(Action::Fault {
                    per: Per::Session,
                    step: step(None, Some(7)),
                    probability: 0.3,
                })),
                "fault session 2000 3000 4 0.3 2",
            ),
            (rule(Action::RateLimit(RateLimit { per_second: 2.5, burst: 3 })), "rate session 0 - - 2.5 3"),
        ];
        for (rule, expected) in table {
            assert_eq!(line(&rule), expected);
        }
    }
}
