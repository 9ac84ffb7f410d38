//! Runs of the command.

use std::path::Path;
use std::process::Stdio;
use std::sync::OnceLock;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::net::TcpSocket;
use tokio::process::{Child, Command};
use workspace_tests::wire_server::WireServer;
use workspace_tests::{Outcome, Program, binary, interruptible, within};

/// The command, with no arguments yet.
pub(crate) fn resilient() -> Program {
    static PATH: OnceLock<std::path::PathBuf> = OnceLock::new();
    let path: &Path = PATH.get_or_init(|| binary::build("resilient-client", "resilient"));
    Program::at(path).env("RUST_BACKTRACE", "1")
}

/// A GET of `url` with short waits between attempts.
pub(crate) fn get(url: &str) -> Program {
    quick(resilient().arguments(&["get", url]))
}

/// A GET of `url` with short waits and a report.
pub(crate) fn report_of(url: &str) -> Program {
    get(url).argument("--report")
}

/// Adds short waits between attempts.
pub(crate) fn quick(program: Program) -> Program {
    program.flag("--min-wait", 0.01).flag("--max-wait", 0.02)
}

/// The one JSON object on standard output.
#[track_caller]
pub(crate) fn json(outcome: &Outcome) -> Value {
    assert_eq!(outcome.stdout.lines().count(), 1, "{outcome:#?}");
    serde_json::from_str(&outcome.stdout).unwrap_or_else(|why| panic!("{why}: {outcome:#?}"))
}

/// The outcomes of the attempts in a report: the status, or else the error.
pub(crate) fn attempts(report: &Value) -> Vec<String> {
    let attempts = report["attempts"].as_array().cloned().unwrap_or_default();
    let outcome = |attempt: &Value| match attempt["status"].as_u64() {
        Some(status) => status.to_string(),
        None => attempt["error"].as_str().unwrap_or_default().to_owned(),
    };
    attempts.iter().map(outcome).collect()
}

/// The command of a program that SIGINT must reach, however the tests were started.
pub(crate) fn signalled(program: &Program) -> Command {
    let plain = program.command();
    let plain = plain.as_std();
    let mut command = Command::from(interruptible(plain.get_program()));
    command.args(plain.get_args()).env_clear();
    command.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.current_dir(program.directory()).process_group(0).kill_on_drop(true);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Starts a program that a signal will end.
pub(crate) fn spawn(program: &Program) -> Child {
    signalled(program).spawn().expect("the command can be started")
}

/// Sends a signal.
pub(crate) fn signal(child: &Child, signal: Signal) {
    let id = child.id().expect("it has not been waited for");
    let pid = Pid::from_raw(i32::try_from(id).expect("a process id fits")).expect("it is not zero");
    kill_process(pid, signal).expect("a child not yet waited for can be signalled");
}

/// Waits for the end of a child, and returns its output.
pub(crate) async fn end(child: Child) -> Outcome {
    let output =
        within("the end of the command", child.wait_with_output()).await.expect("it can be waited for");
    Outcome {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Returns once the server has received `count` requests.
pub(crate) async fn received(server: &WireServer, count: usize) {
    let waiting = async {
        while server.request_count() < count {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    within("requests to the server", waiting).await;
}

/// A port that is reserved, so that no program listens on it while this is held.
pub(crate) struct UnusedPort(TcpSocket);

impl UnusedPort {
    pub(crate) fn new() -> Self {
        let socket = TcpSocket::new_v4().expect("a socket can be made");
        socket.bind(([127, 0, 0, 1], 0).into()).expect("a free port");
        UnusedPort(socket)
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/", self.0.local_addr().expect("a bound socket has an address"))
    }
}
