//! The shell scenarios pass against the test server, fail against a server that never fails, and leave no process and
//! no file behind, however they end.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, kill_process_group, test_kill_process_group};
use workspace_tests::{binary, interruptible};

const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../scripts");

/// Returns whether this machine has what the scenarios need. If not, it says so on standard error.
fn runnable() -> bool {
    has("the scenarios", &["bash --version", "curl --version", "env --default-signal=INT true"])
}

/// Returns whether each command succeeds, and reports a missing one past the test harness, which hides what a passing
/// test prints.
fn has(what: &str, commands: &[&str]) -> bool {
    let succeeds = |command: &&str| {
        let mut words = command.split_whitespace();
        let mut run = Command::new(words.next().expect("a command has a program"));
        run.args(words).output().is_ok_and(|output| output.status.success())
    };
    let missing = commands.iter().find(|command| !succeeds(command));
    if let Some(missing) = missing {
        let _ = writeln!(std::io::stderr(), "SKIPPED: {what}: `{missing}` does not work here");
    }
    missing.is_none()
}

/// Returns a command that runs a script with the programs of this build and its own directory for temporary files.
fn script(name: &str, temporary: &Path) -> Command {
    static RESILIENT: OnceLock<PathBuf> = OnceLock::new();
    let resilient = RESILIENT.get_or_init(|| binary::build("resilient-client", "resilient"));
    let mut command = interruptible(Path::new(SCRIPTS).join(name));
    command.env("TEST_SERVER", binary::test_server()).env("RESILIENT", resilient);
    command.env_remove("BASE_URL").env("TMPDIR", temporary).stdin(Stdio::null());
    command
}

fn scenarios() -> Vec<String> {
    let files = std::fs::read_dir(SCRIPTS).expect("there are scripts").flatten();
    let names = files.map(|file| file.file_name().to_string_lossy().into_owned());
    names.filter(|name| name.starts_with(|first: char| first.is_ascii_digit())).collect()
}

fn is_empty(directory: &Path) -> bool {
    std::fs::read_dir(directory).expect("the directory can be read").next().is_none()
}

#[test]
fn every_scenario_holds_and_leaves_no_file() {
    if !runnable() {
        return;
    }
    let temporary = tempfile::tempdir().unwrap();
    let output = script("run_all.sh", temporary.path()).output().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{printed}{}", String::from_utf8_lossy(&output.stderr));
    for scenario in scenarios() {
        let passed = format!("{}: passed", scenario.trim_end_matches(".sh"));
        assert!(printed.contains(&passed), "{scenario} did not run: {printed}");
    }
    assert!(is_empty(temporary.path()));
}

#[test]
fn every_scenario_fails_against_a_server_that_never_fails() {
    if !runnable() {
        return;
    }
    let url = spawn_server_that_never_fails();
    let temporary = tempfile::tempdir().unwrap();
    for scenario in scenarios() {
        let output = script(&scenario, temporary.path()).env("BASE_URL", &url).output().unwrap();
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{scenario}: {complaint}");
        assert!(complaint.contains("  FAILED: "), "{scenario} fails without saying why: {complaint}");
    }
    assert!(is_empty(temporary.path()));
}

/// Starts a server that answers every request with 200 at once. It lives as long as this process.
fn spawn_server_that_never_fails() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("a bound address"));
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // A client that closes early is not an error of this server.
            let _ = answer_once(stream);
        }
    });
    url
}

fn answer_once(mut stream: TcpStream) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let mut head = Vec::new();
    let mut chunk = [0; 1024];
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read(&mut chunk)? {
            0 => return Ok(()),
            read => head.extend_from_slice(&chunk[..read]),
        }
    }
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}")?;
    stream.shutdown(Shutdown::Write)
}

/// A running script in a process group of its own, past its first check: by then a server and two clients run in the
/// background.
struct Running {
    child: Child,
    group: Pid,
}

impl Running {
    fn start(command: &mut Command) -> Self {
        let mut child =
            command.process_group(0).stdout(Stdio::piped()).spawn().expect("bash runs the script");
        let group = Pid::from_child(&child);
        let (mut printed, mut stdout) = (String::new(), child.stdout.take().expect("its output is a pipe"));
        while !printed.contains("ok: ") {
            let mut byte = [0];
            assert_eq!(stdout.read(&mut byte).expect("its output can be read"), 1, "it ended: {printed}");
            printed.push(char::from(byte[0]));
        }
        // What it prints from now on must find a reader.
        thread::spawn(move || std::io::copy(&mut stdout, &mut std::io::sink()));
        Self { child, group }
    }

    fn assert_ends_with(mut self, code: i32) {
        assert_eq!(self.child.wait().expect("a child can be waited for").code(), Some(code));
        assert!(test_kill_process_group(self.group).is_err(), "a process was left");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // After a failed assertion; otherwise the group is gone.
        let _ = kill_process_group(self.group, Signal::KILL);
    }
}

const SLOW: &str = "06_concurrency_and_timeout.sh";

#[test]
fn an_interrupted_scenario_leaves_no_process_and_no_file() {
    if !runnable() {
        return;
    }
    let temporary = tempfile::tempdir().unwrap();
    let running = Running::start(&mut script(SLOW, temporary.path()));
    kill_process_group(running.group, Signal::INT).unwrap();
    // As shells report Ctrl-C.
    running.assert_ends_with(130);
    assert!(is_empty(temporary.path()));
}

#[test]
fn a_scenario_in_the_background_ignores_sigint_and_ends_on_sigterm_without_a_trace() {
    if !runnable() {
        return;
    }
    let temporary = tempfile::tempdir().unwrap();
    let foreground = script(SLOW, temporary.path());
    let mut background = Command::new("env");
    background.arg("--ignore-signal=INT").arg(Path::new(SCRIPTS).join(SLOW)).stdin(Stdio::null());
    for (name, value) in foreground.get_envs() {
        value.map(|value| background.env(name, value));
    }
    let running = Running::start(background.env_remove("BASE_URL"));
    kill_process(running.group, Signal::INT).unwrap();
    kill_process(running.group, Signal::TERM).unwrap();
    running.assert_ends_with(143);
    assert!(is_empty(temporary.path()));
}

#[test]
fn sigterm_ends_the_run_of_all_scenarios_and_the_one_that_runs() {
    if !runnable() {
        return;
    }
    let temporary = tempfile::tempdir().unwrap();
    let running = Running::start(&mut script("run_all.sh", temporary.path()));
    kill_process(running.group, Signal::TERM).unwrap();
    running.assert_ends_with(143);
    assert!(is_empty(temporary.path()));
}

#[test]
fn every_script_passes_shellcheck() {
    if !has("the check of the scripts", &["shellcheck --version"]) {
        return;
    }
    let root = Path::new(SCRIPTS).join("..");
    let files = std::fs::read_dir(SCRIPTS).unwrap().flatten().map(|file| file.path());
    let scripts = files.filter(|file| file.extension().is_some_and(|extension| extension == "sh"));
    let others = [".ci/run", "benches/run.sh", "benches/fresh.sh"].map(|path| root.join(path));
    let output = Command::new("shellcheck").args(scripts.chain(others)).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}
