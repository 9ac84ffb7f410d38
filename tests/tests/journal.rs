//! The journal: every request to the data plane, and how it ended.

use serde_json::{Value, json};
use workspace_tests::raw::RawConnection;
use workspace_tests::{Program, TestServer, answer, within};

/// The journal under `prefix`.
async fn journal(server: &TestServer, prefix: &str) -> Value {
    let page = answer(server.get(&format!("{prefix}/journal?limit=10000"))).await;
    assert_eq!(page.status, 200, "{page:?}");
    page.body
}

async fn entries(server: &TestServer) -> Vec<Value> {
    journal(server, "").await["entries"].as_array().expect("a list").clone()
}

/// The entries once there are `count` of them.
async fn when_there_are(server: &TestServer, count: usize) -> Vec<Value> {
    within("as many entries", async {
        loop {
            let entries = entries(server).await;
            if entries.len() >= count {
                break entries;
            }
        }
    })
    .await
}

/// One field of every entry.
fn each(entries: &[Value], name: &str) -> Value {
    entries.iter().map(|entry| entry[name].clone()).collect()
}

async fn send(connection: &mut RawConnection, request: &str) {
    connection.send(request).await.expect("it listens");
}

#[tokio::test]
async fn every_request_to_the_data_plane_is_recorded_and_no_other() {
    let server = TestServer::start().await;
    answer(server.get("/msg")).await;
    answer(server.post("/echo/a%20b?x=1").body("hello")).await;
    answer(server.get("/nothing")).await;
    answer(server.post("/msg")).await;
    answer(server.get("/msg?delay=x")).await;
    answer(server.get("/health")).await;
    answer(server.get("/fail/status")).await;
    answer(server.get("/openapi.json")).await;
    let entries = entries(&server).await;
    assert_eq!(each(&entries, "seq"), json!([1, 2, 3, 4, 5]));
    assert_eq!(each(&entries, "id"), json!([1, 2, 3, 4, 5]));
    assert_eq!(each(&entries, "method"), json!(["GET", "POST", "GET", "POST", "GET"]));
    assert_eq!(each(&entries, "path"), json!(["/msg", "/echo/a%20b", "/nothing", "/msg", "/msg"]));
    assert_eq!(each(&entries, "query"), json!(["", "x=1", "", "", "delay=x"]));
    assert_eq!(each(&entries, "status"), json!([200, 200, 404, 405, 422]));
    assert_eq!(each(&entries, "execution"), json!(["executed", "executed", "none", "none", "none"]));
    assert!(entries.iter().all(|entry| entry["ended"] == "answered" && entry["answered_by"] == "server"));
    assert!(entries.iter().all(|entry| entry["duration_ms"].as_f64().is_some_and(|ms| ms > 0.0)));
    // echo -n hello | sha256sum
    let hello = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
    assert_eq!((&entries[1]["body_bytes"], &entries[1]["body_sha256"]), (&json!(5), &json!(hello)));
    assert_eq!(entries[0]["body_bytes"], 0);
    assert_eq!(entries[0]["headers"]["host"], json!(server.address().to_string()));
}

#[tokio::test]
async fn a_key_and_its_replay_are_recorded() {
    let server = TestServer::start().await;
    for _ in 0..2 {
        answer(server.get_keyed("/msg", "k")).await;
    }
    answer(server.get_keyed("/msg", "two words")).await;
    let entries = entries(&server).await;
    assert_eq!(each(&entries, "key"), json!(["k", "k", null]), "a key that is refused is not recorded");
    assert_eq!(each(&entries, "execution"), json!(["executed", "replayed", "none"]));
}

#[tokio::test]
async fn connections_and_their_requests_are_numbered() {
    let server = TestServer::start().await;
    let (mut first, mut second) = (server.connect().await, server.connect().await);
    first.get("/msg").await;
    second.get("/msg").await;
    first.get("/msg").await;
    first.get("/msg").await;
    // A client may have an answer before the server has noted its end, so the order is not asserted.
    let mut requests: Vec<_> = entries(&server)
        .await
        .iter()
        .map(|entry| [entry["connection"].as_u64(), entry["request_on_connection"].as_u64()])
        .collect();
    requests.sort();
    let connections: Vec<_> = requests.iter().map(|[connection, _]| *connection).collect();
    let numbers: Vec<_> = requests.iter().filter_map(|[_, number]| *number).collect();
    let is_first_lower = connections[2] == connections[0];
    assert_eq!(numbers, if is_first_lower { [1, 2, 3, 1] } else { [1, 1, 2, 3] });
    assert_ne!(connections[0], connections[3]);
}

#[tokio::test]
async fn secrets_are_masked() {
    let server = TestServer::start().await;
    let request = server
        .get("/msg?api_key=hidden1&x=1&to%6ben=hidden2")
        .header("Authorization", "Bearer hidden3")
        .header("Cookie", "a=hidden4")
        .header("X-Api-Key", "hidden5")
        .header("X-Plain", "shown");
    answer(request).await;
    for path in ["/journal", "/journal.har"] {
        let text = answer(server.get(path)).await.text;
        assert!(text.contains("shown") && text.contains("***"), "{text}");
        assert!(!text.contains("hidden"), "{text}");
    }
    let entries = entries(&server).await;
    assert_eq!(entries[0]["query"], "api_key=***&x=1&to%6ben=***");
    assert_eq!(entries[0]["headers"]["authorization"], "***");
}

