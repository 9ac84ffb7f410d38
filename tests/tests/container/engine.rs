//! The container engine: builds images and runs containers as people do from a shell, and removes what it ran.
//!
//! `DOCKER` names the engine (`docker` unless set; it may have arguments, like `podman --runtime runc`);
//! `DOCKER_BUILD_FLAGS` and `DOCKER_RUN_FLAGS` are what its `build` and `run` need on this machine.

use std::io::Write;
use std::process::{Command, Output};
use std::sync::OnceLock;

use serde_json::Value;
use tokio::process::Command as AsyncCommand;
use uuid::Uuid;
use workspace_tests::{Answer, answer, http, within};

/// What the image must be able to do without.
const HARDENED: [&str; 5] = ["--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"];

/// Whether containers are to be tested; if not, a note on standard error says so.
pub(crate) fn wanted() -> bool {
    let wanted = std::env::var_os("TEST_CONTAINER").is_some_and(|value| !value.is_empty() && value != "0");
    if !wanted {
        // Past the test harness, which hides what a passing test prints.
        let _ = writeln!(
            std::io::stderr(),
            "SKIPPED: the image was not built and not tested; set TEST_CONTAINER=1, or run `make docker-test`"
        );
    }
    wanted
}

/// The test server's image, built once a run.
pub(crate) fn server_image() -> &'static str {
    static IMAGE: OnceLock<()> = OnceLock::new();
    IMAGE.get_or_init(|| build("actix-test-server", &[]));
    "actix-test-server"
}

/// The client's image, built once a run.
pub(crate) fn client_image() -> &'static str {
    static IMAGE: OnceLock<()> = OnceLock::new();
    IMAGE.get_or_init(|| build("resilient", &["--target", "resilient"]));
    "resilient"
}

fn build(tag: &str, arguments: &[&str]) {
    let mut command = engine("build", "DOCKER_BUILD_FLAGS");
    let workspace = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let status = command.args(arguments).args(["--tag", tag, workspace]).status();
    match status {
        Ok(status) => assert!(status.success(), "{tag} does not build: {command:?}"),
        Err(error) => panic!("there is no container engine to test with, {command:?}: {error}"),
    }
}

/// What the engine knows about an image.
pub(crate) fn inspect(image: &str) -> Value {
    let output = stdout(&run(&["image", "inspect", image]));
    serde_json::from_str::<Value>(&output).expect("the engine describes images in JSON")[0].clone()
}

/// Runs the image hardened, to its end.
pub(crate) fn run_to_end(image: &str, flags: &[&str], arguments: &[&str]) -> Output {
    let mut command = engine("run", "DOCKER_RUN_FLAGS");
    command.args(HARDENED).arg("--rm").args(flags).arg(image).args(arguments);
    command.output().expect("the engine can be started")
}

/// A command of the engine; `flags` is the variable that holds what this machine needs for it.
fn engine(subcommand: &str, flags: &str) -> Command {
    let mut words = program();
    words.push(subcommand.to_owned());
    words.extend(std::env::var(flags).unwrap_or_default().split_whitespace().map(str::to_owned));
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]);
    command
}

fn program() -> Vec<String> {
    let program = std::env::var("DOCKER").unwrap_or_default();
    let program = if program.trim().is_empty() { "docker" } else { &program };
    program.split_whitespace().map(str::to_owned).collect()
}

fn run(arguments: &[&str]) -> Output {
    let words = program();
    let output = Command::new(&words[0]).args(&words[1..]).args(arguments).output();
    output.expect("the engine can be started")
}

fn stdout(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// A network on which containers find each other by name, removed at the end.
pub(crate) struct Network(String);

impl Network {
    pub(crate) fn new() -> Self {
        let name = format!("test-{}", Uuid::new_v4());
        stdout(&run(&["network", "create", &name]));
        Self(name)
    }

    pub(crate) fn name(&self) -> &str {
        &self.0
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        run(&["network", "rm", &self.0]);
    }
}

/// A container of the test server, hardened, removed at the end.
pub(crate) struct Container(String);

impl Container {
    /// Starts one with more flags, and waits until it says that it serves.
    pub(crate) async fn start(flags: &[&str]) -> Self {
        let container = Self(format!("test-{}", Uuid::new_v4()));
        let mut command = engine("run", "DOCKER_RUN_FLAGS");
        command.args(HARDENED).args(["--detach", "--name", &container.0, "--publish", "127.0.0.1::8000"]);
        let output = command.args(flags).arg(server_image()).output().expect("the engine can be started");
        stdout(&output);
        container.wait_for_log("server.startup").await;
        container
    }

    pub(crate) fn name(&self) -> &str {
        &self.0
    }

    /// Where its port is reached from here.
    pub(crate) fn url(&self) -> String {
        let published = stdout(&run(&["port", &self.0, "8000/tcp"]));
        format!("http://{}", published.lines().next().expect("the port is published"))
    }

    /// Asks for `path`.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        answer(http::client().get(self.url() + path)).await
    }

    /// What it has logged.
    pub(crate) fn logs(&self) -> String {
        stdout(&run(&["logs", &self.0]))
    }

    /// Returns once a line of its log contains `text`.
    pub(crate) async fn wait_for_log(&self, text: &str) {
        let logged = async {
            while !self.logs().contains(text) {
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        };
        within(&format!("the container logs {text}"), logged).await;
    }

    /// Runs a program inside; its exit code.
    pub(crate) fn exec(&self, arguments: &[&str]) -> Option<i32> {
        run(&[&["exec", &self.0], arguments].concat()).status.code()
    }

    /// Begins to stop it, with far more time than it needs.
    pub(crate) fn begin_stop(&self) -> tokio::process::Child {
        let words = program();
        let mut command = AsyncCommand::new(&words[0]);
        command.args(&words[1..]).args(["stop", "--time", "60", &self.0]).stdout(std::process::Stdio::null());
        command.spawn().expect("the engine can be started")
    }

    /// The exit code of what ran in it.
    pub(crate) fn exit_code(&self) -> String {
        stdout(&run(&["inspect", "--format", "{{.State.Running}} {{.State.ExitCode}}", &self.0]))
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        run(&["rm", "--force", &self.0]);
    }
}
