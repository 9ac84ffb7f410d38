//! Bad input gets a 422 in the form that clients of the web framework `FastAPI` already parse, one entry for every
//! fault, and changes nothing.

use serde_json::{Value, json};
use workspace_tests::{TestServer, answer};

fn not_an_integer(location: &[&str; 2], input: &str) -> Value {
    json!({
        "type": "int_parsing",
        "loc": location,
        "msg": "Input should be a valid integer, unable to parse string as an integer",
        "input": input,
    })
}

fn too_small(location: &[&str; 2], input: &str) -> Value {
    json!({
        "type": "greater_than_equal",
        "loc": location,
        "msg": "Input should be greater than or equal to 0",
        "input": input,
        "ctx": { "ge": 0 },
    })
}

fn too_large(location: &[&str; 2], input: &str, bound: u32) -> Value {
    json!({
        "type": "less_than_equal",
        "loc": location,
        "msg": format!("Input should be less than or equal to {bound}"),
        "input": input,
        "ctx": { "le": bound },
    })
}

/// Asserts that `body` has the documented form: a list of entries with the documented keys and types.
fn assert_well_formed(body: &Value, what: &str) {
    let entries = body["detail"].as_array().unwrap_or_else(|| panic!("{what}: {body}"));
    assert!(!entries.is_empty(), "{what}: {body}");
    let types = [
        "int_parsing",
        "greater_than_equal",
        "less_than_equal",
        "string_too_long",
        "string_pattern_mismatch",
    ];
    for entry in entries {
        assert!(types.contains(&entry["type"].as_str().unwrap_or_default()), "{what}: {entry}");
        let location = entry["loc"].as_array().unwrap_or_else(|| panic!("{what}: {entry}"));
        assert!(
            ["path", "query", "header"].contains(&location[0].as_str().unwrap_or_default()),
            "{what}: {entry}"
        );
        assert!(location[1].is_string(), "{what}: {entry}");
        assert!(entry["msg"].as_str().is_some_and(|message| !message.is_empty()), "{what}: {entry}");
        assert!(entry.get("input").is_some(), "{what}: {entry}");
    }
}

#[tokio::test]
async fn a_count_that_is_no_number_or_out_of_range_gets_its_exact_fault() {
    let server = TestServer::start().await;
    let at = ["path", "count"];
    let cases = [
        ("x", not_an_integer(&at, "x")),
        ("1e3", not_an_integer(&at, "1e3")),
        ("-1", too_small(&at, "-1")),
        ("1001", too_large(&at, "1001", 1000)),
        ("%EF%BC%91", not_an_integer(&at, "１")),
    ];
    for (value, entry) in cases {
        let refused = answer(server.post(&format!("/fail/count/{value}"))).await;
        refused.assert_is(422, &json!({ "detail": [entry] }));
    }
}

#[tokio::test]
async fn a_duration_that_is_no_number_or_out_of_range_gets_its_exact_fault() {
    let server = TestServer::start().await;
    let at = ["path", "seconds"];
    let cases = [
        ("x", not_an_integer(&at, "x")),
        ("-1", too_small(&at, "-1")),
        ("3601", too_large(&at, "3601", 3600)),
    ];
    for (value, entry) in cases {
        let refused = answer(server.post(&format!("/fail/duration/{value}"))).await;
        refused.assert_is(422, &json!({ "detail": [entry] }));
    }
}

#[tokio::test]
async fn a_delay_that_is_no_number_or_out_of_range_gets_its_exact_fault() {
    let server = TestServer::start().await;
    let at = ["query", "delay"];
    let cases = [
        ("delay=x", not_an_integer(&at, "x")),
        ("delay=", not_an_integer(&at, "")),
        ("delay=0x10", not_an_integer(&at, "0x10")),
        ("delay=-1", too_small(&at, "-1")),
        ("delay=30001", too_large(&at, "30001", 30000)),
    ];
    for (query, entry) in cases {
        answer(server.get(&format!("/msg?{query}"))).await.assert_is(422, &json!({ "detail": [entry] }));
    }
}

