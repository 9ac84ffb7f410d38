//! `GET /verdict`: the judgement of a session's journal, over real sockets.

use reqwest::Url;
use serde_json::{Value, json};
use workspace_tests::{Answer, TestServer, answer, within};

/// The answer to `GET {prefix}/verdict` with these parameters.
async fn ask(server: &TestServer, prefix: &str, parameters: &[(&str, &str)]) -> Answer {
    let url = Url::parse_with_params(&server.url(&format!("{prefix}/verdict")), parameters).expect("a URL");
    let target = format!("{}?{}", url.path(), url.query().unwrap_or_default());
    answer(server.get(&target)).await
}

async fn verdict(server: &TestServer, prefix: &str) -> Value {
    let verdict = ask(server, prefix, &[]).await;
    assert_eq!(verdict.status, 200, "{verdict:#?}");
    verdict.body
}

fn ids(verdict: &Value) -> Vec<&str> {
    let findings = verdict["findings"].as_array().expect("a list");
    findings.iter().filter_map(|finding| finding["id"].as_str()).collect()
}

/// A server on which one marked call has got a 503 and was not tried again.
async fn with_a_call_given_up() -> TestServer {
    let server = TestServer::start().await;
    answer(server.get("/msg").header("X-Fault", "503").header("X-Test-Call", "a")).await;
    server
}

#[tokio::test]
async fn nothing_done_is_nothing_wrong() {
    let server = TestServer::start().await;
    let expected = json!({
        "verdict": "pass", "requests": 0, "calls": [], "amplification": 0.0, "peak_concurrent": 0,
        "connections": 0, "forgotten": 0, "incomplete": false, "in_flight": [], "findings": [],
    });
    ask(&server, "", &[]).await.assert_is(200, &expected);
}

#[tokio::test]
async fn a_verdict_names_calls_figures_and_findings() {
    let server = with_a_call_given_up().await;
    let verdict = verdict(&server, "").await;
    let call = json!([{"key": null, "guess": false, "attempts": [1], "waits_ms": [], "outcome": "failed"}]);
    assert_eq!((&verdict["verdict"], &verdict["calls"]), (&json!("warn"), &call), "{verdict:#}");
    assert_eq!(verdict["requests"], 1);
    let finding = &verdict["findings"][0];
    assert_eq!(
        (&finding["id"], &finding["severity"], &finding["evidence"], &finding["link"]),
        (&json!("no-retry"), &json!("warn"), &json!([1]), &json!("/findings#no-retry"))
    );
}

#[tokio::test]
async fn a_verdict_is_shown_as_text_and_as_junit() {
    let server = with_a_call_given_up().await;
    let text = ask(&server, "", &[("format", "text")]).await;
    assert_eq!(text.header("Content-Type"), Some("text/plain; charset=utf-8"));
    assert!(text.text.starts_with("WARN: 1 requests in 1 calls"), "{}", text.text);
    assert!(text.text.contains("warn no-retry"), "{}", text.text);
    let junit = ask(&server, "", &[("format", "junit")]).await;
    assert_eq!(junit.header("Content-Type"), Some("application/xml; charset=utf-8"));
    assert_eq!(junit.text.matches("<testcase ").count(), 20, "{}", junit.text);
    assert!(junit.text.contains("<system-out>warn: "), "a warn is no failure: {}", junit.text);
    assert!(!junit.text.contains("<failure"), "{}", junit.text);
    let json = ask(&server, "", &[("format", "json")]).await;
    assert_eq!(json.body["verdict"], "warn");
}