#[tokio::test]
async fn faults_are_recorded_with_what_said_so() {
    let server = TestServer::start().await;
    answer(server.post("/fail/count/1")).await;
    answer(server.post("/echo").body("retry me")).await;
    answer(server.get("/msg").header("X-Fault", "429")).await;
    answer(server.post("/fail/script/ok,503")).await;
    answer(server.get("/msg")).await;
    answer(server.post("/echo").body("retry me")).await;
    answer(server.post("/echo").body("retry me")).await;
    let entries = entries(&server).await;
    let expected = json!([
        {"by": "mode", "rule": null, "step": null, "short": "500"},
        {"by": "header", "rule": null, "step": null, "short": "429"},
        null,
        {"by": "rule", "rule": 0, "step": 1, "short": "503"},
        null,
    ]);
    assert_eq!(each(&entries, "fault"), expected);
    assert_eq!(each(&entries, "status"), json!([500, 429, 200, 503, 200]));
    assert_eq!(each(&entries, "execution"), json!(["none", "none", "executed", "none", "executed"]));
    let hashes = each(&entries, "body_sha256");
    assert!(hashes[0].is_string() && hashes[0] == hashes[3] && hashes[3] == hashes[4], "{hashes}");
}

#[tokio::test]
async fn a_client_that_leaves_and_a_request_that_times_out_are_recorded_as_such() {
    let server = TestServer::verbose().flag("--request-timeout", 1).start().await;
    let mut leaver = server.connect().await;
    send(&mut leaver, "GET /msg?delay=20000 HTTP/1.1\r\nHost: x\r\nX-Request-ID: left\r\n\r\n").await;
    server.received("left").await;
    leaver.abort();
    assert_eq!(when_there_are(&server, 1).await[0]["ended"], "client_left");
    assert_eq!(answer(server.get("/msg?delay=20000")).await.status, 408);
    let entries = when_there_are(&server, 2).await;
    assert_eq!(each(&entries, "ended"), json!(["client_left", "timed_out"]));
    assert_eq!(each(&entries, "status"), json!([null, 408]));
    assert_eq!(entries[1]["execution"], "none");
    assert!(entries[1]["duration_ms"].as_f64().is_some_and(|ms| ms >= 1000.0), "{entries:?}");
}

#[tokio::test]
async fn what_is_no_request_is_not_recorded() {
    let server = TestServer::start().await;
    let mut connection = server.connect().await;
    send(&mut connection, "nonsense\r\n\r\n").await;
    connection.closed().await;
    assert_eq!(journal(&server, "").await, json!({"entries": [], "forgotten": 0, "next": 0}));
}

#[tokio::test]
async fn pages_lead_through_the_journal() {
    let server = TestServer::builder().flag("--journal-size", 5).start().await;
    for key in ["a", "b", "a", "b", "a", "b", "a"] {
        answer(server.get_keyed("/msg", key)).await;
    }
    let page = async |query: &str| {
        let body = answer(server.get(&format!("/journal?{query}"))).await.body;
        let seqs = each(body["entries"].as_array().expect("a list"), "seq");
        json!([seqs, body["forgotten"], body["next"]])
    };
    assert_eq!(page("").await, json!([[3, 4, 5, 6, 7], 2, 7]));
    assert_eq!(page("limit=2").await, json!([[3, 4], 2, 4]));
    assert_eq!(page("limit=2&since=4").await, json!([[5, 6], 2, 6]));
    assert_eq!(page("limit=2&since=6").await, json!([[7], 2, 7]));
    assert_eq!(page("since=7").await, json!([[], 2, 7]));
    assert_eq!(page("key=b").await, json!([[4, 6], 2, 7]));
    for query in ["limit=0", "limit=10001", "limit=x", "since=-1", "since=x", "since=9223372036854775808"] {
        assert_eq!(answer(server.get(&format!("/journal?{query}"))).await.status, 422, "{query}");
    }
}

#[tokio::test]
async fn the_journal_is_read_as_lines_and_as_an_archive() {
    let server = TestServer::start().await;
    for path in ["/msg", "/nothing"] {
        answer(server.get(path)).await;
    }
    let lines = answer(server.get("/journal").header("Accept", "application/x-ndjson")).await;
    assert_eq!(lines.header("Content-Type"), Some("application/x-ndjson"));
    let lines: Vec<Value> =
        lines.text.lines().map(|line| serde_json::from_str(line).expect("an object a line")).collect();
    assert_eq!(lines, entries(&server).await);
    let archive = answer(server.get("/journal.har")).await.body;
    assert_eq!(archive["log"]["version"], "1.2");
    let archived = archive["log"]["entries"].as_array().expect("a list");
    let urls: Vec<_> = archived.iter().map(|entry| entry["request"]["url"].clone()).collect();
    assert_eq!(urls, [server.url("/msg"), server.url("/nothing")]);
    assert_eq!(archived[1]["response"]["status"], 404);
}

