//! Calls that succeed, with and without retries: output, report and log.

use serde_json::json;
use workspace_tests::wire_server::{Act, WireServer, reply, send};
use workspace_tests::{TestServer, answer, within};

use crate::support::{UnusedPort, attempts, get, json, quick, report_of, resilient};

#[tokio::test]
async fn the_body_is_printed_as_it_came() {
    let server = WireServer::always(vec![reply(200, "", "two\nlines, no end")]).await;
    let outcome = get(&server.url()).run().await;
    assert_eq!(
        (outcome.code, outcome.stdout.as_str(), outcome.stderr.as_str()),
        (Some(0), "two\nlines, no end", "")
    );
}

#[tokio::test]
async fn a_report_of_a_success_has_every_key() {
    let server = TestServer::start().await;
    let outcome = report_of(&server.url("/msg")).flag("--request-id", "order-42").run().await;
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""), "{outcome:#?}");
    let report = json(&outcome);
    assert_eq!(report["outcome"], "ok");
    assert_eq!(report["status"], 200);
    assert_eq!(report["request_id"], "order-42");
    assert!(report["body"]["message_id"].is_string(), "{report:#}");
    for absent in ["kind", "message", "retry_after_ms"] {
        assert_eq!(report.get(absent), Some(&json!(null)), "{absent}");
    }
    let attempt = &report["attempts"][0];
    assert!(attempt["duration_ms"].as_f64().unwrap() > 0.0);
    let mut attempt = attempt.clone();
    attempt["duration_ms"] = json!(0);
    assert_eq!(attempt, json!({"n": 1, "status": 200, "error": null, "duration_ms": 0, "wait_ms": null}));
    assert!(report["duration_ms"].as_f64().unwrap() > 0.0);
}

#[tokio::test]
async fn a_report_lists_each_attempt_with_the_wait_after_it() {
    let server = TestServer::start().await;
    answer(server.post("/fail/count/2")).await;
    let url = server.url("/msg");
    let call = resilient().arguments(&["get", &url, "--report", "--no-jitter"]);
    let outcome = call.flag("--min-wait", 0.02).flag("--max-wait", 10).flag("--multiplier", 3).run().await;
    assert_eq!(outcome.code, Some(0), "{outcome:#?}");
    let report = json(&outcome);
    assert_eq!(attempts(&report), ["500", "500", "200"]);
    let waits: Vec<_> = (0..3).map(|n| report["attempts"][n]["wait_ms"].clone()).collect();
    assert_eq!(waits, [json!(20.0), json!(60.0), json!(null)]);
    assert_eq!(report["attempts"][0]["error"], "server");
    assert_eq!(report["attempts"][2]["n"], 3);
}

#[tokio::test]
async fn a_report_marks_a_hedge_and_the_attempt_that_was_cancelled_for_it() {
    let stuck_once = |n| if n == 0 { vec![Act::Stall] } else { vec![reply(200, "", "")] };
    let server = WireServer::start(stuck_once).await;
    let outcome = report_of(&server.url()).flag("--hedge-after", 0.05).run().await;
    assert_eq!(outcome.code, Some(0), "{outcome:#?}");
    let mut attempts = json(&outcome)["attempts"].clone();
    for n in 0..2 {
        attempts[n]["duration_ms"] = json!(0);
    }
    let expected = json!([
        {"n": 1, "status": null, "error": null, "duration_ms": 0, "wait_ms": null, "cancelled": true},
        {"n": 2, "status": 200, "error": null, "duration_ms": 0, "wait_ms": null, "hedge": true},
    ]);
    assert_eq!(attempts, expected);
}

#[tokio::test]
async fn a_call_is_retried_up_to_max_attempts() {
    let server = TestServer::start().await;
    answer(server.post("/fail/count/39")).await;
    let outcome = report_of(&server.url("/msg")).flag("--max-attempts", 40).run().await;
    assert_eq!(attempts(&json(&outcome)).len(), 40, "{outcome:#?}");
    assert_eq!(outcome.code, Some(0));
}

