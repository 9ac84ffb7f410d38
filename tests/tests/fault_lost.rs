//! Lost acknowledgements: the request is executed, its answer is lost, and the retry gets the stored answer.

use std::time::Duration;

use serde_json::{Value, json};
use workspace_tests::logs::LogLine;
use workspace_tests::{Ended, RawConnection, Session, TestServer, answer};

/// Sends a POST with a key and a fault to a session.
async fn post(server: &TestServer, session: &str, key: &str, fault: &str) -> RawConnection {
    let mut connection = server.connect().await;
    let headers = format!("Idempotency-Key: {key}\r\nX-Fault: {fault}\r\nContent-Length: 5\r\n");
    connection
        .send(format!("POST /s/{session}/echo/orders HTTP/1.1\r\nHost: x\r\n{headers}\r\nhello"))
        .await
        .expect("the connection is open");
    connection
}

/// Sends the same POST without a fault.
async fn retry(session: &Session, key: &str) -> workspace_tests::Answer {
    answer(session.post("/echo/orders").header("Idempotency-Key", key).body("hello")).await
}

/// How each request to a session was executed, and what the client saw of it, in the order of their ends.
async fn executions(session: &Session) -> Vec<(Value, Value)> {
    let journal = answer(session.get("/journal")).await;
    let entries = journal.body["entries"].as_array().expect("a list of entries");
    entries.iter().map(|entry| (entry["execution"].clone(), entry["status"].clone())).collect()
}

#[tokio::test]
async fn the_retry_of_a_lost_answer_gets_the_stored_one_and_one_execution_is_recorded() {
    let server = TestServer::start().await;
    for (fault, ended) in [
        ("lose", Ended::Reset),
        ("lose:reset", Ended::Reset),
        ("lose:close", Ended::Closed),
        ("lose:truncate", Ended::Closed),
    ] {
        let session = Session::open(&server, json!({})).await;
        let mut connection = post(&server, &session.id, "k", fault).await;
        let (text, how) = connection.end().await;
        assert_eq!(how, ended, "{fault}");
        let id = match fault {
            "lose:truncate" => {
                assert!(text.starts_with("HTTP/1.1 200 OK\r\n"), "{text}");
                let (_, rest) = text.split_once("\"message_id\":\"").expect("half of the body holds the id");
                Some(rest[..36].to_owned())
            }
            _ => {
                assert_eq!(text, "", "{fault}");
                None
            }
        };
        let stored = retry(&session, "k").await;
        assert!(stored.is_replayed(), "{fault}: {stored:#?}");
        if let Some(id) = id {
            assert_eq!(stored.message_id().to_string(), id, "the client saw a part of the stored answer");
        }
        let again = post(&server, &session.id, "k", fault).await.end().await;
        assert_eq!(again.1, ended, "{fault}: a stored answer is lost as well");
        let executions = executions(&session).await;
        let kinds: Vec<_> = executions.iter().map(|(execution, _)| execution).collect();
        assert_eq!(kinds, ["executed", "replayed", "replayed"], "{fault}: {executions:?}");
    }
}

#[tokio::test]
async fn while_a_lost_answer_hangs_other_requests_with_its_key_are_answered() {
    let server = TestServer::verbose().start().await;
    let session = Session::open(&server, json!({ "max_concurrency": 2 })).await;
    let mut hanging = post(&server, &session.id, "k", "lose:hang").await;
    server.wait_for_log("the execution", |line: &LogLine| line.says("Cache store")).await;
    let (first, second) = (retry(&session, "k").await, retry(&session, "k").await);
    assert!(first.is_replayed() && second.is_replayed(), "{first:#?} {second:#?}");
    assert_eq!(first.message_id(), second.message_id());
    let other = retry(&session, "other").await;
    assert!(!other.is_replayed(), "another key is executed");
    let still = tokio::time::timeout(Duration::from_millis(200), hanging.bytes(1)).await;
    assert!(still.is_err(), "the first request still hangs: {still:?}");
    assert_eq!(answer(session.post("/reset")).await.status, 200);
    assert_eq!(hanging.end().await, (String::new(), Ended::Closed));
}
