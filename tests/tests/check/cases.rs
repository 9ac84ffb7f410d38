//! Each case judged with a good client and with a bad one.

use std::io::Write;

use serde_json::Value;

use crate::support::{careless, check, end, judged, report, resilient};

/// Cases, the results that they must have, and the beginning of the reason.
type Expected<'a> = (&'a str, &'a [&'a str], String, &'a str, &'a str);

fn name_and_result(case: &Value) -> (&str, &str) {
    (case["case"].as_str().unwrap_or_default(), case["result"].as_str().unwrap_or_default())
}

fn all_pass(report: &Value, but: &[&str]) {
    let cases = report["cases"].as_array().expect("a list of cases");
    assert_eq!(cases.len(), 30, "{report:#}");
    for case in cases {
        let (name, result) = name_and_result(case);
        let expected = if but.contains(&name) { "not_applicable" } else { "pass" };
        assert_eq!(result, expected, "{case:#}");
    }
    let skipped = but.len();
    let sum = serde_json::json!({"pass": 30 - skipped, "warn": 0, "fail": 0, "not_applicable": skipped});
    assert_eq!(report["sum"], sum);
}

#[tokio::test]
async fn the_projects_own_client_passes_every_case_that_concerns_a_get() {
    let (report, code) = report(&["--", resilient(), "get", "{url}"]).await;
    all_pass(&report, &["early-answer", "lost-ack"]);
    assert_eq!(code, Some(0));
}

#[tokio::test]
async fn the_projects_own_client_passes_every_case_with_a_post() {
    let order = r#"{"order":42}"#;
    let (report, code) = report(&["--post", "--", resilient(), "post", "{url}", "--json", order]).await;
    all_pass(&report, &[]);
    assert_eq!(code, Some(0));
}

/// The features of the client that are off by default.
const EVERY_FEATURE: [&str; 14] = [
    "--cookies",
    "--adaptive-concurrency",
    "--breaker-scope",
    "origin",
    "--failure-rate",
    "0.9",
    "--slow-call-rate",
    "0.9",
    "--breaker-window",
    "60s",
    "--hedge-after",
    "0.3",
    "--hedge-max",
    "2",
];

