//! How bad plans and bad JSON are refused: with every place that is wrong, and without any effect.

use fastrand::Rng;
use reqwest::Method;
use serde_json::{Value, json};
use workspace_tests::{Session, TestServer, answer, seed};

/// The types and the places of the faults that a plan is refused for.
async fn faults(session: &Session, body: impl Into<reqwest::Body>) -> Vec<(String, Value)> {
    let refused = answer(session.request(Method::PUT, "/faults").body(body)).await;
    assert_eq!(refused.status, 422, "{refused:#?}");
    let entries = refused.body["detail"].as_array().expect("a list").clone();
    for entry in &entries {
        assert!(entry["msg"].is_string() && entry.get("input").is_some(), "{entry}");
    }
    entries
        .iter()
        .map(|entry| (entry["type"].as_str().expect("a type").into(), entry["loc"].clone()))
        .collect()
}

async fn first(session: &Session, rule: Value) -> (String, Value) {
    let found = faults(session, json!({ "rules": [rule] }).to_string()).await;
    assert_eq!(found.len(), 1, "{found:?}");
    found[0].clone()
}

#[tokio::test]
async fn each_kind_of_mistake_has_its_type_and_its_place() {
    let server = TestServer::start().await;
    let session = Session::open(&server, json!({})).await;
    let cases = [
        (json!({"fault": "503", "per": "host"}), "literal_error", json!(["per"])),
        (json!({"script": [503], "then": "stop"}), "literal_error", json!(["then"])),
        (json!({"fault": "503", "name": 7}), "string_type", json!(["name"])),
        (json!({"fault": "503", "times": "x"}), "int_parsing", json!(["times"])),
        (json!({"fault": "503", "times": []}), "int_type", json!(["times"])),
        (json!({"fault": "503", "times": 1.5}), "int_type", json!(["times"])),
        (json!({"fault": "503", "times": true}), "int_type", json!(["times"])),
        (json!({"fault": "503", "times": 0}), "greater_than_equal", json!(["times"])),
        (json!({"fault": "503", "match": []}), "dict_type", json!(["match"])),
        (json!({"fault": "503", "match": {"methods": "GET"}}), "list_type", json!(["match", "methods"])),
        (json!({"fault": "503", "match": {"methods": [1]}}), "string_type", json!(["match", "methods", 0])),
        (
            json!({"fault": "503", "match": {"headers": {"x": 1}}}),
            "string_type",
            json!(["match", "headers", "x"]),
        ),
        (json!({"fault": "503", "match": {"body": "x"}}), "extra_forbidden", json!(["match", "body"])),
        (json!({"fault": "503", "when": 1}), "extra_forbidden", json!(["when"])),
        (json!({"fault": "503", "probability": 1.5}), "less_than_equal", json!(["probability"])),
        (json!({"fault": "503", "probability": -0.1}), "greater_than_equal", json!(["probability"])),
        (json!({"fault": "nonsense"}), "value_error", json!(["fault"])),
        (json!({"fault": "199"}), "value_error", json!(["fault"])),
        (json!({"fault": 600}), "less_than_equal", json!(["fault"])),
        (json!({"script": ["503", "ok", "bad"]}), "value_error", json!(["script", 2])),
        (json!({"script": {"0": "503"}}), "list_type", json!(["script"])),
        (json!({"fault": {"status": 503, "hang": {}}}), "value_error", json!(["fault"])),
        (json!({"fault": {}}), "value_error", json!(["fault"])),
        (json!({"fault": {"status": 503, "nope": 1}}), "extra_forbidden", json!(["fault", "nope"])),
        (
            json!({"fault": {"status": 503, "headers": {"Transfer-Encoding": "chunked"}}}),
            "value_error",
            json!(["fault", "headers", "Transfer-Encoding"]),
        ),
        (
            json!({"fault": {"status": 503, "headers": {"Content-Length": "1"}}}),
            "value_error",
            json!(["fault", "headers", "Content-Length"]),
        ),
        (
            json!({"fault": {"status": 503, "headers": {"connection": "close"}}}),
            "value_error",
            json!(["fault", "headers", "connection"]),
        ),
        (
            json!({"fault": {"status": 503, "headers": {"X-A": "a\r\nb"}}}),
            "value_error",
            json!(["fault", "headers", "X-A"]),
        ),
        (json!({"fault": {"hang": {"ms": 300_001}}}), "less_than_equal", json!(["fault", "hang", "ms"])),
        (
            json!({"fault": {"interim": {"count": 101}}}),
            "less_than_equal",
            json!(["fault", "interim", "count"]),
        ),
        (
            json!({"fault": {"interim": {"status": 101}}}),
            "greater_than_equal",
            json!(["fault", "interim", "status"]),
        ),
        (json!({"fault": {"lose": "slow"}}), "literal_error", json!(["fault", "lose"])),
        (
            json!({"fault": {"truncate": {"framing": "x"}}}),
            "literal_error",
            json!(["fault", "truncate", "framing"]),
        ),
        (json!({"rate_limit": {}}), "missing", json!(["rate_limit", "per_second"])),
    ];
    for (rule, kind, place) in cases {
        let found = first(&session, rule.clone()).await;
        let mut loc = vec![json!("body"), json!("rules"), json!(0)];
        loc.extend(place.as_array().expect("a list").clone());
        assert_eq!(found, (kind.to_owned(), Value::Array(loc)), "{rule}");
    }
    for rule in [
        json!({}),
        json!({"fault": 503, "script": [503]}),
        json!({"per": "key", "rate_limit": {"per_second": 1}}),
        json!({"script": [503], "probability": 0.5}),
        json!({"fault": 503, "then": "last"}),
        json!({"fault": {"delay_ms": {"min": 5, "max": 1}}}),
        json!({"script": []}),
        json!({"rate_limit": {"per_second": 0}}),
        json!({"window": {"after_ms": -1}, "fault": 503}),
    ] {
        let found = first(&session, rule.clone()).await;
        let place = found.1.as_array().expect("a list");
        assert_eq!(place[..3], [json!("body"), json!("rules"), json!(0)], "{rule}: {found:?}");
    }
    assert_eq!(session.plan().await["plan"], Value::Null);
}

