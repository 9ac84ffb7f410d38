//! A test server that belongs to one test: started on a free port, with its log read while it runs, and killed at the
//! end of the test.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::{Client, Method, RequestBuilder};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::process::Child;

use crate::answer;
use crate::guard::within;
use crate::http;
use crate::logs::{LogLine, LogStream};
use crate::process::Footprint;
use crate::program::{Outcome, Program};
use crate::raw::RawConnection;

/// The address of a server that has not yet logged it.
const UNKNOWN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// A running test server. Dropping it kills the process, and prints its log when the test has failed.
#[derive(Debug)]
pub struct TestServer {
    program: Program,
    child: Child,
    address: SocketAddr,
    stdout: LogStream,
    stderr: LogStream,
    client: Client,
}

impl TestServer {
    /// Starts a server with the default configuration, on a free port.
    pub async fn start() -> Self {
        TestServer::builder().start().await
    }

    /// Prepares a server on a free port; [`Program::flag`] and [`Program::env`] add settings.
    pub fn builder() -> Program {
        let program = Program::test_server().argument("serve");
        program.flag("--host", "127.0.0.1").flag("--port", 0).env("RUST_BACKTRACE", "1")
    }

    /// Prepares a server on a free port that logs at DEBUG.
    pub fn verbose() -> Program {
        TestServer::builder().flag("--log-level", "DEBUG")
    }

    pub(crate) async fn spawn(program: Program) -> Self {
        let mut server = TestServer::launch(program);
        let Some(line) = server.stdout.find("where it listens", |line| bound_address(line).is_some()).await
        else {
            panic!("the server ended at once: {:#?}", server.wait_exit().await);
        };
        server.address = bound_address(&line).expect("the line was chosen for it");
        server
    }

    fn launch(program: Program) -> Self {
        let mut child = program.command().spawn().expect("the program can be started");
        let stdout = LogStream::read(child.stdout.take().expect("standard output is a pipe"));
        let stderr = LogStream::read(child.stderr.take().expect("standard error is a pipe"));
        TestServer { program, child, address: UNKNOWN, stdout, stderr, client: http::client() }
    }

    /// Returns the address where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the URL of `path`, which starts with a slash.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Measures its memory and its descriptors.
    ///
    /// # Panics
    /// When it has ended.
    pub fn footprint(&self) -> Footprint {
        Footprint::of(self.child.id().expect("the server runs"))
    }

    /// Returns its working directory.
    pub fn directory(&self) -> &Path {
        self.program.directory()
    }

    /// Returns the path of its `.env`.
    pub fn dotenv_path(&self) -> PathBuf {
        self.directory().join(".env")
    }

    /// Prepares a GET of `path`.
    pub fn get(&self, path: &str) -> RequestBuilder {
        self.client.get(self.url(path))
    }

    /// Prepares a POST to `path`.
    pub fn post(&self, path: &str) -> RequestBuilder {
        self.client.post(self.url(path))
    }