#[tokio::test]
async fn the_projects_own_client_passes_every_case_with_every_feature_on() {
    let order = ["--json", r#"{"order":42}"#];
    let get = [&["--", resilient(), "get", "{url}"][..], &EVERY_FEATURE].concat();
    let post = [&["--post", "--", resilient(), "post", "{url}"][..], &order, &EVERY_FEATURE].concat();
    let ((by_get, get_code), (by_post, post_code)) = futures::join!(report(&get), report(&post));
    all_pass(&by_get, &["early-answer", "lost-ack"]);
    all_pass(&by_post, &[]);
    assert_eq!((get_code, post_code), (Some(0), Some(0)));
    // Hedging was on: without it, a slow answer is awaited.
    let case = |report: &Value, name| {
        let cases = report["cases"].as_array().expect("a list of cases");
        cases.iter().find(|case| case["case"] == name).cloned().expect("the case exists")
    };
    assert_eq!(case(&by_get, "slow-head")["why"], "2 requests, exit 0");
    assert_eq!(case(&by_post, "slow-head")["why"], "1 request, exit 0", "a POST without an id is not hedged");
}

#[tokio::test]
async fn an_early_answer_to_a_large_post_is_seen_by_the_projects_own_client() {
    let program = check(&["--case", "early-answer", "--post", "--"]);
    let body = program.directory().join("body");
    std::fs::write(&body, vec![b'x'; 16 << 20]).unwrap();
    let body = format!("@{}", body.display());
    let outcome = end(program.arguments(&[resilient(), "post", "{url}", "-d", &body])).await;
    assert_eq!(outcome.code, Some(0), "{outcome:#?}");
    assert!(outcome.stdout.contains("1 request, exit 4"), "{outcome:#?}");
}

/// Runs bad clients, some at once.
async fn are_judged(expected: Vec<Expected<'_>>) {
    let judgements = expected.iter().map(|(case, flags, script, ..)| judged(case, flags, script));
    let judgements = futures::future::join_all(judgements).await;
    for ((case, _, script, result, why), judged) in expected.iter().zip(&judgements) {
        let told = format!("{case} of {script}:\n{judged:#}");
        assert_eq!(name_and_result(judged), (*case, *result), "{told}");
        let found = judged["why"].as_str().unwrap_or_default();
        assert!(found.contains(why), "{why}\nis not in\n{told}");
    }
}

/// The client makes one attempt.
fn once() -> String {
    format!("{} get --max-attempts 1 $TARGET_URL", resilient())
}

#[tokio::test]
async fn clients_that_report_the_wrong_result_fail() {
    let (once, get) = (once(), format!("{} get $TARGET_URL", resilient()));
    let succeeds_anyway = format!("{once}; exit 0");
    let fails_anyway = format!("{get}; exit 7");
    let half = format!("{get} >/dev/null; printf '{{\"message_id\":\"16598348-6599-4d5c'");
    let whole = "exit 7 although the last answer was a whole 200";
    let broken = "exit 0 although the last answer was broken: a part was taken for the whole";
    are_judged(vec![
        ("steady", &[], fails_anyway.clone(), "fail", whole),
        ("steady", &[], "exit 0".to_owned(), "fail", "sent no request; exit 0"),
        ("http10", &[], fails_anyway.clone(), "fail", whole),
        ("interim", &[], fails_anyway, "fail", whole),
        ("one-503", &[], succeeds_anyway.clone(), "fail", "exit 0 although the last answer was a 503"),
        ("500", &[], succeeds_anyway.clone(), "fail", "exit 0 although the last answer was a 500"),
        ("404", &[], succeeds_anyway.clone(), "fail", "exit 0 although the last answer was a 404"),
        ("outage", &[], succeeds_anyway.clone(), "fail", "exit 0 although the last answer was a 503"),
        ("reset", &[], succeeds_anyway.clone(), "fail", "exit 0 although no answer came"),
        ("empty", &[], succeeds_anyway, "fail", "exit 0 although no answer came"),
        ("reset-in-body", &[], format!("{} $TARGET_URL", careless()), "fail", broken),
        ("truncated", &[], format!("{} $TARGET_URL", careless()), "fail", broken),
        ("truncated-chunked", &[], format!("{} $TARGET_URL", careless()), "fail", broken),
        ("malformed-chunk", &[], format!("{} $TARGET_URL", careless()), "fail", broken),
        (
            "garbage",
            &[],
            format!("{} $TARGET_URL", careless()),
            "fail",
            "exit 0 although what came was not HTTP",
        ),
        ("truncated", &[], half.clone(), "fail", "exit 0, and printed the first 33 bytes of a broken answer"),
        ("one-503", &[], half, "pass", "2 requests, exit 0"),
    ])
    .await;
}

#[tokio::test]
async fn clients_that_do_not_try_again_or_do_not_wait_are_warned() {
    let once = once();
    let no_retry = "no-retry: ";
    let impatient = |flag| format!("{} get --max-attempts 1 {flag} $TARGET_URL", resilient());
    let too_early = "exit 7 before the answer was complete";
    are_judged(vec![
        ("one-503", &[], once.clone(), "warn", no_retry),
        ("two-503", &[], once.clone(), "warn", no_retry),
        ("408", &[], once.clone(), "warn", no_retry),
        ("reset", &[], once.clone(), "warn", no_retry),
        ("truncated", &[], once.clone(), "warn", no_retry),
        ("flaky", &[], once.clone(), "warn", no_retry),
        ("rate-limit", &[], once.clone(), "warn", no_retry),
        ("slow-head", &[], impatient("--deadline 0.5"), "warn", too_early),
        ("slow-body", &[], impatient("--deadline 0.5"), "warn", too_early),
        ("stale", &[], once.clone(), "not_applicable", "did not come back on the connection"),
    ])
    .await;
}

#[tokio::test]
async fn clients_that_come_back_when_or_where_they_should_not_are_found_out() {
    let again = |flags: &str| format!("{} $TARGET_URL --times 2 {flags}", careless());
    let reused = "broken-connection-reused: ";
    let early = "retry-after-ignored: ";
    let eager = "--max-attempts 8 --min-wait 0 --max-wait 0.001";
    let eager = format!("{} get {eager} $TARGET_URL", resilient());
    let shared = format!("{0} || {0}", once());
    // A wait of less than 20 ms is more than a busy machine can promise.
    let mut policy = tempfile::NamedTempFile::new().unwrap();
    policy.write_all(br#"{"min_wait_ms":5000}"#).unwrap();
    let policy = policy.path().to_str().unwrap();
    are_judged(vec![
        ("429-seconds", &[], again(""), "fail", early),
        ("429-date", &[], again(""), "fail", early),
        ("503-retry-after", &[], again("--pause-ms 1000"), "fail", early),
        ("rate-limit", &[], shared, "fail", early),
        ("404", &[], again("--exit 1 --pause-ms 200"), "warn", "retried-permanent: "),
        ("400", &[], again("--exit 1 --pause-ms 200"), "warn", "retried-permanent: "),
        ("early-answer", &["--post"], again("--exit 1 --pause-ms 200 --post x"), "fail", "key-missing: "),
        ("outage", &["--expect", policy], eager, "fail", "no-backoff: "),
        ("malformed-chunk", &[], again("--exit 1 --same-connection"), "fail", reused),
        ("garbage", &[], again("--exit 1 --same-connection"), "fail", reused),
        ("extra-bytes", &[], again("--same-connection"), "fail", reused),
        ("stale", &[], again("--same-connection"), "fail", "exit 0 although no answer came"),
        ("lost-ack", &["--post"], again("--post x"), "fail", "executed-twice: "),
    ])
    .await;
}

#[tokio::test]
async fn a_client_without_a_timeout_is_warned_where_it_promises_one() {
    let program = check(&["--case", "hang", "--timeout", "8", "--expect", "policy.json", "--"]);
    std::fs::write(program.directory().join("policy.json"), r#"{"timeout_ms":2000}"#).unwrap();
    let patient = [resilient(), "get", "--read-timeout", "60", "{url}"];
    let outcome = end(program.arguments(&patient)).await;
    assert_eq!(outcome.code, Some(0), "{outcome:#?}");
    assert!(outcome.stdout.starts_with("hang  warn  "), "{outcome:#?}");
    assert!(outcome.stdout.contains("no-timeout: "), "{outcome:#?}");
}

#[tokio::test]
async fn ten_clients_without_jitter_are_warned() {
    // Two percent of a wait must be longer than a busy machine delays it.
    let script = format!("{} get --no-jitter --min-wait 10 $TARGET_URL", resilient());
    are_judged(vec![("ten-alike", &[], script, "warn", "no-jitter: ")]).await;
}

#[tokio::test]
async fn clients_that_do_not_use_the_url_of_a_shared_session_cannot_be_told_apart() {
    let script = format!("{} get $TARGET_BASE_URL/msg", resilient());
    are_judged(vec![("rate-limit", &[], script, "not_applicable", "cannot be told apart")]).await;
}
