//! The cases of `check` for test suites: `POST /sessions {"case": …}` and the verdict of such a session.

use std::time::Duration;

use serde_json::{Value, json};
use workspace_tests::{Program, Session, TestServer, answer};

use crate::support::{careless, check, end, judged, resilient};

async fn verdict(session: &Session) -> Value {
    answer(session.get("/verdict")).await.body
}

/// Runs a client against the session.
async fn run(session: &Session, client: &str, arguments: &[&str]) {
    let program = Program::at(client.as_ref()).arguments(arguments);
    end(program.argument(format!("{}/echo", session.base_url))).await;
}

#[tokio::test]
async fn every_case_that_is_listed_makes_a_session() {
    let server = TestServer::start().await;
    let listed = check(&["--list"]).run().await.stdout;
    let names: Vec<&str> = listed.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(names.len(), 30);
    for name in names {
        let session = Session::open(&server, json!({ "case": name })).await;
        assert!(session.plan().await["plan"]["rules"].is_array(), "{name}");
    }
}

#[tokio::test]
async fn a_case_that_does_not_exist_and_a_case_beside_a_plan_are_refused() {
    let server = TestServer::start().await;
    let unknown = answer(server.post("/sessions").json(&json!({"case": "two-504"}))).await;
    let problem = &unknown.body["detail"][0];
    assert_eq!((unknown.status, &problem["type"]), (422, &"literal_error".into()), "{unknown:#?}");
    assert_eq!(problem["loc"], json!(["body", "case"]));
    assert!(problem["msg"].as_str().is_some_and(|message| message.contains("'two-503'")), "{problem}");
    let both = json!({"case": "reset", "faults": {"rules": []}});
    let both = answer(server.post("/sessions").json(&both)).await;
    assert_eq!((both.status, &both.body["detail"][0]["type"]), (422, &"value_error".into()), "{both:#?}");
    assert_eq!(both.body["detail"][0]["loc"], json!(["body"]));
    assert_eq!(answer(server.post("/sessions").json(&json!({"case": 503}))).await.status, 422);
}

#[tokio::test]
async fn a_reset_begins_the_case_anew_with_an_empty_journal() {
    let server = TestServer::start().await;
    let session = Session::open(&server, json!({"case": "two-503"})).await;
    for _ in 0..2 {
        assert_eq!(session.statuses("/echo", 3).await, [503, 503, 200]);
        assert_eq!(verdict(&session).await["requests"], 3);
        assert_eq!(answer(session.post("/reset")).await.status, 200);
        assert_eq!(verdict(&session).await["requests"], 0);
    }
}

#[tokio::test]
async fn all_requests_of_a_case_are_of_one_call() {
    let server = TestServer::start().await;
    let session = Session::open(&server, json!({"case": "one-503"})).await;
    assert_eq!(session.statuses("/echo", 1).await, [503]);
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(session.statuses("/echo", 1).await, [200]);
    let verdict = verdict(&session).await;
    let call = &verdict["calls"][0];
    assert_eq!(call["attempts"], json!([1, 2]), "{verdict:#}");
    assert_eq!((&call["guess"], &verdict["verdict"]), (&false.into(), &"pass".into()), "{verdict:#}");
}

#[tokio::test]
async fn the_verdict_of_a_case_is_that_of_check() {
    let server = TestServer::start().await;
    let once = ["get", "--max-attempts", "1"];
    let twice = ["--times", "2"];
    let table: [(&str, &str, &[&str]); 4] = [
        ("one-503", resilient(), &once),
        ("429-seconds", careless(), &twice),
        ("garbage", careless(), &["--times", "2", "--same-connection"]),
        ("truncated", resilient(), &["get"]),
    ];
    for (case, client, arguments) in table {
        let session = Session::open(&server, json!({ "case": case })).await;
        run(&session, client, arguments).await;
        let script = format!("{client} {} $TARGET_URL", arguments.join(" "));
        let (of_session, of_check) = (verdict(&session).await, judged(case, &[], &script).await);
        assert_eq!(of_session["findings"], of_check["findings"], "{case}: {of_check:#}");
    }
}
