//! What fault plans do to the requests of a session.

use reqwest::Method;
use serde_json::{Value, json};
use workspace_tests::{Answer, Session, TestServer, answer};

async fn keyed(session: &Session, path: &str, key: &str) -> Answer {
    answer(session.get(path).header("Idempotency-Key", key)).await
}

async fn preview(session: &Session, body: Value) -> Vec<Value> {
    let previewed = answer(session.post("/faults/preview").json(&body)).await;
    assert_eq!(previewed.status, 200, "{previewed:#?}");
    previewed.body["requests"].as_array().expect("a list").clone()
}

fn counts(plan: &Value) -> Vec<(u64, u64)> {
    let rules = plan["rules"].as_array().expect("a list");
    let count = |rule: &Value, name: &str| rule[name].as_u64().expect("a count");
    rules.iter().map(|rule| (count(rule, "matched"), count(rule, "injected"))).collect()
}

#[tokio::test]
async fn the_plan_of_the_document_is_taken_and_told_as_it_was_put() {
    let server = TestServer::start().await;
    let plan = json!({"seed": 42, "rules": [
      {"name": "flaky checkout", "match": {"methods": ["POST"], "path": "/echo/orders/*", "headers": {"x-tenant": "a"}},
       "per": "key", "script": ["503", {"status": 429, "headers": {"Retry-After": "2"}}, "reset", "ok"], "then": "pass"},
      {"match": {"path": "/msg"}, "probability": 0.1, "fault": {"delay_ms": {"min": 50, "max": 400}}},
      {"window": {"after_ms": 500_000, "for_ms": 10000}, "fault": "hang"},
      {"rate_limit": {"per_second": 10, "burst": 500}}
    ]});
    let session = Session::open(&server, json!({})).await;
    let put = session.put_plan(&plan).await;
    assert_eq!(put.status, 200, "{put:#?}");
    assert_eq!(put.body, session.plan().await);
    assert_eq!(put.body["plan"], plan);
    assert_eq!(put.body["rules"][0], json!({"name": "flaky checkout", "matched": 0, "injected": 0}));
    assert_eq!(put.body["rules"][1]["name"], Value::Null);
    assert_eq!(put.body["forgotten_keys"], 0);
    let order = |key: &'static str, tenant: &'static str| {
        let request = session.post("/echo/orders/1").header("Idempotency-Key", key);
        answer(request.header("X-Tenant", tenant).body("o"))
    };
    assert_eq!(order("k", "a").await.status, 503);
    let limited = order("k", "a").await;
    assert_eq!((limited.status, limited.header("Retry-After")), (429, Some("2")));
    assert_eq!(order("other", "a").await.status, 503, "another key has steps of its own");
    assert_eq!(order("third", "b").await.status, 200, "another tenant is not meant");
    assert_eq!(counts(&session.plan().await)[0], (3, 3));
}

#[tokio::test]
async fn what_comes_after_a_script_is_nothing_or_its_last_step_or_its_beginning() {
    let server = TestServer::start().await;
    for (then, expected) in [
        (None, [503, 429, 200, 200, 200]),
        (Some("pass"), [503, 429, 200, 200, 200]),
        (Some("last"), [503, 429, 429, 429, 429]),
        (Some("repeat"), [503, 429, 503, 429, 503]),
    ] {
        let mut rule = json!({ "script": ["503", 429] });
        if let Some(then) = then {
            rule["then"] = json!(then);
        }
        let session = Session::with_plan(&server, json!({ "rules": [rule] })).await;
        assert_eq!(session.statuses("/msg", 5).await, expected, "{then:?}");
        let injected = expected.iter().filter(|status| **status != 200).count() as u64;
        assert_eq!(counts(&session.plan().await), [(5, injected)], "{then:?}");
    }
}

#[tokio::test]
async fn putting_the_same_plan_begins_it_anew_and_deleting_it_ends_it() {
    let server = TestServer::start().await;
    let plan = json!({ "rules": [{ "script": ["503"] }] });
    let session = Session::with_plan(&server, plan.clone()).await;
    assert_eq!(session.statuses("/msg", 2).await, [503, 200]);
    assert_eq!(session.put_plan(&plan).await.status, 200);
    assert_eq!(session.statuses("/msg", 2).await, [503, 200]);
    session.put_plan(&json!({ "rules": [{ "fault": "503" }] })).await;
    let deleted = answer(session.request(Method::DELETE, "/faults")).await;
    assert_eq!((deleted.status, deleted.text.as_str()), (204, ""));
    assert_eq!(session.statuses("/msg", 1).await, [200]);
    assert_eq!(session.plan().await["plan"], Value::Null);
    session.put_plan(&json!({ "rules": [{ "fault": "503" }] })).await;
    assert_eq!(answer(session.post("/fail/reset")).await.status, 200);
    assert_eq!(session.statuses("/msg", 1).await, [200], "/fail/reset ends the plan too");
    assert_eq!(session.plan().await["plan"], Value::Null);
}

