//! Clients over real sockets, and the verdict on them: none on one that works as it should, whatever it meets, and for
//! each finding a mutant that gets exactly that one.

mod client;
mod wire;

use std::time::Duration;

use fastrand::Rng;
use serde_json::{Value, json};
use workspace_tests::{Session, TestServer, answer, seed};

use client::Client;

/// The faults that a good client may meet. A hang is longer than its timeout.
const FAULTS: [&str; 22] = [
    "500",
    "502",
    "503",
    "504",
    "429",
    "408",
    "401",
    "404",
    "400",
    "reset",
    "reset:40",
    "close",
    "truncate",
    "malformed_chunk",
    "garbage",
    "extra",
    "early:503",
    "http10",
    "hang:5000",
    "interim",
    "stale",
    "lose",
];

/// The client of a session.
fn client(server: &TestServer, session: &Session, mutant: &'static str, mut rng: Rng) -> Client {
    Client {
        address: server.address(),
        prefix: format!("/s/{}", session.id),
        method: "PUT",
        attempts: rng.u32(2..=3),
        min_wait: Duration::from_millis(rng.u64(80..200)),
        timeout: Duration::from_millis(rng.u64(800..2_000)),
        hedge: None,
        calls: 3,
        mutant,
        rng,
        idle: Vec::new(),
    }
}

/// The findings, notes and others, as `[id, severity]`.
async fn judged(session: &Session, policy: &Value) -> Vec<(String, String)> {
    let parameters = [("expect", policy.to_string())];
    let query = reqwest::Url::parse_with_params("http://x/", &parameters).expect("a URL");
    let path = format!("/verdict?{}", query.query().unwrap_or_default());
    let verdict = answer(session.get(&path)).await;
    assert_eq!(verdict.status, 200, "{verdict:#?}");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let findings = verdict.body["findings"].as_array().expect("a list");
    findings.iter().map(|finding| (text(&finding["id"]), text(&finding["severity"]))).collect()
}

#[tokio::test]
async fn a_good_client_is_never_blamed_whatever_it_meets() {
    let mut rng = seed::rng();
    let server = TestServer::start().await;
    let runs = (0..24).map(|number| {
        let mut rng = rng.fork();
        let server = &server;
        async move {
            let mut faults: Vec<Value> = FAULTS.map(Value::from).to_vec();
            faults.push(json!({"status": 429, "retry_after": {"seconds": 1}}));
            rng.shuffle(&mut faults);
            faults.truncate(rng.usize(1..=faults.len()));
            let rules: Vec<Value> =
                faults.into_iter().map(|fault| json!({"probability": 0.1, "fault": fault})).collect();
            let plan = json!({"seed": rng.u32(..), "rules": rules});
            let session = Session::with_plan(server, plan.clone()).await;
            let mut client = client(server, &session, "", rng.fork());
            client.method = if rng.bool() { "POST" } else { "PUT" };
            client.hedge = (client.method == "PUT" && rng.bool()).then(|| Duration::from_millis(300));
            (client.calls, client.attempts) = (6, 3);
            let shown = format!("{} {:?} {plan}", client.method, client.hedge);
            client.run().await;
            let findings = judged(&session, &json!({"max_attempts": 3, "jitter": true})).await;
            let blamed: Vec<_> = findings.into_iter().filter(|(_, severity)| severity != "note").collect();
            assert_eq!(blamed, [], "run {number}: {shown}");
        }
    });
    futures::future::join_all(runs).await;
}

/// A mutant: what it meets, and what it promises.
struct Mutant {
    row: &'static str,
    plan: Value,
    policy: Value,
    set: fn(&mut Client),
}

