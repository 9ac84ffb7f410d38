//! One run of a program under test, in its own directory and with its own environment.

use std::ffi::{OsStr, OsString};
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tempfile::TempDir;
use tokio::process::Command;

use crate::binary;
use crate::guard::within;
use crate::server::TestServer;

/// Variables of the caller that reach the program: where programs are found, and where a measurement of coverage
/// collects what they ran.
const PASSED: [&str; 2] = ["PATH", "LLVM_PROFILE_FILE"];

/// A program about to be run. Of the caller's environment only [`PASSED`] reaches it.
#[derive(Debug)]
pub struct Program {
    path: PathBuf,
    arguments: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
    directory: TempDir,
}

/// The exit code and the output of a program that has ended.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// What it wrote to its standard output.
    pub stdout: String,
    /// What it wrote to its standard error.
    pub stderr: String,
}

impl Program {
    /// Prepares a run of the test server, without arguments.
    pub fn test_server() -> Self {
        Program::at(binary::test_server())
    }

    /// Prepares a run of the program at `path`, without arguments.
    pub fn at(path: &Path) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory can be made");
        Program { path: path.to_owned(), arguments: Vec::new(), environment: Vec::new(), directory }
    }

    /// Adds one argument.
    #[must_use]
    pub fn argument(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.arguments.push(argument.as_ref().to_owned());
        self
    }

    /// Adds several arguments.
    #[must_use]
    pub fn arguments(self, arguments: &[&str]) -> Self {
        arguments.iter().fold(self, Program::argument)
    }

    /// Adds a flag and its value as two arguments.
    #[must_use]
    pub fn flag(self, name: &str, value: impl Display) -> Self {
        self.argument(name).argument(value.to_string())
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.environment.push((name.into(), value.as_ref().to_owned()));
        self
    }

    /// Writes `.env` into the working directory.
    #[must_use]
    pub fn dotenv(self, contents: impl AsRef<[u8]>) -> Self {
        std::fs::write(self.directory.path().join(".env"), contents)
            .expect("a temporary file can be written");
        self
    }

    /// Returns the working directory: empty except for `.env`, and removed with this value.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Returns the command as configured, in its own process group.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.path);
        let passed = PASSED.iter().filter_map(|name| Some((name, std::env::var_os(name)?)));
        command.args(&self.arguments).env_clear().envs(passed);
        command.envs(self.environment.iter().cloned()).current_dir(self.directory.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.process_group(0).kill_on_drop(true);
        command
    }

    /// Runs the program until it ends.
    ///
    /// # Panics
    /// When it does not end.
    pub async fn run(self) -> Outcome {
        let output = within(&format!("the end of {:?}", self.arguments), self.command().output()).await;
        let output = output.expect("the program can be started");
        Outcome {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Starts the program as a server and waits until it has logged its address.
    ///
    /// # Panics
    /// When it ends instead, or logs no address in time.
    pub async fn start(self) -> TestServer {
        TestServer::spawn(self).await
    }
}

impl Outcome {
    /// Returns the only line on standard error: the form of every refusal to start.
    ///
    /// # Panics
    /// When there is not exactly one.
    pub fn only_error_line(&self) -> &str {
        let lines: Vec<&str> = self.stderr.lines().collect();
        assert_eq!(lines.len(), 1, "one line on standard error, not this: {self:#?}");
        lines[0]
    }
}
