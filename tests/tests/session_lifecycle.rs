//! How sessions are made, listed, used, reset and ended.

use std::collections::HashSet;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use reqwest::Method;
use serde_json::{Value, json};
use workspace_tests::{Answer, Session, TestServer, answer};

fn no_such_session() -> Value {
    json!({ "detail": "No such session" })
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is past 1970").as_secs_f64()
}

async fn create(server: &TestServer, settings: Value) -> Answer {
    answer(server.post("/sessions").json(&settings)).await
}

async fn delete(server: &TestServer, id: &str) -> Answer {
    answer(server.request(Method::DELETE, &format!("/sessions/{id}"))).await
}

async fn listed(server: &TestServer, query: &str) -> Vec<String> {
    let list = answer(server.get(&format!("/sessions{query}"))).await;
    assert_eq!(list.status, 200, "{list:#?}");
    let sessions = list.body["sessions"].as_array().expect("a list");
    sessions.iter().map(|session| session["id"].as_str().expect("an id").to_owned()).collect()
}

#[tokio::test]
async fn a_session_is_created_with_every_field_and_described_by_its_address() {
    let server = TestServer::start().await;
    let settings = json!({
        "id": "Az0_-", "ttl_seconds": 60, "seed": 9_007_199_254_740_991_u64, "max_concurrency": 3,
        "request_timeout": 5, "cache_max_size": 10, "cache_ttl_seconds": 20,
        "faults": { "rules": [{ "fault": "503", "times": 1 }] },
    });
    let created = create(&server, settings).await;
    assert_eq!(created.status, 201, "{created:#?}");
    assert_eq!(created.header("Location"), Some("/sessions/Az0_-"));
    let session = created.body;
    assert_eq!(session["id"], "Az0_-");
    assert_eq!(session["base_url"], server.url("/s/Az0_-"));
    assert_eq!(session["seed"], 9_007_199_254_740_991_u64);
    assert_eq!(session["requests"], 0);
    let expires = session["expires_in_seconds"].as_f64().expect("a number");
    assert!((59.0..=60.0).contains(&expires), "{session}");
    for field in ["created_at", "last_used_at"] {
        let at = session[field].as_f64().expect("a float");
        assert!((now() - at).abs() < 30.0, "{session}");
    }
    let fields: HashSet<&str> = session.as_object().expect("an object").keys().map(String::as_str).collect();
    let expected = ["id", "base_url", "seed", "created_at", "last_used_at", "requests", "expires_in_seconds"];
    assert_eq!(fields, HashSet::from(expected));
    assert_eq!(answer(server.get("/s/Az0_-/msg")).await.status, 503, "its plan is in force");
    assert_eq!(answer(server.get("/s/Az0_-/msg")).await.status, 200);
    let read = answer(server.get("/sessions/Az0_-")).await;
    assert_eq!((read.status, &read.body["requests"]), (200, &json!(2)), "{read:#?}");
    assert_eq!(read.body["created_at"], session["created_at"]);
    assert!(read.body["last_used_at"].as_f64() > session["last_used_at"].as_f64());
}

#[tokio::test]
async fn a_session_without_settings_gets_an_id_and_a_seed_of_its_own_and_the_default_lifetime() {
    let server = TestServer::start().await;
    let one = answer(server.post("/sessions")).await;
    let two = create(&server, json!({})).await;
    let null = create(&server, json!({"id": null, "seed": null, "faults": null})).await;
    assert!([201, 422].contains(&null.status), "null is either nothing or refused: {null:#?}");
    for session in [&one, &two] {
        assert_eq!(session.status, 201, "{session:#?}");
        let id = session.body["id"].as_str().expect("an id");
        let allowed = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
        assert!((1..=64).contains(&id.len()) && id.chars().all(allowed), "{id}");
        assert!(session.body["seed"].as_u64().is_some_and(|seed| seed < 1 << 53));
        let expires = session.body["expires_in_seconds"].as_f64().expect("a number");
        assert!((3590.0..=3600.0).contains(&expires));
    }
    assert_ne!(one.body["id"], two.body["id"]);
    assert_ne!(one.body["seed"], two.body["seed"]);
}

#[tokio::test]
async fn the_seed_of_the_plan_goes_before_that_of_the_session() {
    let server = TestServer::start().await;
    let both = create(&server, json!({"seed": 1, "faults": {"seed": 2, "rules": []}})).await;
    assert_eq!(both.body["seed"], 2, "{both:#?}");
}

