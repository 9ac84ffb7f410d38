//! Plans as they are written, valid and not.

use std::time::Duration;

use resilience_actors::fault::{Delay, Glob, RateLimit, Window};
use serde_json::json;

use super::*;
use crate::fault::{Body, Framing, Loss, Pace, RetryAfter, StatusFault};

fn plan(value: &Value) -> Result<FaultRules, Vec<Value>> {
    Problems::read(value.to_string().as_bytes(), super::read_rules).map_err(|problems| {
        problems.into_iter().map(|problem| serde_json::to_value(problem).unwrap()).collect()
    })
}

/// The step of a plan with this one fault.
fn step(fault: &Value) -> Step<Fault> {
    let rules =
        plan(&json!({ "rules": [{ "fault": fault }] })).unwrap_or_else(|why| panic!("{fault}: {why:?}"));
    match rules.rules.into_iter().next().unwrap().action {
        Action::Fault { step, .. } => step,
        other => panic!("{other:?}"),
    }
}

/// The type and place of each problem.
fn places(problems: &[Value]) -> Vec<(&str, String)> {
    problems.iter().map(|problem| (problem["type"].as_str().unwrap(), problem["loc"].to_string())).collect()
}

#[test]
fn the_example_of_the_documents_is_read() {
    let example = json!({"seed": 42, "rules": [
        {"name": "flaky checkout",
         "match": {"methods": ["POST"], "path": "/echo/orders/*", "headers": {"X-Tenant": "a"}},
         "per": "key",
         "script": ["503", {"status": 429, "headers": {"Retry-After": "2"}}, "reset", "ok"], "then": "pass"},
        {"match": {"path": "/msg"}, "probability": 0.1, "fault": {"delay_ms": {"min": 50, "max": 400}}},
        {"window": {"after_ms": 5000, "for_ms": 10000}, "fault": "hang"},
        {"rate_limit": {"per_second": 10, "burst": 5}}
    ]});
    let FaultRules { seed, rules } = plan(&example).unwrap();
    assert_eq!(seed, Some(42));
    let [checkout, slow, hang, limit] = <[Rule<Fault>; 4]>::try_from(rules).unwrap();
    assert_eq!(checkout.name.as_deref(), Some("flaky checkout"));
    assert_eq!(checkout.matcher.headers, [("x-tenant".to_owned(), Glob::new("a"))]);
    let Action::Script { per: Per::Key, steps, then: Then::Pass } = checkout.action else { panic!() };
    assert_eq!(steps[2], Step { delay: None, fault: Some(Fault::RESET) });
    assert!(!steps[3].injects());
    let delay = Some(Delay::Uniform { min: 50.0, max: 400.0 });
    let expected = Action::Fault { per: Per::Session, step: Step { delay, fault: None }, probability: 0.1 };
    assert_eq!(slow.action, expected);
    let seconds = Duration::from_secs;
    assert_eq!(hang.window, Some(Window { after: seconds(5), lasts: Some(seconds(10)) }));
    assert_eq!(limit.action, Action::RateLimit(RateLimit { per_second: 10.0, burst: 5 }));
}

