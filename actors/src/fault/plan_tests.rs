//! The plan, as stories of requests.

use proptest::prelude::*;

use std::time::Duration;

use super::*;
use crate::fault::{Delay, MAX_DELAY, Matcher, RateLimit, Source, Step, Then, Window};

const SECOND: Duration = Duration::from_secs(1);

/// A step that injects this number.
fn fault(number: u32) -> Step<u32> {
    Step { delay: None, fault: Some(number) }
}

fn pause(millis: f64) -> Step<u32> {
    Step { delay: Some(Delay::Fixed(millis)), fault: None }
}

const OK: Step<u32> = Step { delay: None, fault: None };

fn rule(action: Action<u32>) -> Rule<u32> {
    Rule { name: None, matcher: Matcher::default(), action, window: None, times: None }
}

fn script(per: Per, steps: &[Step<u32>], then: Then) -> Rule<u32> {
    rule(Action::Script { per, steps: steps.to_vec(), then })
}

fn chance(per: Per, step: Step<u32>, probability: f64) -> Rule<u32> {
    rule(Action::Fault { per, step, probability })
}

/// A plan whose rules all match, and the moment at which it began.
fn plan(rules: Vec<Rule<u32>>) -> (FaultPlan<u32>, Instant) {
    let began = Instant::now();
    (
        FaultPlan::new(
            Arc::new(Rules { seed: 42, source: Box::default(), rules }),
            KeyBudget::new(1_000_000),
            began,
        ),
        began,
    )
}

fn keyed(key: &str) -> Caller<'_> {
    Caller { key: Some(key), connection: 0 }
}

fn on_connection(connection: u64) -> Caller<'static> {
    Caller { key: None, connection }
}

/// The next decision, counted.
fn next(plan: &mut FaultPlan<u32>, caller: Caller<'_>, now: Instant) -> Decision {
    let candidates: Vec<usize> = (0..plan.rules.rules.len()).collect();
    let decided = plan.decide(&candidates, caller, now);
    plan.commit(&decided);
    decided.decision
}

/// What the next requests are injected; 0 stands for nothing.
fn faults(plan: &mut FaultPlan<u32>, caller: Caller<'_>, now: Instant, requests: usize) -> Vec<u32> {
    let rules = Arc::clone(&plan.rules);
    (0..requests).map(|_| rules.fault(&next(plan, caller, now)).copied().unwrap_or(0)).collect()
}

fn counts(plan: &FaultPlan<u32>) -> Vec<(u64, u64)> {
    plan.status().rules.iter().map(|rule| (rule.matched, rule.injected)).collect()
}

#[test]
fn the_nth_request_gets_the_nth_step() {
    let (mut plan, now) = plan(vec![script(Per::Session, &[fault(1), OK, fault(3)], Then::Pass)]);
    assert_eq!(faults(&mut plan, Caller::default(), now, 5), [1, 0, 3, 0, 0]);
    assert_eq!(counts(&plan), [(5, 2)]);
}

#[test]
fn each_key_and_each_connection_has_a_script_of_its_own() {
    let steps = [fault(1), fault(2)];
    let (mut by_key, now) = plan(vec![script(Per::Key, &steps, Then::Repeat)]);
    assert_eq!(faults(&mut by_key, keyed("a"), now, 3), [1, 2, 1]);
    assert_eq!(faults(&mut by_key, keyed("b"), now, 1), [1]);
    assert_eq!(faults(&mut by_key, keyed("a"), now, 1), [2]);
    assert_eq!(faults(&mut by_key, Caller::default(), now, 1), [0], "a request without a key does not match");
    assert_eq!(counts(&by_key), [(5, 5)]);

    let (mut by_connection, now) = plan(vec![script(Per::Connection, &steps, Then::Last)]);
    assert_eq!(faults(&mut by_connection, on_connection(7), now, 3), [1, 2, 2]);
    assert_eq!(faults(&mut by_connection, on_connection(8), now, 1), [1]);
}