#[tokio::test]
async fn ids_have_1_to_64_characters_and_are_taken_once() {
    let server = TestServer::start().await;
    let longest = "x".repeat(64);
    for id in ["a", "-", "_", longest.as_str()] {
        assert_eq!(create(&server, json!({ "id": id })).await.status, 201, "{id}");
        let again = create(&server, json!({ "id": id })).await;
        assert_eq!(again.status, 409, "{again:#?}");
        assert!(again.body["detail"].is_string(), "{again:#?}");
    }
    assert_eq!(create(&server, json!({ "id": "default" })).await.status, 409);
    let too_long = "x".repeat(65);
    for (id, kind) in [
        (json!(""), "string_pattern_mismatch"),
        (json!("a b"), "string_pattern_mismatch"),
        (json!("é"), "string_pattern_mismatch"),
        (json!("a/b"), "string_pattern_mismatch"),
        (json!(too_long), "string_too_long"),
        (json!(7), "string_type"),
    ] {
        let refused = create(&server, json!({ "id": id })).await;
        assert_eq!(refused.status, 422, "{id}: {refused:#?}");
        let entry = &refused.body["detail"][0];
        assert_eq!((&entry["loc"], &entry["type"]), (&json!(["body", "id"]), &json!(kind)), "{entry}");
        assert_eq!(entry["input"], id);
    }
    assert_eq!(listed(&server, "").await.len(), 5, "the refused ones do not exist");
}

#[tokio::test]
async fn an_ended_session_is_unknown_to_every_route_under_it() {
    let server = TestServer::start().await;
    let session = Session::open(&server, json!({ "id": "gone" })).await;
    let deleted = delete(&server, "gone").await;
    assert_eq!((deleted.status, deleted.text.as_str()), (204, ""));
    for (method, path) in [
        ("GET", "/s/gone/msg"),
        ("POST", "/s/gone/msg"),
        ("GET", "/s/gone/echo"),
        ("GET", "/s/gone/echo/x/y"),
        ("POST", "/s/gone/fail/count/1"),
        ("POST", "/s/gone/fail/duration/1"),
        ("POST", "/s/gone/fail/count/x"),
        ("POST", "/s/gone/fail/reset"),
        ("GET", "/s/gone/fail/status"),
        ("POST", "/s/gone/fail/script/503"),
        ("GET", "/s/gone/faults"),
        ("PUT", "/s/gone/faults"),
        ("DELETE", "/s/gone/faults"),
        ("POST", "/s/gone/faults/preview"),
        ("POST", "/s/gone/reset"),
        ("GET", "/s/gone/health"),
        ("GET", "/s/gone/openapi.json"),
        ("GET", "/s/gone/docs"),
        ("GET", "/s/gone/nothing/here"),
        ("GET", "/s/gone/"),
        ("GET", "/s/gone"),
        ("GET", "/s/gone/msg/"),
        ("GET", "/s/gone/sessions"),
        ("GET", "/s/never-made/msg"),
        ("GET", "/s/%FF/msg"),
        ("GET", "/sessions/gone"),
        ("DELETE", "/sessions/gone"),
        ("GET", "/sessions/never-made"),
    ] {
        let method: Method = method.parse().expect("a method");
        let found = answer(server.request(method.clone(), path)).await;
        assert_eq!((found.status, &found.body), (404, &no_such_session()), "{method} {path}");
    }
    drop(session);
    assert_eq!(create(&server, json!({ "id": "gone" })).await.status, 201, "the id is free again");
}

#[tokio::test]
async fn sessions_are_listed_in_pages() {
    let server = TestServer::start().await;
    for id in ["b", "a", "d", "c"] {
        Session::open(&server, json!({ "id": id })).await;
    }
    let all = listed(&server, "").await;
    assert_eq!(all.len(), 5, "{all:?}");
    let (mut paged, mut after) = (Vec::new(), String::new());
    loop {
        let query = if after.is_empty() { "?limit=2".to_owned() } else { format!("?limit=2&after={after}") };
        let page = listed(&server, &query).await;
        assert!(page.len() <= 2, "{page:?}");
        let Some(last) = page.last() else { break };
        after.clone_from(last);
        paged.extend(page);
    }
    assert_eq!(paged, all, "pages put together are the list");
    // A page may begin behind a session that has ended meanwhile, as when each page is deleted.
    delete(&server, &all[1]).await;
    assert_eq!(listed(&server, &format!("?after={}", all[1])).await, all[2..]);
    for query in ["?limit=0", "?limit=x", "?limit=-1", "?limit=99999999999999999999"] {
        let refused = answer(server.get(&format!("/sessions{query}"))).await;
        assert_eq!(refused.status, 422, "{query} {refused:#?}");
        assert_eq!(refused.body["detail"][0]["loc"], json!(["query", "limit"]));
    }
}