#[tokio::test]
async fn bodies_that_are_no_plan_are_refused() {
    let server = TestServer::start().await;
    let session = Session::open(&server, json!({})).await;
    let deep = "[".repeat(100_000);
    let rules_deep = format!("{{\"rules\":{deep}");
    for (body, kind, place) in [
        ("", "json_invalid", None),
        ("{", "json_invalid", None),
        ("{\"rules\":[]} x", "json_invalid", None),
        ("\u{feff}{", "json_invalid", None),
        (deep.as_str(), "json_invalid", None),
        (rules_deep.as_str(), "json_invalid", None),
        ("{\"rules\":[],\"seed\":1e400}", "json_invalid", None),
        ("[]", "dict_type", Some(json!(["body"]))),
        ("7", "dict_type", Some(json!(["body"]))),
        ("{}", "missing", Some(json!(["body", "rules"]))),
        ("{\"rules\":{}}", "list_type", Some(json!(["body", "rules"]))),
        ("{\"rules\":[7]}", "dict_type", Some(json!(["body", "rules", 0]))),
        ("{\"rules\":[],\"seed\":-1}", "greater_than_equal", Some(json!(["body", "seed"]))),
        ("{\"rules\":[],\"seed\":9007199254740992}", "less_than_equal", Some(json!(["body", "seed"]))),
        ("{\"rules\":[],\"seed\":99999999999999999999999}", "less_than_equal", Some(json!(["body", "seed"]))),
        ("{\"rules\":[],\"x\":1}", "extra_forbidden", Some(json!(["body", "x"]))),
    ] {
        let found = faults(&session, body.to_owned()).await;
        let text = &body[..body.len().min(40)];
        assert_eq!((found.len(), found[0].0.as_str()), (1, kind), "{text}: {found:?}");
        if let Some(place) = place {
            assert_eq!(found[0].1, place, "{text}");
        } else {
            assert_eq!(found[0].1[0], "body", "{text}");
        }
    }
    assert_eq!(faults(&session, b"{\"rules\":[\"\xff\"]}".to_vec()).await[0].0, "json_invalid");
}

