//! The live stream of the journal.

use serde_json::{Value, json};
use workspace_tests::{TestServer, answer, within};

/// A reader of the stream at `path`. It follows once this has returned.
async fn follow(server: &TestServer, path: &str, last_event_id: Option<u64>) -> reqwest::Response {
    let mut request = server.get(path).timeout(std::time::Duration::from_secs(120));
    if let Some(id) = last_event_id {
        request = request.header("Last-Event-ID", id);
    }
    let stream = request.send().await.expect("the head of the stream");
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    stream
}

/// What a stream says up to `last`; all of it if `last` is empty.
async fn read(stream: &mut reqwest::Response, last: &str) -> String {
    let mut text = String::new();
    while last.is_empty() || !text.contains(last) {
        match within("more of the stream", stream.chunk()).await.expect("a stream that ends cleanly") {
            Some(chunk) => text += &String::from_utf8_lossy(&chunk),
            None => break,
        }
    }
    text
}

/// The events in a text: name, id and data of each.
fn events(text: &str) -> Vec<(String, Option<u64>, Value)> {
    let field = |block: &str, name: &str| {
        block.lines().find_map(|line| line.strip_prefix(name)).map(|value| value.trim().to_owned())
    };
    let blocks = text.split("\n\n").filter(|block| block.starts_with("event:"));
    let event = |block: &str| {
        let data = field(block, "data:").and_then(|data| serde_json::from_str(&data).ok());
        let id = field(block, "id:").and_then(|id| id.parse().ok());
        (field(block, "event:").expect("a name"), id, data.expect("JSON"))
    };
    blocks.map(event).collect()
}

#[tokio::test]
async fn requests_are_seen_as_they_begin_and_end_until_the_session_ends() {
    let server = TestServer::start().await;
    answer(server.post("/sessions").body(r#"{"id":"a"}"#)).await;
    let mut stream = follow(&server, "/s/a/journal/stream", None).await;
    answer(server.get("/s/a/msg")).await;
    answer(server.get("/msg")).await;
    // The journal is read behind the end of the request.
    answer(server.get("/s/a/journal")).await;
    reqwest::Client::new().delete(server.url("/sessions/a")).send().await.expect("an answer");
    let events = events(&read(&mut stream, "").await);
    let names: Vec<_> = events.iter().map(|(name, id, _)| (name.as_str(), *id)).collect();
    assert_eq!(names, [("begun", None), ("ended", Some(1))]);
    assert_eq!((&events[0].2["path"], &events[0].2["seq"]), (&json!("/msg"), &Value::Null));
    assert_eq!((&events[1].2["id"], &events[1].2["status"]), (&events[0].2["id"], &json!(200)));
}

#[tokio::test]
async fn a_reader_that_comes_back_gets_what_it_has_not_seen_and_what_it_missed() {
    let server = TestServer::builder().flag("--journal-size", 3).start().await;
    for _ in 0..6 {
        answer(server.get("/msg")).await;
    }
    answer(server.get("/journal")).await;
    let mut behind = follow(&server, "/journal/stream", Some(1)).await;
    let missing = events(&read(&mut behind, "id: 6").await);
    let names: Vec<_> = missing.iter().map(|(name, id, _)| (name.as_str(), *id)).collect();
    assert_eq!(names, [("missed", None), ("ended", Some(4)), ("ended", Some(5)), ("ended", Some(6))]);
    assert_eq!(missing[0].2, json!({"missed": 2}));
    let mut up_to_date = follow(&server, "/journal/stream", Some(5)).await;
    let missing = events(&read(&mut up_to_date, "id: 6").await);
    assert_eq!(missing.iter().map(|(_, id, _)| *id).collect::<Vec<_>>(), [Some(6)]);
    // The stop ends both at once, and cleanly.
    server.terminate();
    for stream in [&mut behind, &mut up_to_date] {
        let rest = read(stream, "").await;
        assert!(events(&rest).is_empty(), "{rest}");
    }
}

#[tokio::test]
async fn a_reader_of_the_journal_before_a_reset_gets_the_new_one_from_its_beginning() {
    let server = TestServer::start().await;
    for _ in 0..2 {
        answer(server.get("/msg")).await;
    }
    answer(server.get("/journal")).await;
    let mut stream = follow(&server, "/journal/stream", Some(50)).await;
    let events = events(&read(&mut stream, "id: 2").await);
    assert_eq!(events.iter().map(|(_, id, _)| *id).collect::<Vec<_>>(), [Some(1), Some(2)]);
}

#[tokio::test]
async fn an_id_that_is_no_number_is_refused() {
    let server = TestServer::start().await;
    let refused = answer(server.get("/journal/stream").header("Last-Event-ID", "x")).await;
    assert_eq!(refused.status, 422);
}
