//! The journal under load: no request is lost, and none is recorded twice.

use std::collections::HashSet;

use serde_json::Value;
use workspace_tests::{TestServer, answer};

const CONNECTIONS: usize = 50;
const EACH: usize = 1000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_thousand_requests_on_four_workers_are_all_recorded_in_the_order_in_which_they_ended() {
    let all = CONNECTIONS * EACH;
    let builder = TestServer::builder().flag("--workers", 4).flag("--journal-size", all);
    let server = builder.flag("--journal-bytes", "1GiB").start().await;
    let address = server.address();
    let clients = (0..CONNECTIONS).map(|_| {
        tokio::spawn(async move {
            let mut connection = workspace_tests::RawConnection::open(address).await;
            for _ in 0..EACH {
                assert_eq!(connection.get("/msg").await.status, 200);
            }
        })
    });
    for client in clients.collect::<Vec<_>>() {
        client.await.expect("every request is answered");
    }
    let mut entries: Vec<Value> = Vec::new();
    loop {
        let page = answer(server.get(&format!("/journal?limit=10000&since={}", entries.len()))).await.body;
        assert_eq!(page["forgotten"], 0);
        let list = page["entries"].as_array().expect("a list");
        if list.is_empty() {
            break;
        }
        entries.extend(list.iter().cloned());
    }
    assert_eq!(entries.len(), all);
    let number = |entry: &Value, name: &str| entry[name].as_u64().expect("a number");
    assert!(entries.iter().map(|entry| number(entry, "seq")).eq(1..=all as u64), "no gaps");
    let ids: HashSet<_> = entries.iter().map(|entry| number(entry, "id")).collect();
    assert_eq!(ids.len(), all);
    assert!(entries.iter().all(|entry| entry["ended"] == "answered" && entry["status"] == 200));
    // On one connection, requests end one after the other.
    let mut last = std::collections::HashMap::new();
    for entry in &entries {
        let before = last.insert(number(entry, "connection"), number(entry, "request_on_connection"));
        assert_eq!(before.unwrap_or(0) + 1, number(entry, "request_on_connection"));
    }
    assert_eq!(last.len(), CONNECTIONS);
}