#[tokio::test]
async fn a_rule_matches_by_method_path_headers_query_and_key() {
    let server = TestServer::start().await;
    let session = Session::open(&server, json!({})).await;
    let get = |path: &'static str| session.get(path);
    let cases: Vec<(Value, reqwest::RequestBuilder, bool)> = vec![
        (json!({}), get("/msg"), true),
        (json!({"methods": ["GET", "PUT"]}), get("/echo"), true),
        (json!({"methods": ["POST"]}), get("/echo"), false),
        (json!({"path": "/echo/*"}), get("/echo/a/b/c"), true),
        (json!({"path": "/echo/*"}), get("/echo"), false),
        (json!({"path": "/echo/?"}), get("/echo/a"), true),
        (json!({"path": "/echo/?"}), get("/echo/ab"), false),
        (json!({"path": "/ECHO"}), get("/echo"), false),
        (json!({"path": "/ech"}), get("/echo"), false),
        (json!({"path": "/echo/\\*"}), get("/echo/*"), true),
        (json!({"path": "/echo/\\*"}), get("/echo/a"), false),
        (json!({"path": "/echo/a%2Fb"}), get("/echo/a%2Fb"), true),
        (json!({"path": "/echo/a/b"}), get("/echo/a%2Fb"), false),
        (json!({"headers": {"X-A": "1*"}}), get("/echo").header("x-a", "12"), true),
        (json!({"headers": {"X-A": "1*"}}), get("/echo").header("x-a", "21"), false),
        (json!({"headers": {"X-A": "1"}}), get("/echo").header("x-a", "2").header("x-a", "1"), true),
        (json!({"headers": {"X-A": "*"}}), get("/echo"), false),
        (json!({"query": {"a b": "c&d"}}), get("/echo?a%20b=c%26d"), true),
        (json!({"query": {"a b": "c d"}}), get("/echo?a+b=c+d"), true),
        (json!({"query": {"a": "2"}}), get("/echo?a=1&a=2"), true),
        (json!({"query": {"a": ""}}), get("/echo?a"), true),
        (json!({"query": {"a": "*"}}), get("/echo?b=1"), false),
        (json!({"key": "order-*"}), get("/echo").header("Idempotency-Key", "\"order-1\""), true),
        (json!({"key": "order-*"}), get("/echo").header("X-Request-ID", "order-1"), true),
        (json!({"key": "*"}), get("/echo"), false),
        (json!({"path": "/echo", "methods": ["POST"]}), get("/echo"), false),
    ];
    for (matcher, request, matches) in cases {
        let put = session.put_plan(&json!({ "rules": [{ "match": matcher, "fault": 418 }] })).await;
        assert_eq!(put.status, 200, "{put:#?}");
        let status = answer(request).await.status;
        assert_eq!(status, if matches { 418 } else { 200 }, "{matcher}");
        assert_eq!(counts(&session.plan().await)[0].0, u64::from(matches), "{matcher}");
    }
}

#[tokio::test]
async fn a_rule_may_answer_an_unknown_path_and_not_one_of_the_control_plane() {
    let server = TestServer::start().await;
    let session = Session::with_plan(&server, json!({ "rules": [{ "fault": 418 }] })).await;
    for path in ["/orders/7", "/msg", "/echo", "/msgs", "/x%FF"] {
        assert_eq!(answer(session.get(path)).await.status, 418, "{path}");
    }
    for path in ["/fail/status", "/faults", "/health", "/openapi.json"] {
        assert_eq!(answer(session.get(path)).await.status, 200, "{path}");
    }
    let wrong = answer(session.post("/msg")).await;
    assert_eq!((wrong.status, wrong.header("Allow").is_some()), (405, true), "before any rule");
    assert_eq!(answer(session.request(Method::PATCH, "/faults")).await.status, 405);
    assert_eq!(counts(&session.plan().await), [(5, 5)]);
    answer(session.request(Method::DELETE, "/faults")).await;
    answer(session.get("/orders/7")).await.assert_is(404, &json!({ "detail": "Not Found" }));
}