#[tokio::test]
async fn every_mistake_is_told_and_at_most_50_of_them() {
    let server = TestServer::start().await;
    let session = Session::open(&server, json!({})).await;
    let three =
        json!({ "seed": "x", "rules": [{"fault": "503"}, {"fault": "bad"}, {"script": ["ok", "bad"]}] });
    let found = faults(&session, three.to_string()).await;
    let places: Vec<&Value> = found.iter().map(|fault| &fault.1).collect();
    assert_eq!(
        places,
        [
            &json!(["body", "seed"]),
            &json!(["body", "rules", 1, "fault"]),
            &json!(["body", "rules", 2, "script", 1]),
        ]
    );
    let many = json!({ "rules": [{ "script": vec!["bad"; 1000] }] });
    assert_eq!(faults(&session, many.to_string()).await.len(), 50);
    let extra: serde_json::Map<_, _> = (0..200).map(|n| (format!("x{n}"), json!(1))).collect();
    let created = answer(server.post("/sessions").json(&Value::Object(extra))).await;
    assert_eq!((created.status, created.body["detail"].as_array().map(Vec::len)), (422, Some(50)));
}

#[tokio::test]
async fn limits_of_rules_steps_and_bytes_hold() {
    let server = TestServer::start().await;
    let session = Session::open(&server, json!({})).await;
    let rules = |count: usize| json!({ "rules": vec![json!({"fault": 503, "times": 1}); count] });
    let steps = |count: usize| json!({ "rules": [{ "script": vec!["503"; count] }] });
    assert_eq!(session.put_plan(&rules(100)).await.status, 200);
    assert_eq!(session.put_plan(&steps(1000)).await.status, 200);
    let before = session.plan().await;
    assert_eq!(faults(&session, rules(101).to_string()).await[0].1, json!(["body", "rules"]));
    assert_eq!(faults(&session, steps(1001).to_string()).await[0].1, json!(["body", "rules", 0, "script"]));
    let large = |bytes: usize| {
        let body = "x".repeat(bytes);
        json!({ "rules": [{ "fault": {"status": 503, "body": body} }] })
    };
    assert_eq!(session.put_plan(&large(255 << 10)).await.status, 200);
    assert_eq!(session.put_plan(&before["plan"]).await.status, 200);
    assert_eq!(faults(&session, large(257 << 10).to_string()).await.len(), 1, "a plan has at most 256 KiB");
    let too_much = answer(session.request(Method::PUT, "/faults").body("x".repeat((512 << 10) + 1))).await;
    assert_eq!(too_much.status, 413, "{:?}", too_much.body);
    let spaces = " ".repeat(500 << 10);
    let put = answer(session.request(Method::PUT, "/faults").body(format!("{spaces}{{\"rules\":[]}}"))).await;
    assert_eq!(put.status, 200, "spaces do not count: {put:?}");
    let created = answer(server.post("/sessions").json(&json!({ "faults": large(257 << 10) }))).await;
    assert_eq!((created.status, &created.body["detail"][0]["loc"]), (422, &json!(["body", "faults"])));
    let sessions = answer(server.post("/sessions").body("x".repeat((512 << 10) + 1))).await;
    assert_eq!(sessions.status, 413);
}

#[tokio::test]
async fn a_body_is_read_whatever_its_content_type() {
    let server = TestServer::start().await;
    for kind in
        ["application/x-www-form-urlencoded", "text/plain", "nonsense", "application/json; charset=latin-1"]
    {
        let request = server.post("/sessions").header("Content-Type", kind).body("{\"seed\":3}");
        let created = answer(request).await;
        assert_eq!((created.status, &created.body["seed"]), (201, &json!(3)), "{kind}");
    }
}