#[test]
fn the_first_rule_that_injects_hides_the_request_from_the_others() {
    let (mut plan, now) = plan(vec![
        script(Per::Session, &[OK, fault(1)], Then::Pass),
        script(Per::Session, &[fault(2), fault(3)], Then::Pass),
    ]);
    assert_eq!(faults(&mut plan, Caller::default(), now, 4), [2, 1, 3, 0]);
    assert_eq!(counts(&plan), [(4, 1), (3, 2)]);
}

#[test]
fn delays_add_up_until_a_rule_injects_and_are_cut() {
    let slow = Step { delay: Some(Delay::Fixed(300.0)), fault: Some(9) };
    let (mut plan, now) = plan(vec![
        script(Per::Session, &[pause(100.0), OK, pause(29_900.0), pause(29_900.0)], Then::Pass),
        script(Per::Session, &[pause(200.0), slow.clone(), slow, pause(200.0)], Then::Pass),
        chance(Per::Session, fault(5), 0.0),
    ]);
    let millis = Duration::from_millis;
    let source = |rule, step| Some(Source { rule, step: Some(step) });
    let expected = [
        (millis(300), source(0, 0), Effect::Pass),
        (millis(300), source(1, 1), Effect::Inject),
        (MAX_DELAY, source(1, 2), Effect::Inject),
        (MAX_DELAY, source(0, 3), Effect::Pass),
        (Duration::ZERO, None, Effect::Pass),
    ];
    for (n, (delay, source, effect)) in expected.into_iter().enumerate() {
        let decision = next(&mut plan, Caller::default(), now);
        assert_eq!(decision, Decision { delay, source, effect }, "request {n}");
    }
    assert_eq!(counts(&plan), [(5, 3), (5, 4), (3, 0)]);
}

#[test]
fn a_rule_injects_a_given_number_of_times_within_its_window() {
    let bounded = |window, times| Rule { window, times, ..chance(Per::Session, fault(1), 1.0) };
    let window = Window { after: 5 * SECOND, lasts: Some(10 * SECOND) };
    let (mut windowed, began) = plan(vec![bounded(Some(window), None)]);
    for (age, expected) in [(0, 0), (5, 1), (14, 1), (15, 0)] {
        assert_eq!(faults(&mut windowed, Caller::default(), began + age * SECOND, 1), [expected], "{age} s");
    }
    assert_eq!(counts(&windowed), [(2, 2)], "requests outside the window are not matched");

    let (mut limited, now) = plan(vec![bounded(None, Some(2))]);
    assert_eq!(faults(&mut limited, Caller::default(), now, 4), [1, 1, 0, 0]);
    assert_eq!(counts(&limited), [(2, 2)]);
}

#[test]
fn what_exceeds_a_rate_is_refused_and_told_when_to_come_back() {
    let (mut plan, now) = plan(vec![rule(Action::RateLimit(RateLimit { per_second: 0.5, burst: 1 }))]);
    assert_eq!(next(&mut plan, Caller::default(), now), Decision::PASS);
    let refused = next(&mut plan, Caller::default(), now);
    assert_eq!(refused.effect, Effect::Refuse { retry_after: 2 * SECOND });
    assert_eq!(refused.source, Some(Source { rule: 0, step: None }));
    assert_eq!(next(&mut plan, Caller::default(), now + 2 * SECOND), Decision::PASS);
    assert_eq!(counts(&plan), [(3, 1)]);
}

#[test]
fn a_probability_is_drawn_for_each_match_from_seed_rule_and_number() {
    let (mut plan, now) =
        plan(vec![script(Per::Session, &[OK], Then::Repeat), chance(Per::Session, fault(1), 0.3)]);
    let expected: Vec<u32> =
        (1..=200).map(|n| u32::from(uniform(42, 1, "", n, Purpose::Fault) < 0.3)).collect();
    assert_eq!(faults(&mut plan, Caller::default(), now, 200), expected);
    assert!((40..80).contains(&expected.iter().sum::<u32>()));
}

#[test]
fn a_key_draws_its_own_numbers() {
    let (mut plan, now) = plan(vec![chance(Per::Key, fault(1), 0.5)]);
    for key in ["a", "b"] {
        let expected: Vec<u32> =
            (1..=50).map(|n| u32::from(uniform(42, 0, key, n, Purpose::Fault) < 0.5)).collect();
        assert_eq!(faults(&mut plan, keyed(key), now, 50), expected);
    }
}