#[tokio::test]
async fn an_unknown_path_without_a_rule_is_a_404_at_once_even_when_all_slots_are_taken() {
    let server = TestServer::verbose().flag("--max-concurrency", 1).start().await;
    let mut running = server.connect().await;
    running.request("GET", "/msg?delay=25000", "X-Request-ID: runs\r\n").await;
    server.delayed("runs").await;
    answer(server.get("/orders")).await.assert_is(404, &json!({ "detail": "Not Found" }));
    let root = Session::default_of(&server);
    let plan = json!({ "rules": [{ "match": {"path": "/other"}, "fault": 418 }] });
    assert_eq!(root.put_plan(&plan).await.status, 200);
    answer(server.get("/orders")).await.assert_is(404, &json!({ "detail": "Not Found" }));
    let refused = answer(server.get("/msg?delay=x")).await;
    assert_eq!(refused.status, 422, "what the request says is checked before the slot");
    let twice = server.get("/msg").header("X-Request-ID", "a").header("X-Request-ID", "b");
    assert_eq!(answer(twice).await.status, 422);
    let fault = server.get("/msg").header("X-Fault", "nonsense");
    assert_eq!(answer(fault).await.status, 422);
}

#[tokio::test]
async fn a_failure_mode_does_not_act_on_an_unknown_path() {
    let server = TestServer::start().await;
    let session = Session::open(&server, json!({})).await;
    answer(session.post("/fail/count/1")).await;
    assert_eq!(answer(session.get("/orders")).await.status, 404);
    assert_eq!(session.statuses("/echo", 2).await, [500, 200]);
}

#[tokio::test]
async fn failure_modes_go_before_the_header_and_that_before_rules_and_those_before_the_cache() {
    let server = TestServer::start().await;
    let session = Session::open(&server, json!({})).await;
    let stored = keyed(&session, "/msg", "k").await;
    session.put_plan(&json!({ "rules": [{ "script": ["503"] }] })).await;
    answer(session.post("/fail/count/1")).await;
    let with_fault = |fault: &'static str| {
        answer(session.get("/msg").header("Idempotency-Key", "k").header("X-Fault", fault))
    };
    assert_eq!(with_fault("429").await.status, 500, "the failure mode");
    assert_eq!(with_fault("429").await.status, 429, "then the header");
    assert_eq!(counts(&session.plan().await), [(0, 0)], "neither took a step");
    let skipped = with_fault("ok").await;
    assert!(skipped.is_replayed() && skipped.message_id() == stored.message_id(), "`ok` skips the rules");
    assert_eq!(counts(&session.plan().await), [(0, 0)]);
    assert_eq!(keyed(&session, "/msg", "k").await.status, 503, "the rule hides the stored answer");
    let last = keyed(&session, "/msg", "k").await;
    assert!(last.is_replayed() && last.message_id() == stored.message_id(), "and leaves it");
}

#[tokio::test]
async fn a_refused_request_takes_no_step() {
    let server = TestServer::start().await;
    let session = Session::with_plan(&server, json!({ "rules": [{ "script": ["503"] }] })).await;
    assert_eq!(answer(session.get("/msg?delay=x")).await.status, 422);
    assert_eq!(answer(session.get("/msg").header("X-Fault", "x")).await.status, 422);
    let twice = session.get("/msg").header("X-Request-ID", "a").header("X-Request-ID", "b");
    assert_eq!(answer(twice).await.status, 422);
    assert_eq!(answer(session.post("/msg")).await.status, 405);
    answer(session.post("/fail/count/1")).await;
    assert_eq!(answer(session.get("/msg")).await.status, 500);
    assert_eq!(counts(&session.plan().await), [(0, 0)]);
    assert_eq!(session.statuses("/msg", 2).await, [503, 200]);
}