#[tokio::test]
async fn a_policy_is_what_the_client_is_held_against() {
    let server = with_a_call_given_up().await;
    let judged = async |policy: &str| ask(&server, "", &[("expect", policy)]).await;
    assert_eq!(ids(&judged("{}").await.body), ["no-retry"]);
    assert_eq!(ids(&judged(r#"{"allow": ["no-retry"]}"#).await.body), [""; 0]);
    assert_eq!(ids(&judged(r#"{"retries_on": [500]}"#).await.body), [""; 0]);
}

#[tokio::test]
async fn a_format_and_a_policy_that_are_wrong_are_refused_at_their_place() {
    let server = TestServer::start().await;
    let places = async |parameters: &[(&str, &str)]| {
        let refused = ask(&server, "", parameters).await;
        assert_eq!(refused.status, 422, "{refused:#?}");
        let problems = refused.body["detail"].as_array().expect("a list").clone();
        let pair = |problem: &Value| json!([problem["type"], problem["loc"]]);
        Value::from(problems.iter().map(pair).collect::<Vec<_>>())
    };
    let expected = json!([
        ["literal_error", ["query", "format"]],
        ["extra_forbidden", ["query", "expect", "max_atempts"]],
    ]);
    assert_eq!(places(&[("format", "xml"), ("expect", r#"{"max_atempts": 3}"#)]).await, expected);
    let expected = json!([["json_invalid", ["query", "expect", 0]]]);
    assert_eq!(places(&[("expect", "{")]).await, expected);
    let expected = json!([["literal_error", ["query", "expect", "allow", 1]]]);
    assert_eq!(places(&[("expect", r#"{"allow": ["no-retry", "nothing"]}"#)]).await, expected);
}

#[tokio::test]
async fn a_session_is_judged_by_itself_and_may_be_one_call() {
    let server = TestServer::start().await;
    let made = answer(server.post("/sessions").body(r#"{"id": "one", "calls": 1}"#)).await;
    assert_eq!(made.status, 201, "{made:#?}");
    answer(server.post("/sessions").body(r#"{"id": "many"}"#)).await;
    for session in ["one", "many"] {
        answer(server.get(&format!("/s/{session}/echo/a"))).await;
        answer(server.get(&format!("/s/{session}/echo/b"))).await;
    }
    let calls = async |prefix: &str| verdict(&server, prefix).await["calls"].as_array().map(Vec::len);
    assert_eq!(calls("/s/one").await, Some(1));
    assert_eq!(calls("/s/many").await, Some(2));
    assert_eq!(calls("").await, Some(0));
    answer(server.post("/s/one/reset")).await;
    answer(server.get("/s/one/echo/a")).await;
    answer(server.get("/s/one/echo/b")).await;
    assert_eq!(calls("/s/one").await, Some(1), "a reset leaves the session as it was created");
}

#[tokio::test]
async fn a_number_of_calls_other_than_one_is_refused() {
    let server = TestServer::start().await;
    for calls in ["0", "2", "\"many\"", "1.5"] {
        let refused = answer(server.post("/sessions").body(format!("{{\"calls\": {calls}}}"))).await;
        assert_eq!(refused.status, 422, "{calls}");
        assert_eq!(refused.body["detail"][0]["loc"], json!(["body", "calls"]));
    }
}

#[tokio::test]
async fn without_a_journal_there_is_no_verdict() {
    let server = TestServer::builder().flag("--journal-size", 0).start().await;
    ask(&server, "", &[]).await.assert_is(409, &json!({"detail": "The journal is off"}));
}

#[tokio::test]
async fn a_verdict_waits_for_a_request_in_flight_and_no_longer_than_two_seconds() {
    // The request timeout is shorter than the wait.
    let server = TestServer::builder().flag("--request-timeout", 1).start().await;
    let hang = async |key: &str, ms: u32, number: u64| {
        let mut connection = server.connect().await;
        let headers = format!("X-Fault: hang:{ms}\r\nX-Request-ID: {key}\r\n");
        connection.request("GET", "/msg", &headers).await;
        server.handled("default", number).await;
        connection
    };
    let connection = hang("short", 300, 1).await;
    let waited = verdict(&server, "").await;
    assert_eq!((&waited["requests"], &waited["in_flight"]), (&json!(1), &json!([])), "{waited:#}");
    drop(connection);

    answer(server.get("/msg").header("X-Fault", "503").header("X-Request-ID", "long")).await;
    let connection = hang("long", 60_000, 3).await;
    let began = std::time::Instant::now();
    let incomplete = within("a verdict", verdict(&server, "")).await;
    assert!(began.elapsed().as_millis() >= 2_000, "it waits for what is in flight: {incomplete:#}");
    assert_eq!(incomplete["in_flight"], json!([3]), "{incomplete:#}");
    let outcomes: Vec<_> =
        incomplete["calls"].as_array().expect("a list").iter().map(|call| call["outcome"].clone()).collect();
    assert_eq!(outcomes, ["failed", "open"], "{incomplete:#}");
    drop(connection);
}

#[tokio::test]
async fn what_is_forgotten_makes_a_verdict_incomplete() {
    let server = TestServer::builder().flag("--journal-size", 2).start().await;
    for _ in 0..3 {
        answer(server.get("/msg").header("X-Fault", "503").header("X-Test-Call", "a")).await;
    }
    let verdict = verdict(&server, "").await;
    assert_eq!((&verdict["forgotten"], &verdict["incomplete"]), (&json!(1), &json!(true)), "{verdict:#}");
}

#[tokio::test]
async fn the_page_of_findings_is_served_and_links_lead_to_it() {
    let server = with_a_call_given_up().await;
    for path in ["/findings", "/s/default/findings"] {
        let page = answer(server.get(path)).await;
        assert_eq!((page.status, page.header("Content-Type")), (200, Some("text/html; charset=utf-8")));
        assert!(page.text.contains("<h2 id=\"no-retry\">"), "{}", page.text);
    }
}