#[tokio::test]
async fn the_root_is_the_session_named_default() {
    let server = TestServer::builder().flag("--seed", 77).start().await;
    let session = answer(server.get("/sessions/default")).await;
    assert_eq!(session.status, 200, "{session:#?}");
    assert_eq!(session.body["expires_in_seconds"], Value::Null);
    assert_eq!(session.body["seed"], 77);
    assert_eq!(listed(&server, "").await, ["default"]);
    assert_eq!(delete(&server, "default").await.status, 409);
    assert_eq!(answer(server.get("/msg")).await.status, 200);
    assert_eq!(answer(server.post("/fail/count/1")).await.status, 200);
    let base_url = session.body["base_url"].as_str().expect("a URL");
    let through = reqwest::Client::new();
    let failed = answer(through.get(format!("{base_url}/msg"))).await;
    assert_eq!(failed.status, 500, "its base URL leads to the root's state: {base_url}");
    let session = answer(server.get("/sessions/default")).await;
    assert_eq!(session.body["requests"], 2, "the control plane is not counted");
}

#[tokio::test]
async fn a_base_url_is_made_of_what_the_client_sent() {
    let server = TestServer::start().await;
    let cases = [
        ("Host: test.example:81\r\n", "http://test.example:81/s/x"),
        ("Host: test.example\r\nX-Forwarded-Proto: https\r\n", "https://test.example/s/x"),
        ("Host: test.example\r\nX-Forwarded-Proto: HTTPS\r\n", "https://test.example/s/x"),
        ("Host: test.example\r\nX-Forwarded-Proto: ftp\r\n", "http://test.example/s/x"),
        ("Host: test.example\r\nX-Forwarded-Proto: http\r\n", "http://test.example/s/x"),
        ("Host: [::1]:81\r\n", "http://[::1]:81/s/x"),
    ];
    Session::open(&server, json!({ "id": "x" })).await;
    for (headers, expected) in cases {
        let mut connection = server.connect().await;
        let request = format!("GET /sessions/x HTTP/1.1\r\n{headers}\r\n");
        connection.send(request).await.expect("it listens");
        assert_eq!(connection.response().await.json()["base_url"], expected, "{headers}");
    }
    let bound = format!("http://{}/s/x", server.address());
    for head in ["GET /sessions/x HTTP/1.0\r\n\r\n", "GET /sessions/x HTTP/1.1\r\nHost:\r\n\r\n"] {
        let mut connection = server.connect().await;
        connection.send(head).await.expect("it listens");
        assert_eq!(connection.response().await.json()["base_url"], bound, "{head:?}");
    }
}

#[tokio::test]
async fn a_session_ends_after_its_lifetime_and_using_it_extends_that() {
    let server = TestServer::start().await;
    let session = Session::open(&server, json!({ "id": "used", "ttl_seconds": 2 })).await;
    Session::open(&server, json!({ "id": "unused", "ttl_seconds": 2 })).await;
    for path in ["/msg", "/fail/status", "/faults", "/health", "/unknown", "/msg"] {
        tokio::time::sleep(Duration::from_millis(700)).await;
        let used = answer(session.get(path)).await;
        assert_ne!(used.body, no_such_session(), "{path}");
        // Reading about a session is no use of it.
        answer(server.get("/sessions/unused")).await;
        answer(server.get("/sessions")).await;
    }
    let gone = answer(server.get("/sessions/unused")).await;
    assert_eq!((gone.status, gone.body), (404, no_such_session()));
    assert_eq!(answer(session.get("/msg")).await.status, 200);
    // It ends although no request asks for it, and is no longer listed.
    tokio::time::sleep(Duration::from_millis(2600)).await;
    assert_eq!(listed(&server, "").await, ["default"]);
    assert_eq!(answer(session.get("/msg")).await.body, no_such_session());
}

#[tokio::test]
async fn a_session_does_not_end_while_a_request_is_in_flight_and_lives_on_from_its_end() {
    let server = TestServer::start().await;
    let session = Session::open(&server, json!({ "ttl_seconds": 1 })).await;
    let slow = answer(session.get("/msg?delay=2500")).await;
    slow.message_id();
    let shown = answer(server.get(&format!("/sessions/{}", session.id))).await;
    assert!(shown.body["expires_in_seconds"].as_f64().is_some_and(|left| left > 0.0), "{shown:#?}");
    assert_eq!(answer(session.get("/msg")).await.status, 200);
}