#[tokio::test]
async fn a_fault_that_was_counted_happens_also_to_a_request_that_is_refused_behind_the_rules() {
    let server = TestServer::start().await;
    let session =
        Session::with_plan(&server, json!({ "rules": [{ "script": ["503", "ok", "delay:1", "ok"] }] })).await;
    let large = "x".repeat((1 << 20) + 1);
    let post = |body: String| answer(session.post("/echo").header("Idempotency-Key", "k").body(body));
    assert_eq!(post(large.clone()).await.status, 503, "not a 413, for it took the step");
    assert_eq!(post(large.clone()).await.status, 413);
    assert_eq!(post(large).await.status, 413);
    assert_eq!(post("small".to_owned()).await.status, 200);
    assert_eq!(counts(&session.plan().await), [(4, 2)]);
}

#[tokio::test]
async fn a_client_that_leaves_the_queue_takes_no_step() {
    let server = TestServer::verbose().start().await;
    let settings = json!({ "max_concurrency": 1, "id": "x" });
    let session = Session::open(&server, settings).await;
    let mut running = server.connect().await;
    running.request("GET", "/s/x/msg?delay=25000", "").await;
    server.delayed("delay=25000").await;
    session.put_plan(&json!({ "rules": [{ "script": ["503"] }] })).await;
    let mut waiting = server.connect().await;
    waiting.request("GET", "/s/x/msg", "X-Request-ID: waits\r\n").await;
    server.queued("waits").await;
    waiting.close();
    running.close();
    assert_eq!(session.statuses("/msg", 2).await, [503, 200]);
}

#[tokio::test]
async fn the_header_can_be_turned_off() {
    let server = TestServer::builder().env("SERVER_FAULT_HEADER", "false").start().await;
    let ignored = answer(server.get("/msg").header("X-Fault", "503")).await;
    assert_eq!(ignored.status, 200);
    assert_eq!(answer(server.get("/msg").header("X-Fault", "nonsense")).await.status, 200);
}

#[tokio::test]
async fn the_header_injects_on_every_path_of_the_data_plane() {
    let server = TestServer::start().await;
    for path in ["/msg", "/echo/x", "/unknown/path"] {
        assert_eq!(answer(server.get(path).header("X-Fault", "418")).await.status, 418, "{path}");
    }
    assert_eq!(answer(server.get("/health").header("X-Fault", "418")).await.status, 200);
    assert_eq!(answer(server.get("/unknown").header("X-Fault", "ok")).await.status, 404);
    assert_eq!(
        answer(server.get("/msg").header("X-Fault", "")).await.status,
        200,
        "an empty header counts as no header"
    );
    let twice = server.get("/msg").header("X-Fault", "418").header("X-Fault", "418");
    assert_eq!(answer(twice).await.status, 422);
}

#[tokio::test]
async fn an_injected_answer_is_what_the_step_says() {
    let server = TestServer::start().await;
    let session = Session::with_plan(
        &server,
        json!({ "rules": [{ "script": [
        503,
        {"status": 201, "body": {"a": [1, null]}},
        {"status": 400, "body": "plain \u{e9}", "headers": {"X-List": ["1", "2"], "X-One": "1"}},
        {"status": 429, "retry_after": {"seconds": 2}},
        {"status": 503, "retry_after": {"date_in_ms": 2000}},
        {"status": 204},
        {"status": 304},
        {"status": 200, "body": null},
        {"status": 503, "headers": {"Content-Type": "application/problem+json"}, "body": {}},
    ] }] }),
    )
    .await;
    let next = || answer(session.get("/msg"));
    next().await.assert_is(503, &json!({ "detail": "Induced server failure" }));
    next().await.assert_is(201, &json!({ "a": [1, null] }));
    let text = next().await;
    assert_eq!((text.status, text.text.as_str(), text.header("X-One")), (400, "plain \u{e9}", Some("1")));
    assert!(text.header("Content-Type").is_some_and(|kind| kind.starts_with("text/plain")), "{text:#?}");
    assert_eq!(text.headers.get_all("X-List").iter().count(), 2);
    assert_eq!(next().await.header("Retry-After"), Some("2"));
    let date = next().await;
    assert!(date.header("Retry-After").is_some_and(|date| date.ends_with(" GMT")), "{date:#?}");
    assert_eq!(next().await.text, "");
    assert_eq!(next().await.status, 304);
    assert_eq!(next().await.text, "null");
    assert_eq!(next().await.header("Content-Type"), Some("application/problem+json"));
}

