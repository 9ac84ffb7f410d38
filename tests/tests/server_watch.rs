//! `test-server watch`: a line a request, findings as they appear, and how it ends.

use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Child;
use workspace_tests::logs::LogStream;
use workspace_tests::server::free_address;
use workspace_tests::{Program, TestServer, answer, within};

/// A watcher that runs.
struct Watcher {
    child: Child,
    notes: LogStream,
    lines: LogStream,
}

impl Watcher {
    /// Starts a watcher, and waits until it follows the stream.
    async fn start(program: Program) -> Self {
        let mut child = program.command().spawn().expect("the program can be started");
        let lines = LogStream::read(child.stdout.take().expect("standard output is a pipe"));
        let notes = LogStream::read(child.stderr.take().expect("standard error is a pipe"));
        let watcher = Self { child, notes, lines };
        watcher.notes("watching session").await;
        watcher
    }

    /// Waits for a note with these words.
    async fn notes(&self, words: &str) {
        let found = self.notes.find(words, |line| line.text.contains(words)).await;
        assert!(found.is_some(), "it ended without {words:?}: {:?}", self.notes.lines());
    }

    /// Waits for a line that has all of these words, and returns it.
    async fn line(&self, words: &[&str]) -> String {
        let has_all = |text: &str| words.iter().all(|word| text.contains(word));
        match self.lines.find(&words.join(" "), |line| has_all(&line.text)).await {
            Some(line) => line.text,
            None => panic!("it ended without {words:?}: {:?}", self.lines.lines()),
        }
    }

    /// How many lines have these words by now.
    fn count(&self, words: &str) -> usize {
        self.lines.lines().iter().filter(|line| line.text.contains(words)).count()
    }

    /// Waits for its end, and returns its exit code.
    async fn code(&mut self) -> Option<i32> {
        within("the end of the watcher", self.child.wait()).await.expect("a child can be waited for").code()
    }
}

fn interrupt(child: &Child) {
    let pid = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).expect("a process id fits")));
    kill_process(pid.expect("it runs"), Signal::INT).expect("a child can be signalled");
}

fn watch(server: &TestServer) -> Program {
    Program::test_server().argument("watch").flag("--url", server.url(""))
}

#[tokio::test]
async fn a_session_is_followed_with_a_line_a_request_and_a_line_a_finding() {
    let server = TestServer::start().await;
    let faults = json!({"rules": [{"script": ["503", "503", "503", "503", "ok"]}]});
    answer(server.post("/sessions").body(json!({"id": "a", "faults": faults}).to_string())).await;
    let mut watcher = Watcher::start(watch(&server).flag("--session", "a")).await;
    answer(server.get("/msg?other=session")).await;
    for _ in 0..5 {
        answer(server.get("/s/a/msg?x=1").header("X-Test-Call", "hasty")).await;
    }
    watcher.line(&["#1 ", "503", "ms", "GET /msg?x=1", "fault 503", "rule 0", "call hasty"]).await;
    watcher.line(&["#5 ", "200", "ms", "GET /msg?x=1"]).await;
    let link = format!("; see {}#no-backoff", server.url("/findings"));
    let finding = watcher.line(&["FAIL no-backoff: ", "#1, #2", &link]).await;
    answer(server.get("/s/a/msg")).await;
    watcher.line(&["#6 ", "200"]).await;
    assert_eq!(watcher.count(&finding), 1);
    assert_eq!(watcher.count("other=session"), 0, "only the session is followed");
    interrupt(&watcher.child);
    assert_eq!(watcher.code().await, Some(0));
}