#[tokio::test]
async fn a_retry_budget_from_a_flag_limits_the_retries() {
    let server = WireServer::always(vec![reply(500, "", "")]).await;
    let call = report_of(&server.url()).flag("--max-attempts", 40);
    let outcome = call.flag("--retry-budget-ratio", 3).flag("--retry-budget-per-second", 0).run().await;
    let report = json(&outcome);
    // Unused credit fades, so that a slow machine pays for fewer than three.
    assert!(outcome.code == Some(3) && attempts(&report).len() <= 4, "{report:#}");
    assert!(report["message"].as_str().unwrap().contains("budget"), "{report:#}");
}

#[tokio::test]
async fn every_attempt_carries_the_same_request_id_and_each_call_its_own() {
    let server = WireServer::start(|n| vec![reply(if n < 2 { 503 } else { 200 }, "", "")]).await;
    let url = server.url();
    let outcome = quick(resilient().arguments(&["get", &url, &url])).run().await;
    assert_eq!(outcome.code, Some(0), "{outcome:#?}");
    let requests = server.requests();
    let id = |n: usize| {
        let lines = requests[n].lines().map(str::to_lowercase).find(|line| line.starts_with("x-request-id:"));
        lines.expect("every request has an id")
    };
    assert_eq!(requests.len(), 4);
    assert!(id(0) == id(1) && id(1) == id(2) && id(2) != id(3), "{requests:#?}");
}

#[tokio::test]
async fn a_repeated_request_id_is_one_message() {
    let server = TestServer::start().await;
    let url = server.url("/msg");
    let outcome = resilient().arguments(&["get", &url, &url, "--request-id", "a"]).run().await;
    let lines: Vec<_> = outcome.stdout.lines().collect();
    assert_eq!(lines.len(), 2, "{outcome:#?}");
    assert_eq!(lines[0], lines[1]);
}

#[tokio::test]
async fn several_calls_are_several_reports() {
    let server = WireServer::start(|n| vec![reply([200, 404][n % 2], "", "")]).await;
    let url = server.url();
    let outcome = resilient().arguments(&["get", &url, &url, &url, "--report"]).run().await;
    let outcomes: Vec<serde_json::Value> =
        outcome.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let listed: Vec<_> = outcomes.iter().map(|report| report["outcome"].as_str().unwrap()).collect();
    assert_eq!(listed, ["ok", "error", "ok"]);
    assert_eq!(outcome.code, Some(4), "that of the last one that failed");
}

#[tokio::test]
async fn a_path_is_below_the_base_url_of_the_environment_and_flags_beat_it() {
    let server = WireServer::always(vec![reply(200, "", "")]).await;
    let program = resilient().env("RESILIENT_BASE_URL", server.url()).env("RESILIENT_USER_AGENT", "from-env");
    let outcome = program.arguments(&["get", "/here", "--user-agent", "from-flag"]).run().await;
    assert_eq!(outcome.code, Some(0), "{outcome:#?}");
    let request = &server.requests()[0];
    assert!(request.starts_with("GET /here HTTP/1.1\r\n") && request.contains("from-flag"), "{request}");
}

#[tokio::test]
async fn verbose_logs_retries_to_standard_error() {
    let server = WireServer::start(|n| vec![reply([503, 200][n.min(1)], "", "body")]).await;
    let outcome = get(&server.url()).arguments(&["-v", "--request-id", "id-1"]).run().await;
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(0), "body"), "{outcome:#?}");
    let retry = outcome.stderr.lines().find(|line| line.contains("Retrying in"));
    let retry = retry.unwrap_or_else(|| panic!("no retry in {outcome:#?}"));
    assert!(retry.contains("DEBUG") && retry.contains("Operation [id-1]"), "{retry}");
    assert!(retry.contains("request_id=id-1"), "key and value: {retry}");
    assert!(!outcome.stderr.contains('\u{1b}'), "no colour without a terminal");
}