#[tokio::test]
async fn no_more_sessions_than_configured_and_the_refusal_says_when_to_come_again() {
    let server = TestServer::builder().flag("--max-sessions", 2).start().await;
    Session::open(&server, json!({ "ttl_seconds": 86400 })).await;
    let other = Session::open(&server, json!({ "ttl_seconds": 2, "id": "short" })).await;
    let retry_after = |refused: &Answer| -> u64 {
        assert_eq!(refused.status, 429, "{refused:#?}");
        refused.header("Retry-After").expect("a time").parse().expect("whole seconds")
    };
    let refused = create(&server, json!({})).await;
    let wait = retry_after(&refused);
    assert!((1..=2).contains(&wait), "{wait}");
    assert_eq!(create(&server, json!({"id": "short"})).await.status, 409, "a taken id is reported first");
    assert_eq!(delete(&server, &other.id).await.status, 204);
    Session::open(&server, json!({ "ttl_seconds": 86400 })).await;
    assert_eq!(retry_after(&create(&server, json!({})).await), 60);
    let refused = create(&server, json!({"nonsense": 1})).await;
    assert_eq!(refused.status, 422, "what the request says is checked first");
}

#[tokio::test]
async fn an_expired_session_makes_room_for_a_new_one() {
    let server = TestServer::builder().flag("--max-sessions", 1).flag("--session-ttl", 1).start().await;
    Session::open(&server, json!({})).await;
    tokio::time::sleep(Duration::from_millis(1100)).await;
    Session::open(&server, json!({})).await;
}

#[tokio::test]
async fn a_reset_brings_a_session_back_to_what_it_was_when_it_was_created() {
    let server = TestServer::start().await;
    let plan = json!({ "rules": [{ "script": ["503", "429"] }] });
    let session = Session::open(&server, json!({ "faults": plan, "seed": 5 })).await;
    assert_eq!(session.statuses("/msg", 3).await, [503, 429, 200]);
    let keyed = answer(session.get("/msg").header("Idempotency-Key", "k")).await;
    session.put_plan(&json!({ "seed": 6, "rules": [{ "fault": "418" }] })).await;
    answer(session.post("/fail/count/10")).await;
    let reset = answer(session.post("/reset")).await;
    reset.assert_is(200, &json!({ "message": "Session has been reset" }));
    assert_eq!(session.plan().await["plan"], plan);
    let status = answer(session.get("/fail/status")).await;
    assert_eq!(status.body["currently_failing"], false);
    assert_eq!(session.statuses("/msg", 3).await, [503, 429, 200], "its plan begins anew");
    let again = answer(session.get("/msg").header("Idempotency-Key", "k")).await;
    assert!(!again.is_replayed() && again.message_id() != keyed.message_id(), "the cache is empty");
    let shown = answer(server.get(&format!("/sessions/{}", session.id))).await;
    assert_eq!(shown.body["seed"], 5);
}

#[tokio::test]
async fn a_reset_of_the_root_leaves_no_plan() {
    let server = TestServer::start().await;
    let root = Session::default_of(&server);
    assert_eq!(root.put_plan(&json!({ "rules": [{ "fault": "418" }] })).await.status, 200);
    assert_eq!(answer(server.get("/msg")).await.status, 418);
    assert_eq!(answer(server.post("/reset")).await.status, 200);
    assert_eq!(root.plan().await, json!({ "plan": null, "rules": [], "forgotten_keys": 0 }));
    assert_eq!(answer(server.get("/msg")).await.status, 200);
}

#[tokio::test]
async fn sessions_do_not_nest() {
    let server = TestServer::start().await;
    Session::open(&server, json!({ "id": "a" })).await;
    Session::open(&server, json!({ "id": "b" })).await;
    for (method, path) in [
        (Method::GET, "/s/a/sessions"),
        (Method::POST, "/s/a/sessions"),
        (Method::GET, "/s/a/sessions/b"),
        (Method::DELETE, "/s/a/sessions/b"),
        (Method::GET, "/s/a/s/b"),
        (Method::GET, "/s/a/s/b/msg"),
    ] {
        let found = answer(server.request(method.clone(), path)).await;
        found.assert_is(404, &json!({ "detail": "Not Found" }));
    }
    assert_eq!(listed(&server, "").await.len(), 3);
}

#[tokio::test]
async fn settings_of_a_session_hold_for_it_alone() {
    let server = TestServer::start().await;
    let settings = json!({ "request_timeout": 1, "cache_max_size": 1, "cache_ttl_seconds": 1 });
    let session = Session::open(&server, settings).await;
    let late = answer(session.get("/msg?delay=1500")).await;
    late.assert_is(408, &json!({ "detail": "Request timeout" }));
    answer(server.get("/msg?delay=1500")).await.message_id();
    let keyed = |key: &str| answer(session.get("/msg").header("X-Request-ID", key));
    let first = keyed("one").await.message_id();
    assert_eq!(keyed("one").await.message_id(), first);
    keyed("two").await;
    assert_ne!(keyed("one").await.message_id(), first, "one entry fits");
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert!(!keyed("one").await.is_replayed(), "an entry lives for a second");
}