#[tokio::test]
async fn settings_of_a_session_are_checked_like_plans() {
    let server = TestServer::start().await;
    for (settings, kind, place) in [
        (json!({"ttl_seconds": 0}), "greater_than_equal", json!(["body", "ttl_seconds"])),
        (json!({"ttl_seconds": 86401}), "less_than_equal", json!(["body", "ttl_seconds"])),
        (json!({"ttl_seconds": "x"}), "int_parsing", json!(["body", "ttl_seconds"])),
        (json!({"seed": 9_007_199_254_740_992_u64}), "less_than_equal", json!(["body", "seed"])),
        (json!({"seed": -1}), "greater_than_equal", json!(["body", "seed"])),
        (json!({"max_concurrency": 0}), "greater_than_equal", json!(["body", "max_concurrency"])),
        (json!({"max_concurrency": 100_001}), "less_than_equal", json!(["body", "max_concurrency"])),
        (json!({"request_timeout": 301}), "less_than_equal", json!(["body", "request_timeout"])),
        (json!({"cache_max_size": 1_000_001}), "less_than_equal", json!(["body", "cache_max_size"])),
        (json!({"cache_ttl_seconds": 86401}), "less_than_equal", json!(["body", "cache_ttl_seconds"])),
        (
            json!({"faults": {"rules": [{"fault": "bad"}]}}),
            "value_error",
            json!(["body", "faults", "rules", 0, "fault"]),
        ),
        (json!({"case": "x"}), "literal_error", json!(["body", "case"])),
        (json!({"nope": 1}), "extra_forbidden", json!(["body", "nope"])),
        (json!([]), "dict_type", json!(["body"])),
    ] {
        let refused = answer(server.post("/sessions").json(&settings)).await;
        assert_eq!(refused.status, 422, "{settings}");
        let entries = refused.body["detail"].as_array().expect("a list");
        assert_eq!(entries.len(), 1, "{settings} {entries:?}");
        assert_eq!((&entries[0]["type"], &entries[0]["loc"]), (&json!(kind), &place), "{settings}");
    }
    let list = answer(server.get("/sessions")).await;
    assert_eq!(list.body["sessions"].as_array().map(Vec::len), Some(1), "nothing was created");
}

/// Changes one byte, or takes out or doubles a run of bytes.
fn mutate(rng: &mut Rng, text: &mut Vec<u8>) {
    let at = rng.usize(..text.len());
    let end = (at + rng.usize(1..12)).min(text.len());
    match rng.u8(..5) {
        0 => text[at] = rng.u8(..),
        1 => text[at] = *rng.choice(b"{}[]\",:019-e.\\ tfn").expect("not empty"),
        2 => drop(text.drain(at..end)),
        3 => {
            let run = text[at..end].to_vec();
            text.splice(at..at, run);
        }
        _ => {
            let values: [&[u8]; 8] =
                [b"null", b"-1", b"1e308", b"\"\"", b"{}", b"[]", b"18446744073709551616", b"true"];
            text.splice(at..at, values[rng.usize(..values.len())].iter().copied());
        }
    }
}

#[tokio::test]
async fn a_mutated_plan_is_taken_or_refused_with_its_places_and_changes_nothing_when_refused() {
    let mut rng = seed::rng();
    let mut server = TestServer::start().await;
    let session = Session::open(&server, json!({})).await;
    let plan = json!({"seed": 42, "rules": [
      {"name": "n", "match": {"methods": ["POST"], "path": "/echo/*", "headers": {"x": "a"}, "query": {"q": "1"}},
       "per": "key", "script": ["503", {"status": 429, "headers": {"Retry-After": ["2"]}}, "reset:4", "ok"], "then": "last"},
      {"match": {"key": "k?"}, "probability": 0.1, "fault": {"delay_ms": {"min": 50, "max": 400}}, "times": 3},
      {"window": {"after_ms": 5000, "for_ms": 10000}, "fault": {"hang": {"ms": 1}, "delay_ms": {"median": 3, "sigma": 0.5}}},
      {"rate_limit": {"per_second": 10.5, "burst": 5}}, {"fault": {"truncate": {"after_bytes": 1, "framing": "chunked"}}}
    ]})
    .to_string()
    .into_bytes();
    let (mut taken, mut refused) = (0, 0);
    let mut stands = session.plan().await["plan"].clone();
    for _ in 0..600 {
        let mut text = plan.clone();
        for _ in 0..rng.usize(1..4) {
            mutate(&mut rng, &mut text);
        }
        let put = answer(session.request(Method::PUT, "/faults").body(text.clone())).await;
        let shown = String::from_utf8_lossy(&text);
        match put.status {
            200 => {
                taken += 1;
                stands = serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{error}: {shown}"));
                assert_eq!(put.body["plan"], stands, "{shown}");
            }
            422 => {
                refused += 1;
                let entries = put.body["detail"].as_array().expect("a list");
                assert!((1..=50).contains(&entries.len()));
                assert!(entries.iter().all(|entry| entry["loc"][0] == "body"), "{shown}: {entries:?}");
            }
            status => panic!("{status} for {shown}"),
        }
        if rng.u8(..20) == 0 {
            assert_eq!(session.plan().await["plan"], stands, "after {shown}");
        }
    }
    assert!(taken > 0 && refused > 0, "{taken} taken, {refused} refused");
    assert!(server.is_running());
}