fn mutants() -> Vec<Mutant> {
    let steps = |steps: Value| json!({"rules": [{"script": steps}]});
    let always = |fault: &str| json!({"rules": [{"fault": fault}]});
    let mutant = |row, plan: Value, policy: Value, set: fn(&mut Client)| Mutant { row, plan, policy, set };
    let once = || steps(json!(["503", "ok"]));
    vec![
        mutant("no-retry", steps(json!(["503"])), json!({}), |client| client.attempts = 1),
        mutant("retried-permanent", steps(json!(["404", "ok"])), json!({}), |_| {}),
        mutant(
            "retry-after-ignored",
            steps(json!([{"status": 503, "retry_after": {"seconds": 4}}, "ok"])),
            json!({}),
            |_| {},
        ),
        mutant("no-backoff", always("503"), json!({"min_wait_ms": 2000}), |client| {
            (client.attempts, client.calls) = (4, 1);
        }),
        mutant("flat-backoff", always("503"), json!({}), |client| {
            (client.attempts, client.calls, client.min_wait) = (6, 1, Duration::from_millis(1_500));
        }),
        mutant("too-many-attempts", always("503"), json!({"max_attempts": 2}), |client| {
            (client.attempts, client.calls) = (4, 1);
        }),
        mutant("retry-storm", always("503"), json!({}), |client| (client.attempts, client.calls) = (4, 22)),
        mutant("outage-ignored", always("503"), json!({}), |client| {
            (client.attempts, client.calls) = (3, 25);
        }),
        mutant("key-changed", once(), json!({}), |client| client.method = "POST"),
        mutant("key-missing", once(), json!({}), |client| client.method = "POST"),
        mutant("key-reused", steps(json!(["ok"])), json!({}), |client| client.method = "POST"),
        mutant("executed-twice", steps(json!(["ok"])), json!({}), |client| client.method = "POST"),
        mutant("body-lost", once(), json!({}), |_| {}),
        mutant("header-lost", once(), json!({}), |_| {}),
        mutant("no-timeout", steps(json!(["hang:1000", "ok"])), json!({"timeout_ms": 900}), |client| {
            client.timeout = Duration::from_secs(60);
        }),
        // The surplus bytes are no answer. With a whole answer it would take that for the answer to its next request.
        mutant(
            "broken-connection-reused",
            steps(json!([{"extra": {"bytes": "nobody asked for this"}}, "ok"])),
            json!({}),
            |_| {},
        ),
        mutant("slow-retry", once(), json!({"max_wait_ms": 20}), |_| {}),
        mutant("overlapping-attempts", steps(json!(["hang:1500", "ok"])), json!({}), |client| {
            (client.hedge, client.timeout) = (Some(Duration::from_millis(300)), Duration::from_secs(60));
        }),
        mutant("connection-churn", steps(json!(["ok"])), json!({}), |client| client.calls = 30),
    ]
}

/// Whether the clients of a mutant get its finding, and no other that is more than a note.
async fn is_found(server: &TestServer, mutant: &Mutant, rng: Rng) -> Result<(), String> {
    let session = Session::with_plan(server, mutant.plan.clone()).await;
    let mut client = client(server, &session, mutant.row, rng);
    (client.attempts, client.timeout) = (3, Duration::from_secs(20));
    (mutant.set)(&mut client);
    client.run().await;
    let findings = judged(&session, &mutant.policy).await;
    let has = findings.iter().any(|(id, _)| id == mutant.row);
    let others: Vec<_> =
        findings.iter().filter(|(id, severity)| id != mutant.row && severity != "note").collect();
    if has && others.is_empty() { Ok(()) } else { Err(format!("{}: {findings:?}", mutant.row)) }
}

#[tokio::test]
async fn each_mutant_gets_exactly_its_finding() {
    let mut rng = seed::rng();
    let server = TestServer::start().await;
    let mutants = mutants();
    let runs = mutants.iter().map(|mutant| {
        let (server, mut rng) = (&server, rng.fork());
        async move {
            // Some findings compare times. On a busy machine the times that a client meant may not be those that came.
            let mut last = Ok(());
            for _ in 0..3 {
                last = is_found(server, mutant, rng.fork()).await;
                if last.is_ok() {
                    break;
                }
            }
            last
        }
    });
    let wrong: Vec<String> =
        futures::future::join_all(runs).await.into_iter().filter_map(Result::err).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn ten_calls_that_wait_equally_long_have_no_jitter() {
    let mut rng = seed::rng();
    let server = TestServer::start().await;
    let mut last = Vec::new();
    for _ in 0..3 {
        let plan = json!({"rules": [{"per": "connection", "script": ["503", "ok"]}]});
        let session = Session::with_plan(&server, plan).await;
        let calls = (0..10).map(|number| {
            let mut client = client(&server, &session, "no-jitter", rng.fork());
            client.prefix = format!("/s/{}", session.id);
            (client.attempts, client.calls, client.min_wait) = (2, 1, Duration::from_secs(5));
            async move { client.call(number).await }
        });
        futures::future::join_all(calls).await;
        last = judged(&session, &json!({})).await;
        if last.iter().any(|(id, severity)| id == "no-jitter" && severity == "warn") {
            break;
        }
    }
    let serious: Vec<_> =
        last.iter().filter(|(_, severity)| severity != "note").map(|(id, _)| &**id).collect();
    assert_eq!(serious, ["no-jitter"]);
}