#[tokio::test]
async fn each_session_has_its_journal_and_a_reset_empties_it() {
    let server = TestServer::start().await;
    answer(server.post("/sessions").body(r#"{"id":"a"}"#)).await;
    answer(server.get("/s/a/msg?x=1")).await;
    answer(server.get("/msg")).await;
    let inner = journal(&server, "/s/a").await;
    assert_eq!((&inner["next"], &inner["entries"][0]["path"]), (&json!(1), &json!("/msg")));
    assert_eq!(inner["entries"][0]["query"], "x=1");
    assert_eq!(journal(&server, "").await["next"], 1);
    answer(server.post("/s/a/reset")).await;
    assert_eq!(journal(&server, "/s/a").await, json!({"entries": [], "forgotten": 0, "next": 0}));
    assert_eq!(journal(&server, "").await["next"], 1);
}

#[tokio::test]
async fn without_a_journal_there_is_nothing_to_read() {
    let server = TestServer::builder().flag("--journal-size", 0).start().await;
    answer(server.get("/msg")).await;
    for path in ["/journal", "/journal.har", "/journal/stream"] {
        answer(server.get(path)).await.assert_is(409, &json!({"detail": "The journal is off"}));
    }
}

#[tokio::test]
async fn a_request_ends_with_the_last_byte_of_its_answer_though_its_client_keeps_the_connection() {
    let server = TestServer::start().await;
    let mut connections = Vec::new();
    for fault in ["close", "early:503", "garbage", "hang:1", "http10", "reset:20", "truncate"] {
        let mut connection = server.connect().await;
        send(&mut connection, &format!("GET /msg HTTP/1.1\r\nHost: x\r\nX-Fault: {fault}\r\n\r\n")).await;
        connections.push(connection);
    }
    let mut entries = when_there_are(&server, connections.len()).await;
    entries.sort_by_key(|entry| entry["fault"]["short"].to_string());
    let expected = json!(["broken", "answered", "broken", "broken", "answered", "broken", "broken"]);
    assert_eq!(each(&entries, "ended"), expected);
    assert_eq!(each(&entries, "status"), json!([null, 503, null, null, 200, 200, 200]));
}

#[tokio::test]
async fn the_journals_of_all_sessions_share_a_bound_on_memory() {
    let server: Program = TestServer::builder();
    let server = server.flag("--journal-bytes", "64KiB").start().await;
    let large = "v".repeat(3000);
    for _ in 0..60 {
        answer(server.get("/msg").header("X-Large", &large)).await;
    }
    let page = journal(&server, "").await;
    let kept = page["entries"].as_array().expect("a list").len();
    assert!((5..=22).contains(&kept), "{kept} entries of 3 KB");
    assert_eq!(page["forgotten"].as_u64(), Some(60 - kept as u64));
}

#[tokio::test]
async fn answers_that_are_broken_and_requests_on_stale_connections_are_recorded_as_such() {
    let server = TestServer::start().await;
    for fault in ["close", "reset", "truncate", "garbage"] {
        let mut connection = server.connect().await;
        send(&mut connection, &format!("GET /msg HTTP/1.1\r\nHost: x\r\nX-Fault: {fault}\r\n\r\n")).await;
        connection.closed().await;
    }
    let mut connection = server.connect().await;
    send(&mut connection, "GET /msg HTTP/1.1\r\nHost: x\r\nX-Fault: stale\r\n\r\n").await;
    connection.response().await;
    send(&mut connection, "GET /msg HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert!(connection.try_response().await.is_none());
    let mut entries = when_there_are(&server, 6).await;
    entries.sort_by_key(|entry| entry["id"].as_u64());
    assert_eq!(each(&entries, "ended"), json!(["broken", "broken", "broken", "broken", "answered", "stale"]));
    assert_eq!(each(&entries, "status"), json!([null, null, 200, null, 200, null]));
    let shorts: Vec<_> = entries.iter().map(|entry| entry["fault"]["short"].clone()).collect();
    assert_eq!(json!(shorts), json!(["close", "reset", "truncate", "garbage", "stale", null]));
    assert_eq!(each(&entries, "execution")[2], "executed");
}

#[tokio::test]
async fn an_answer_that_a_fault_sends_as_a_whole_is_answered_although_the_connection_ends_behind_it() {
    let server = TestServer::start().await;
    let faults = ["http10", "early:413", "extra", "interim", "drip:100000"];
    for fault in faults {
        let sent = server.get("/msg").header("X-Fault", fault).send().await.unwrap();
        sent.bytes().await.unwrap();
    }
    let mut entries = when_there_are(&server, faults.len()).await;
    entries.sort_by_key(|entry| entry["id"].as_u64());
    assert_eq!(each(&entries, "ended"), json!(["answered", "answered", "answered", "answered", "answered"]));
    assert_eq!(each(&entries, "status"), json!([200, 413, 200, 200, 200]));
}