#[tokio::test]
async fn redirects_are_followed_except_with_no_redirects() {
    let redirect = send("HTTP/1.1 302 Found\r\nLocation: /there\r\nContent-Length: 0\r\n\r\n");
    let server = WireServer::start(move |n| match n % 2 {
        0 => vec![redirect.clone()],
        _ => vec![reply(200, "", "there")],
    });
    let server = within("a server", server).await;
    assert_eq!(get(&server.url()).run().await.stdout, "there");
    let outcome = report_of(&server.url()).argument("--no-redirects").run().await;
    assert_eq!((outcome.code, json(&outcome)["kind"].as_str()), (Some(4), Some("status")), "{outcome:#?}");
}

#[tokio::test]
async fn a_body_that_is_not_utf_8_is_printed_unchanged_and_reported_as_base64() {
    let reply = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n\xff\x00";
    let server = WireServer::always(vec![send(reply)]).await;
    let output = get(&server.url()).command().output().await.unwrap();
    assert_eq!(output.stdout, b"\xff\x00");
    let report = json(&report_of(&server.url()).run().await);
    assert_eq!((&report["body"], &report["body_base64"]), (&json!(null), &json!("/wA=")));
}

#[tokio::test]
async fn include_prints_the_head_before_the_body() {
    let server = WireServer::start(|n| vec![reply([200, 404][n % 2], "X-Note: a\r\nX-Note: b\r\n", "body")]);
    let server = within("a server", server).await;
    for (flag, code) in [("-i", 0), ("--include", 4)] {
        let outcome = get(&server.url()).argument(flag).run().await;
        let (head, body) = outcome.stdout.split_once("\n\n").unwrap_or_else(|| panic!("{outcome:#?}"));
        let mut lines = head.lines();
        assert_eq!((outcome.code, body), (Some(code), "body"), "{outcome:#?}");
        assert_eq!(lines.next(), Some(if code == 0 { "HTTP 200" } else { "HTTP 404" }));
        let notes: Vec<_> = lines.filter(|line| line.starts_with("x-note")).collect();
        assert_eq!(notes, ["x-note: a", "x-note: b"], "{outcome:#?}");
    }
}

#[tokio::test]
async fn a_report_is_one_line_whatever_the_body() {
    for (sent, body) in [
        ("{\n  \"a b\": [1.50,\r\n\t2]\n}\n", json!({"a b": [1.50, 2]})),
        ("two\nlines", json!("two\nlines")),
        ("\"a\u{2028}b\u{85}c\"", json!("a\u{2028}b\u{85}c")),
        ("\n\r\n", json!("\n\r\n")),
    ] {
        let server = WireServer::always(vec![reply(200, "", sent)]).await;
        let outcome = report_of(&server.url()).run().await;
        let ends = outcome.stdout.matches(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']).count();
        assert_eq!(ends, 1, "{sent:?}: {outcome:#?}");
        assert_eq!(json(&outcome)["body"], body, "{sent:?}");
    }
}

#[tokio::test]
async fn a_report_has_the_headers_of_a_success_and_of_an_error_without_their_secrets() {
    let headers = "X-One: 1\r\nX-Many: b\r\nx-many: a\r\nSet-Cookie: s=secret; Path=/\r\nX-Odd: \u{e9}\r\n\
        Location: http://u:secret@host/?token=secret\r\n";
    for status in [200, 404] {
        let server = WireServer::always(vec![reply(status, headers, "")]).await;
        let outcome = report_of(&server.url()).run().await;
        let headers = &json(&outcome)["headers"];
        assert_eq!((&headers["x-one"], &headers["x-many"]), (&json!("1"), &json!(["b", "a"])), "{headers:#}");
        assert_eq!((&headers["set-cookie"], &headers["x-odd"]), (&json!("***"), &json!("\u{e9}")));
        assert_eq!(headers["location"], "http://***@host/?token=***");
        assert!(!outcome.stdout.contains("secret"), "{outcome:#?}");
    }
    let port = UnusedPort::new();
    assert_eq!(json(&report_of(&port.url()).run().await)["headers"], json!(null));
}