#[tokio::test]
async fn a_watcher_comes_back_to_a_server_that_was_gone_and_misses_no_request() {
    let address = free_address();
    let serve = || {
        let program = Program::test_server().argument("serve");
        program.flag("--host", "127.0.0.1").flag("--port", address.port()).start()
    };
    let server = serve().await;
    let mut watcher = Watcher::start(watch(&server)).await;
    for n in 1..=3 {
        answer(server.get(&format!("/msg?before={n}"))).await;
    }
    watcher.line(&["#3 ", "before=3"]).await;
    server.stop().await;
    watcher.notes("connecting again").await;
    let server = serve().await;
    for n in 1..=2 {
        answer(server.get(&format!("/msg?after={n}"))).await;
    }
    watcher.notes("connected again").await;
    for n in 3..=4 {
        answer(server.get(&format!("/msg?after={n}"))).await;
    }
    for n in 1..=4 {
        let (seq, query) = (format!("#{n} "), format!("after={n}"));
        watcher.line(&[&seq, &query]).await;
        assert_eq!(watcher.count(&query), 1, "{query}");
    }
    interrupt(&watcher.child);
    assert_eq!(watcher.code().await, Some(0));
}

#[tokio::test]
async fn the_configured_server_is_watched_by_default_until_the_session_ends() {
    let server = TestServer::start().await;
    answer(server.post("/sessions").body(r#"{"id":"a"}"#)).await;
    let program = Program::test_server().argument("watch").flag("--session", "a");
    let port = server.address().port().to_string();
    let mut watcher = Watcher::start(program.env("SERVER_PORT", port)).await;
    answer(server.request(reqwest::Method::DELETE, "/sessions/a")).await;
    watcher.notes("the session has ended").await;
    assert_eq!(watcher.code().await, Some(0));
}

#[tokio::test]
async fn what_cannot_be_watched_is_one_line_that_says_why() {
    let server = TestServer::start().await;
    let off = TestServer::builder().flag("--journal-size", 0).start().await;
    let nobody = format!("http://{}", free_address());
    let table: [(String, &[&str], i32, &str); 7] = [
        (nobody, &[], 1, "cannot watch"),
        (server.url(""), &["--session", "missing"], 1, "there is no session \"missing\""),
        (off.url(""), &[], 1, "its journal is off"),
        (server.url("/nowhere"), &[], 1, "answers 404"),
        ("https://localhost".to_owned(), &[], 2, "only http://"),
        ("localhost:8000".to_owned(), &[], 2, "expected an address like"),
        (server.url(""), &["--session", "a/b"], 2, "--session is \"a/b\""),
    ];
    for (url, more, code, words) in table {
        let program = Program::test_server().argument("watch").flag("--url", &url).arguments(more);
        let outcome = program.run().await;
        assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(code), ""), "{url}: {outcome:#?}");
        assert!(outcome.only_error_line().contains(words), "{url}: {outcome:#?}");
    }
}

#[tokio::test]
async fn a_reader_that_closes_its_side_ends_the_watcher_without_an_error() {
    let server = TestServer::start().await;
    let mut child = watch(&server).command().spawn().expect("the program can be started");
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let notes = LogStream::read(child.stderr.take().expect("a pipe"));
    notes.find("the start", |line| line.text.contains("watching")).await.expect("it watches");
    answer(server.get("/msg?n=1")).await;
    let first = within("the first line", lines.next_line()).await.expect("text").expect("a line");
    assert!(first.contains("n=1"), "{first}");
    drop(lines);
    // The closed pipe is seen by the next line that is written.
    let status = within("the end of the watcher", async {
        loop {
            answer(server.get("/msg")).await;
            if let Some(status) = child.try_wait().expect("a child can be asked for") {
                break status;
            }
        }
    });
    assert_eq!(status.await.code(), Some(0));
}

#[tokio::test]
async fn a_reader_that_does_not_read_keeps_no_interrupt_from_ending_the_watcher() {
    let server = TestServer::start().await;
    let mut child = watch(&server).command().spawn().expect("the program can be started");
    let notes = LogStream::read(child.stderr.take().expect("a pipe"));
    notes.find("the start", |line| line.text.contains("watching")).await.expect("it watches");
    // More than a pipe holds, and the watcher's queue.
    let query = "x".repeat(100);
    let mut connection = server.connect().await;
    for _ in 0..2_000 {
        assert_eq!(connection.get(&format!("/msg?{query}")).await.status, 200);
    }
    interrupt(&child);
    let status = within("the end of the watcher", child.wait()).await.expect("a child can be waited for");
    assert_eq!(status.code(), Some(0));
}