    /// Prepares a request for `path`.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, self.url(path))
    }

    /// Prepares a GET of `path` with an idempotency key.
    pub fn get_keyed(&self, path: &str, key: &str) -> RequestBuilder {
        self.get(path).header("X-Request-ID", key)
    }

    /// Opens a raw connection.
    pub async fn connect(&self) -> RawConnection {
        RawConnection::open(self.address).await
    }

    /// Returns the log lines so far.
    pub fn logs(&self) -> Vec<LogLine> {
        self.stdout.lines()
    }

    /// Returns the lines on standard error so far.
    pub fn errors(&self) -> Vec<LogLine> {
        self.stderr.lines()
    }

    /// Waits for the first log line, past or future, for which `is_it` holds.
    ///
    /// # Panics
    /// When there is no such line in time; the message names `what`.
    pub async fn wait_for_log(&self, what: &str, is_it: impl Fn(&LogLine) -> bool) -> LogLine {
        match self.stdout.find(what, is_it).await {
            Some(line) => line,
            None => panic!("the log ended without: {what}"),
        }
    }

    /// Waits until the request with the idempotency key `key` has been received, and returns its correlation id. Needs
    /// a log at DEBUG, and a key that is used once.
    pub async fn correlation_id_of(&self, key: &str) -> String {
        let received = |line: &LogLine| line.logger() == "server.request" && line.mentions(key);
        let line = self.wait_for_log(&format!("request {key} received"), received).await;
        line.event["correlation_id"].as_str().unwrap_or_default().to_owned()
    }

    /// Waits until the request with the idempotency key `key` has been received. Needs a log at DEBUG.
    pub async fn received(&self, key: &str) {
        self.correlation_id_of(key).await;
    }

    /// Waits until the data plane of a session has begun to handle so many requests.
    pub async fn handled(&self, session: &str, requests: u64) {
        let all = async {
            while answer(self.get(&format!("/sessions/{session}"))).await.body["requests"]
                .as_u64()
                .is_none_or(|counted| counted < requests)
            {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        within(&format!("{requests} requests in session {session}"), all).await;
    }

    /// Waits until the request with the idempotency key `key` waits for a slot. Needs a log at DEBUG.
    pub async fn queued(&self, key: &str) {
        let id = self.correlation_id_of(key).await;
        let waits = |line: &LogLine| line.logger() == "server.concurrency" && line.mentions(&id);
        self.wait_for_log(&format!("request {key} waits for a slot"), waits).await;
    }

    /// Returns once the request whose key or whole query is `marker` has its slot and waits for its delay. Needs a
    /// verbose log, and a marker used once.
    pub async fn delayed(&self, marker: &str) {
        let id = self.correlation_id_of(marker).await;
        let begun = |line: &LogLine| line.says("delay begun") && line.mentions(&id);
        self.wait_for_log(&format!("the delay of request {marker}"), begun).await;
    }

    /// Sends SIGTERM.
    pub fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// Sends `signal`. Does nothing when the process has been waited for.
    pub fn signal(&self, signal: Signal) {
        if let Some(pid) = self.pid() {
            kill_process(pid, signal).expect("a child not yet waited for can be signalled");
        }
    }

    /// Sends SIGINT to the server and to the processes that it has started, as Ctrl-C on a terminal does.
    pub fn interrupt(&self) {
        if let Some(group) = self.pid() {
            kill_process_group(group, Signal::INT).expect("a child not yet waited for can be signalled");
        }
    }

    /// Returns whether the process still runs.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("a child can be asked for").is_none()
    }

    /// Waits until the server has ended, by itself or by a signal that was sent before.
    ///
    /// # Panics
    /// When it does not end.
    pub async fn wait_exit(&mut self) -> Outcome {
        let group = self.pid();
        let status = within("the server's end", self.child.wait()).await.expect("a child can be waited for");
        // The processes that it has started end with it.
        let _ = group.map(|group| kill_process_group(group, Signal::KILL));
        let text = |lines: Vec<LogLine>| lines.into_iter().map(|line| line.text + "\n").collect();
        let (stdout, stderr) = (text(self.stdout.to_end().await), text(self.stderr.to_end().await));
        Outcome { code: status.code(), stdout, stderr }
    }

    /// Ends the server by SIGTERM and waits for it.
    pub async fn stop(mut self) -> Outcome {
        self.terminate();
        self.wait_exit().await
    }

    fn pid(&self) -> Option<Pid> {
        self.child.id().and_then(|id| Pid::from_raw(i32::try_from(id).expect("a process id fits")))
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        if let Some(group) = self.pid() {
            let _ = kill_process_group(group, Signal::KILL);
        }
        if std::thread::panicking() {
            let lines = [self.stdout.lines(), self.stderr.lines()].concat();
            lines.iter().rev().take(60).rev().for_each(|line| eprintln!("server: {}", line.text));
        }
    }
}

/// Returns a free address of this machine, for programs that need one in advance. Another program may take it
/// meanwhile: prefer a server that logs the address that it has taken.
///
/// # Panics
/// When there is no free port.
pub fn free_address() -> SocketAddr {
    let free = TcpListener::bind(UNKNOWN).expect("there is a free port");
    free.local_addr().expect("a bound socket has an address")
}

/// Waits until a server accepts connections on `address`.
///
/// # Panics
/// When there is no server in time.
pub async fn listens(address: SocketAddr) {
    let up = async {
        while TcpStream::connect(address).await.is_err() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    within("the server listens", up).await;
}

/// Returns the address in a start line of either log format.
fn bound_address(line: &LogLine) -> Option<SocketAddr> {
    if let Value::Object(_) = line.event {
        let address = line.event["address"].as_str().filter(|_| line.logger() == "server.startup");
        return address.and_then(|address| address.parse().ok());
    }
    let start = line.text.find("127.0.0.1:")?;
    let rest = &line.text[start..];
    let end = rest.find(|c: char| !(c.is_ascii_digit() || c == '.' || c == ':')).unwrap_or(rest.len());
    rest[..end].parse().ok().filter(|address: &SocketAddr| address.port() != 0)
}