#[tokio::test]
async fn a_rule_counts_per_session_per_key_and_per_connection() {
    let server = TestServer::start().await;
    let rule = |per: &str| json!({ "rules": [{ "per": per, "script": ["503", "429"] }] });
    let session = Session::with_plan(&server, rule("key")).await;
    assert_eq!(session.statuses("/msg", 1).await, [200], "a request without a key does not match");
    let mut seen = Vec::new();
    for key in ["a", "b", "a", "b", "a"] {
        seen.push(keyed(&session, "/msg", key).await.status);
    }
    assert_eq!(seen, [503, 503, 429, 429, 200]);
    assert_eq!(counts(&session.plan().await), [(5, 4)]);

    let session = Session::with_plan(&server, rule("connection")).await;
    let path = format!("/s/{}/msg", session.id);
    let (mut one, mut two) = (server.connect().await, server.connect().await);
    let mut seen = Vec::new();
    for _ in 0..3 {
        seen.push((one.get(&path).await.status, two.get(&path).await.status));
    }
    assert_eq!(seen, [(503, 503), (429, 429), (200, 200)]);
    one.close();
    assert_eq!(server.connect().await.get(&path).await.status, 503);
    assert_eq!(counts(&session.plan().await), [(7, 5)]);
}

#[tokio::test]
async fn the_first_rule_with_something_to_inject_wins_and_those_behind_do_not_see_the_request() {
    let server = TestServer::start().await;
    let session = Session::with_plan(
        &server,
        json!({ "rules": [
        { "script": ["ok", "503"] }, { "fault": {"delay_ms": 1}, "times": 1 }, { "fault": 418, "times": 2 },
        { "fault": 419 }
    ] }),
    )
    .await;
    assert_eq!(session.statuses("/msg", 5).await, [418, 503, 418, 419, 419]);
    // `matched` counts requests for which the rule held, within its window and its times.
    assert_eq!(counts(&session.plan().await), [(5, 1), (1, 1), (2, 2), (2, 2)]);
}

#[tokio::test]
async fn delays_of_several_rules_add_up_with_that_of_the_request() {
    let server = TestServer::start().await;
    let session = Session::with_plan(&server, json!({ "rules": [
        { "fault": "delay:200" }, { "fault": {"delay_ms": 300} }, { "fault": {"status": 418, "delay_ms": 100}, "times": 1 }
    ] }))
    .await;
    for (status, least) in [(418, 600), (200, 500)] {
        let start = std::time::Instant::now();
        assert_eq!(answer(session.get("/msg")).await.status, status);
        assert!(start.elapsed().as_millis() >= least);
    }
    let previewed = preview(&session, json!({"requests": 1, "method": "GET", "path": "/msg"})).await;
    assert_eq!(previewed[0]["delay_ms"].as_f64(), Some(500.0), "{previewed:?}");
}

#[tokio::test]
async fn a_delay_counts_towards_the_request_timeout() {
    let server = TestServer::start().await;
    let plan = json!({ "rules": [{ "fault": "delay:5000" }] });
    let session = Session::open(&server, json!({ "request_timeout": 1, "faults": plan })).await;
    answer(session.get("/msg")).await.assert_is(408, &json!({ "detail": "Request timeout" }));
}

#[tokio::test]
async fn a_window_opens_after_a_time_and_closes_again() {
    let server = TestServer::start().await;
    let session = Session::with_plan(
        &server,
        json!({ "rules": [
        { "window": {"after_ms": 1500, "for_ms": 1_000_000}, "fault": 418 },
        { "window": {"after_ms": 0, "for_ms": 1500}, "fault": 419 },
        { "window": {"after_ms": 100_000}, "fault": 503 },
    ] }),
    )
    .await;
    assert_eq!(session.statuses("/msg", 1).await, [419]);
    tokio::time::sleep(std::time::Duration::from_millis(1600)).await;
    assert_eq!(session.statuses("/msg", 1).await, [418]);
    assert_eq!(counts(&session.plan().await), [(1, 1), (1, 1), (0, 0)]);
}

#[tokio::test]
async fn a_rate_limit_admits_its_burst_and_then_says_when_to_come_again() {
    let server = TestServer::start().await;
    for (limit, burst, wait) in [
        (json!({"per_second": 0.1, "burst": 3}), 3, 10),
        (json!({"per_second": 0.02}), 1, 50),
        (json!({"per_second": 0.5, "burst": 1}), 1, 2),
    ] {
        let session = Session::with_plan(&server, json!({ "rules": [{ "rate_limit": limit }] })).await;
        assert_eq!(session.statuses("/msg", burst).await, vec![200; burst]);
        let refused = answer(session.get("/msg")).await;
        assert_eq!(refused.status, 429, "{limit}");
        let seconds: u64 = refused.header("Retry-After").expect("a time").parse().expect("whole seconds");
        assert!((wait - 1..=wait).contains(&seconds), "{limit}: {seconds}");
    }
}