#[test]
fn every_kind_is_read_with_and_without_its_parameters() {
    let fault = |fault| Step { delay: None, fault: Some(fault) };
    let table = [
        (json!({"ok": {}}), Step { delay: None, fault: None }),
        (json!({"delay_ms": 1.5}), Step { delay: Some(Delay::Fixed(1.5)), fault: None }),
        (
            json!({"delay_ms": {"median": 100, "sigma": 0.5}, "close": {}}),
            Step { delay: Some(Delay::LogNormal { median: 100.0, sigma: 0.5 }), fault: Some(Fault::Close) },
        ),
        (json!(503), fault(Fault::status(503))),
        (json!({"status": 503}), fault(Fault::status(503))),
        (json!({"hang": {}}), fault(Fault::HANG)),
        (json!({"hang": {"ms": 500}}), fault(Fault::Hang { lasts: Some(Duration::from_millis(500)) })),
        (json!({"reset": {"after_bytes": 40}}), fault(Fault::Reset { after_bytes: Some(40) })),
        (json!({"truncate": {}}), fault(Fault::TRUNCATE)),
        (
            json!({"truncate": {"after_bytes": 5, "framing": "chunked"}}),
            fault(Fault::Truncate { after_bytes: Some(5), framing: Framing::Chunked }),
        ),
        (json!({"malformed_chunk": {}}), fault(Fault::MalformedChunk)),
        (json!({"garbage": {}}), fault(Fault::Garbage)),
        (json!({"extra": {"bytes": "x"}}), fault(Fault::Extra { bytes: Some("x".to_owned()) })),
        (json!({"early": {}}), fault(Fault::EARLY)),
        (json!({"http10": {}}), fault(Fault::Http10)),
        (json!({"drip": {"bytes_per_second": 7}}), fault(Fault::Drip(Pace::BytesPerSecond(7)))),
        (json!({"drip": {"ms": 2000}}), fault(Fault::Drip(Pace::Lasts(Duration::from_secs(2))))),
        (json!({"interim": {"status": 102, "count": 3}}), fault(Fault::Interim { status: 102, count: 3 })),
        (json!({"stale": {}}), fault(Fault::STALE)),
        (json!({"stale": {"status": 503}}), fault(Fault::Stale { status: Some(503) })),
        (json!({"lose": "truncate"}), fault(Fault::Lose(Loss::Truncate))),
    ];
    for (written, expected) in table {
        assert_eq!(step(&written), expected, "{written}");
    }
}