#[test]
fn a_decision_that_is_not_committed_changes_nothing() {
    let (mut plan, now) = plan(vec![
        script(Per::Key, &[fault(1), fault(2)], Then::Pass),
        rule(Action::RateLimit(RateLimit { per_second: 1.0, burst: 1 })),
    ]);
    for _ in 0..3 {
        let decided = plan.decide(&[0, 1], keyed("a"), now);
        assert_eq!(decided.decision.source, Some(Source { rule: 0, step: Some(0) }));
    }
    assert_eq!(counts(&plan), [(0, 0), (0, 0)]);
    assert_eq!(faults(&mut plan, keyed("a"), now, 3), [1, 2, 0]);
}

/// Any rule, out of few and small numbers, so that rules meet.
fn any_rule() -> impl Strategy<Value = Rule<u32>> {
    let per = prop_oneof![Just(Per::Session), Just(Per::Key), Just(Per::Connection)];
    let step = prop_oneof![
        Just(OK),
        (1..9_u32).prop_map(fault),
        (0..100_u32).prop_map(|millis| pause(millis.into())),
        Just(Step { delay: Some(Delay::Uniform { min: 0.0, max: 50.0 }), fault: None }),
    ];
    let then = prop_oneof![Just(Then::Pass), Just(Then::Last), Just(Then::Repeat)];
    let action = prop_oneof![
        (per.clone(), prop::collection::vec(step.clone(), 1..4), then)
            .prop_map(|(per, steps, then)| Action::Script { per, steps, then }),
        (per, step, 0.0..1.0).prop_map(|(per, step, probability)| Action::Fault { per, step, probability }),
        (1..4_u32, 1..3_u32)
            .prop_map(|(rate, burst)| { Action::RateLimit(RateLimit { per_second: rate.into(), burst }) }),
    ];
    let window = prop::option::of((0..3_u64, prop::option::of(0..3_u64)).prop_map(|(after, lasts)| Window {
        after: Duration::from_secs(after),
        lasts: lasts.map(Duration::from_secs),
    }));
    (action, window, prop::option::of(0..4_u64)).prop_map(|(action, window, times)| Rule {
        window,
        times,
        ..rule(action)
    })
}

proptest! {
    #[test]
    fn the_preview_says_what_comes_and_changes_nothing(
        rules in prop::collection::vec(any_rule(), 0..4),
        before in prop::collection::vec((0..3_usize, 0..3_u64, 0..2_u64), 0..12),
        (key, connection) in (0..3_usize, 0..3_u64),
    ) {
        let keys = [None, Some("a"), Some("b")];
        let (mut plan, mut now) = plan(rules);
        for (key, connection, seconds) in before {
            now += Duration::from_secs(seconds);
            next(&mut plan, Caller { key: keys[key], connection }, now);
        }
        let caller = Caller { key: keys[key], connection };
        let candidates: Vec<usize> = (0..plan.rules.rules.len()).collect();
        let status = plan.status();
        let preview = plan.preview(&candidates, caller, now, 10);
        prop_assert_eq!(plan.status(), status);
        let real: Vec<Decision> = (0..10).map(|_| next(&mut plan, caller, now)).collect();
        prop_assert_eq!(preview, real);
    }

    #[test]
    fn what_was_injected_is_what_was_counted(
        rules in prop::collection::vec(any_rule(), 1..4),
        requests in prop::collection::vec((0..3_usize, 0..3_u64), 0..40),
    ) {
        let keys = [None, Some("a"), Some("b")];
        let (mut plan, now) = plan(rules);
        let mut spoken = vec![0_u64; plan.rules.rules.len()];
        for (key, connection) in requests {
            let decision = next(&mut plan, Caller { key: keys[key], connection }, now);
            let acts = decision.effect != Effect::Pass || !decision.delay.is_zero();
            prop_assert!(!acts || decision.source.is_some(), "what acts has a source");
            if let Some(source) = decision.source {
                spoken[source.rule] += 1;
            }
        }
        for (status, spoken) in plan.status().rules.iter().zip(spoken) {
            prop_assert!(status.injected >= spoken && status.injected <= status.matched);
        }
    }
}