#[tokio::test]
async fn the_bounds_themselves_are_allowed() {
    let server = TestServer::builder().flag("--request-timeout", 1).start().await;
    // A delay of half a minute is not refused: it runs into the timeout.
    assert_eq!(answer(server.get("/msg?delay=30000")).await.status, 408);
    answer(server.get("/msg?delay=0")).await.message_id();
    for path in ["/fail/count/0", "/fail/count/1000", "/fail/duration/0", "/fail/duration/3600"] {
        assert_eq!(answer(server.post(path)).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn no_value_however_odd_causes_a_500() {
    let server = TestServer::start().await;
    let forty_digits = "1".repeat(40);
    let long = "9".repeat(5000);
    let odd = [
        "1e3",
        "+5",
        "%205",
        "5%20",
        "5.0",
        "5.5",
        "1_000",
        "%EF%BC%91",
        "%FF",
        "%C3%28",
        "%00",
        "%0a5",
        "0x10",
        "true",
        "-0",
        "05",
        "NaN",
        "inf",
        "-inf",
        "null",
        "[]",
        "%22",
        "--1",
        "%F0%9F%92%A9",
        "%E2%80%AE",
        "18446744073709551616",
        "-9223372036854775809",
        "4294967296",
        "%",
        "%2",
        "%zz",
        &forty_digits,
        &long,
    ];
    for value in odd {
        let targets = [
            ("POST", format!("/fail/count/{value}")),
            ("POST", format!("/fail/duration/{value}")),
            ("GET", format!("/msg?delay={value}")),
        ];
        for (method, path) in targets {
            answer(server.post("/fail/reset")).await;
            let mut connection = server.connect().await;
            connection.request(method, &path, "").await;
            let response = connection.response().await;
            match response.status {
                200 => {}
                422 => assert_well_formed(&response.json(), &path),
                other => panic!("{method} {path}: {other} {response:?}"),
            }
            assert!(response.header("X-Correlation-ID").is_some(), "{path}");
        }
    }
}

#[tokio::test]
async fn digits_of_any_number_are_out_of_range_and_not_unreadable() {
    let server = TestServer::start().await;
    let digits = "1".repeat(40);
    let refused = answer(server.post(&format!("/fail/count/{digits}"))).await;
    refused.assert_is(422, &json!({ "detail": [too_large(&["path", "count"], &digits, 1000)] }));
    let refused = answer(server.get(&format!("/msg?delay=-{digits}"))).await;
    refused.assert_is(422, &json!({ "detail": [too_small(&["query", "delay"], &format!("-{digits}"))] }));
}

#[tokio::test]
async fn unknown_parameters_and_headers_are_ignored() {
    let server = TestServer::start().await;
    for path in
        ["/msg?foo=bar", "/msg?Delay=x", "/msg?foo=%FF&delay=1", "/msg?", "/msg?=", "/msg?delay=1&x[]=2"]
    {
        answer(server.get(path)).await.message_id();
    }
    assert_eq!(answer(server.post("/fail/count/0?count=x")).await.status, 200);
}

#[tokio::test]
async fn every_fault_of_a_request_has_an_entry() {
    let server = TestServer::start().await;
    let refused = answer(server.get_keyed("/msg?delay=x", "two words")).await;
    assert_eq!(refused.status, 422);
    assert_well_formed(&refused.body, "two faults");
    let locations: Vec<_> =
        refused.body["detail"].as_array().unwrap().iter().map(|entry| &entry["loc"]).collect();
    assert_eq!(locations, [&json!(["query", "delay"]), &json!(["header", "X-Request-ID"])]);
}

#[tokio::test]
async fn a_refused_request_uses_up_no_failure() {
    let server = TestServer::start().await;
    answer(server.post("/fail/count/1")).await;
    assert_eq!(answer(server.get("/msg?delay=x")).await.status, 422);
    assert_eq!(answer(server.get_keyed("/msg", "two words")).await.status, 422);
    let status = answer(server.get("/fail/status")).await.body;
    assert_eq!(status["failure_status"]["fail_requests_count"], 1);
    assert_eq!(answer(server.get("/msg")).await.status, 500);
    assert_eq!(answer(server.get("/msg")).await.status, 200);
}

#[tokio::test]
async fn a_refused_setting_changes_nothing() {
    let server = TestServer::start().await;
    answer(server.post("/fail/count/5")).await;
    for path in ["/fail/count/1001", "/fail/count/x", "/fail/duration/-1", "/fail/duration/3601"] {
        assert_eq!(answer(server.post(path)).await.status, 422, "{path}");
    }
    let status = answer(server.get("/fail/status")).await.body;
    assert_eq!(status["failure_status"]["fail_requests_count"], 5);
    assert_eq!(status["failure_status"]["fail_until_timestamp"], Value::Null);
}