#[test]
fn an_injected_answer_has_headers_body_and_retry_after() {
    let answer = |written: Value| match step(&written).fault.unwrap() {
        Fault::Status(answer) => answer,
        other => panic!("{other:?}"),
    };
    let StatusFault { status, headers, body, retry_after } = answer(json!({
        "status": 429, "headers": {"X-Many": ["a", "b"], "X-One": "c"}, "body": {"why": 1},
        "retry_after": {"seconds": 2}
    }));
    let headers: Vec<_> =
        headers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
    assert_eq!(headers, [("x-many", "a"), ("x-many", "b"), ("x-one", "c")]);
    assert_eq!((status, body), (429, Body::Json(r#"{"why":1}"#.into())));
    assert_eq!(retry_after, Some(RetryAfter::Seconds(2)));
    let text = answer(json!({"status": 200, "body": "fine", "retry_after": {"date_in_ms": 2000}}));
    assert_eq!(text.body, Body::Text("fine".into()));
    assert_eq!(text.retry_after, Some(RetryAfter::DateIn(Duration::from_secs(2))));
    assert_eq!(answer(json!({"status": 200, "body": null})).body, Body::Json("null".into()));
    assert_eq!(answer(json!({"status": 200})).body, Body::Default);
}

#[test]
fn every_place_that_is_wrong_is_named() {
    let wrong = json!({"seed": -1, "extra": 1, "rules": [
        {"script": ["503", "reset", "explode", 99, {"close": {}, "hang": {}}, {"reset": {"after": 1}}, {}, null]},
        {"match": {"methods": [], "path": 7, "colour": "red"}, "fault": "ok", "probability": 2},
        {"script": ["ok"], "fault": "ok", "then": "again"},
        {"rate_limit": {"burst": 0}, "per": "key"},
        {"fault": {"status": 503, "headers": {"Content-Length": "1", "a b": "x", "X-Bad": ["\n"]}}},
        {"fault": {"delay_ms": {"min": 2, "max": 1}}, "then": "pass"},
        {"script": []},
        7
    ]});
    let problems = plan(&wrong).unwrap_err();
    let expected = [
        ("greater_than_equal", r#"["body","seed"]"#),
        ("value_error", r#"["body","rules",0,"script",2]"#),
        ("greater_than_equal", r#"["body","rules",0,"script",3]"#),
        ("value_error", r#"["body","rules",0,"script",4]"#),
        ("extra_forbidden", r#"["body","rules",0,"script",5,"reset","after"]"#),
        ("value_error", r#"["body","rules",0,"script",6]"#),
        ("value_error", r#"["body","rules",0,"script",7]"#),
        ("value_error", r#"["body","rules",1,"match","methods"]"#),
        ("string_type", r#"["body","rules",1,"match","path"]"#),
        ("extra_forbidden", r#"["body","rules",1,"match","colour"]"#),
        ("less_than_equal", r#"["body","rules",1,"probability"]"#),
        ("value_error", r#"["body","rules",2]"#),
        ("missing", r#"["body","rules",3,"rate_limit","per_second"]"#),
        ("greater_than_equal", r#"["body","rules",3,"rate_limit","burst"]"#),
        ("extra_forbidden", r#"["body","rules",3,"per"]"#),
        ("value_error", r#"["body","rules",4,"fault","headers","Content-Length"]"#),
        ("value_error", r#"["body","rules",4,"fault","headers","X-Bad",0]"#),
        ("value_error", r#"["body","rules",4,"fault","headers","a b"]"#),
        ("value_error", r#"["body","rules",5,"fault","delay_ms"]"#),
        ("extra_forbidden", r#"["body","rules",5,"then"]"#),
        ("value_error", r#"["body","rules",6,"script"]"#),
        ("dict_type", r#"["body","rules",7]"#),
        ("extra_forbidden", r#"["body","extra"]"#),
    ];
    let expected: Vec<_> = expected.iter().map(|(kind, loc)| (*kind, (*loc).to_owned())).collect();
    assert_eq!(places(&problems), expected);
}

#[test]
fn limits_hold() {
    let rule = json!({"fault": "ok"});
    let too_many_rules = json!({ "rules": vec![rule; 101] });
    assert_eq!(
        places(&plan(&too_many_rules).unwrap_err()),
        [("value_error", r#"["body","rules"]"#.to_owned())]
    );
    let too_many_steps = json!({"rules": [{"script": vec!["ok"; 1_001]}]});
    let place = r#"["body","rules",0,"script"]"#.to_owned();
    assert_eq!(places(&plan(&too_many_steps).unwrap_err()), [("value_error", place)]);
    assert!(plan(&json!({"rules": [{"script": vec!["ok"; 1_000]}]})).is_ok());
    assert!(plan(&json!({"rules": []})).is_ok());
    assert_eq!(places(&plan(&json!({})).unwrap_err()), [("missing", r#"["body","rules"]"#.to_owned())]);
}

#[test]
fn the_default_burst_is_what_a_second_brings() {
    for (rate, expected) in [(0.5, 1), (1.0, 1), (2.5, 3), (10.0, 10)] {
        let rules = plan(&json!({"rules": [{"rate_limit": {"per_second": rate}}]})).unwrap().rules;
        let Action::RateLimit(limit) = rules[0].action else { panic!() };
        assert_eq!(limit.burst, expected, "{rate}");
    }
}

#[test]
fn a_one_line_script_is_read_step_by_step() {
    let rules = read_script("503, 429,reset,ok").unwrap().rules;
    let Action::Script { per: Per::Session, steps, then: Then::Pass } = &rules[0].action else { panic!() };
    assert_eq!(steps.len(), 4);
    let problems = read_script("503,,bang").unwrap_err();
    let problems: Vec<Value> =
        problems.into_iter().map(|problem| serde_json::to_value(problem).unwrap()).collect();
    let place = |i| format!(r#"["path","script",{i}]"#);
    assert_eq!(places(&problems), [("value_error", place(1)), ("value_error", place(2))]);
    assert_eq!(problems[1]["input"], "bang");
}