#[tokio::test]
async fn a_rate_limit_speaks_the_truth() {
    let server = TestServer::start().await;
    let plan = json!({ "rules": [{ "rate_limit": {"per_second": 0.7, "burst": 1} }] });
    let session = Session::with_plan(&server, plan).await;
    assert_eq!(session.statuses("/msg", 1).await, [200]);
    let refused = answer(session.get("/msg")).await;
    let seconds: u64 = refused.header("Retry-After").expect("a time").parse().expect("whole seconds");
    tokio::time::sleep(std::time::Duration::from_secs(seconds)).await;
    assert_eq!(session.statuses("/msg", 1).await, [200]);
}

#[tokio::test]
async fn a_script_on_one_line_takes_the_place_of_the_plan() {
    let server = TestServer::start().await;
    let session = Session::with_plan(&server, json!({ "rules": [{ "fault": 418 }] })).await;
    let set = answer(session.post("/fail/script/503,429,delay:1,ok,502")).await;
    assert_eq!(set.status, 200, "{set:#?}");
    assert_eq!(set.body["script"], json!(["503", "429", "delay:1", "ok", "502"]));
    assert!(set.body["message"].is_string());
    let mut seen = session.statuses("/msg", 2).await;
    seen.push(answer(session.post("/echo")).await.status);
    seen.push(answer(session.get("/unknown")).await.status);
    seen.extend(session.statuses("/echo/x", 2).await);
    assert_eq!(seen, [503, 429, 200, 404, 502, 200]);
    let refused = answer(session.post("/fail/script/503,nonsense,999,ok")).await;
    assert_eq!(refused.status, 422, "{refused:#?}");
    let places: Vec<&Value> =
        refused.body["detail"].as_array().expect("a list").iter().map(|entry| &entry["loc"]).collect();
    assert_eq!(places, [&json!(["path", "script", 1]), &json!(["path", "script", 2])]);
    assert_eq!(session.plan().await["rules"][0]["matched"], 6, "a bad script changes nothing");
}

#[tokio::test]
async fn the_preview_tells_what_comes_and_changes_nothing() {
    let server = TestServer::start().await;
    let plan = json!({ "seed": 7, "rules": [
        { "script": ["503", "ok"] }, { "match": {"path": "/msg"}, "probability": 0.5, "fault": "429" },
        { "probability": 0.5, "fault": {"delay_ms": {"min": 1, "max": 20}} },
    ] });
    let session = Session::with_plan(&server, plan).await;
    assert_eq!(session.statuses("/msg", 1).await, [503]);
    let before = session.plan().await;
    let ask = json!({ "requests": 40, "method": "GET", "path": "/msg" });
    let previewed = preview(&session, ask.clone()).await;
    assert_eq!(preview(&session, ask).await, previewed);
    assert_eq!(session.plan().await, before);
    assert_eq!(previewed.len(), 40);
    let status = |request: &Value| match &request["fault"] {
        Value::Null => 200,
        short => short.as_str().and_then(|short| short.parse().ok()).expect("a status"),
    };
    let expected: Vec<u16> = previewed.iter().map(status).collect();
    assert!(expected.contains(&429) && expected.contains(&200), "both outcomes occur: {expected:?}");
    assert_eq!(session.statuses("/msg", 40).await, expected);
}

#[tokio::test]
async fn a_preview_asks_for_1_to_10000_requests() {
    let server = TestServer::start().await;
    let session = Session::with_plan(&server, json!({ "rules": [{ "fault": 503 }] })).await;
    assert_eq!(preview(&session, json!({ "requests": 10_000 })).await.len(), 10_000);
    for (requests, kind) in [
        (json!(0), "greater_than_equal"),
        (json!(10_001), "less_than_equal"),
        (json!("x"), "int_parsing"),
        (json!([]), "int_type"),
    ] {
        let refused = answer(session.post("/faults/preview").json(&json!({ "requests": requests }))).await;
        assert_eq!(refused.status, 422);
        assert_eq!(refused.body["detail"][0]["loc"], json!(["body", "requests"]));
        assert_eq!(refused.body["detail"][0]["type"], kind);
    }
}
