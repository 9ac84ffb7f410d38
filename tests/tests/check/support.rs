//! Runs of `test-server check`.

use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use serde_json::Value;
use workspace_tests::{Outcome, Program, binary};

/// How long an examination may take on a machine that is busy. It bounds a hang, and measures nothing.
const BOUND: Duration = Duration::from_secs(300);

/// The path of the project's own client.
pub(crate) fn resilient() -> &'static str {
    static PATH: OnceLock<String> = OnceLock::new();
    PATH.get_or_init(|| text(&binary::build("resilient-client", "resilient")))
}

/// The path of a client that does everything wrong.
pub(crate) fn careless() -> &'static str {
    static PATH: OnceLock<String> = OnceLock::new();
    PATH.get_or_init(|| text(&binary::build("workspace-tests", "careless")))
}

fn text(path: &Path) -> String {
    path.to_str().expect("the path is text").to_owned()
}

/// Prepares `test-server check` with these arguments.
pub(crate) fn check(arguments: &[&str]) -> Program {
    Program::test_server().argument("check").arguments(arguments)
}

/// The end of an examination, which may take longer than other programs.
pub(crate) async fn end(program: Program) -> Outcome {
    let output = tokio::time::timeout(BOUND, program.command().output()).await;
    let output = output.expect("the examination ends").expect("the program can be started");
    Outcome {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// The JSON report of an examination with these arguments, and its exit code.
pub(crate) async fn report(arguments: &[&str]) -> (Value, Option<i32>) {
    let outcome = end(check(&["--report", "json"]).arguments(arguments)).await;
    let report = serde_json::from_str(&outcome.stdout).unwrap_or_else(|_| panic!("no report: {outcome:#?}"));
    (report, outcome.code)
}

/// The judgement of a shell script as the client in one case.
pub(crate) async fn judged(case: &str, flags: &[&str], script: &str) -> Value {
    let command = ["--", "/bin/sh", "-c", script];
    let (report, _) = report(&[&["--case", case][..], flags, &command].concat()).await;
    report["cases"][0].clone()
}

/// Whether the process `pid` runs. A zombie does not.
pub(crate) fn runs(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    !stat.is_empty() && !stat.contains(") Z ")
}
