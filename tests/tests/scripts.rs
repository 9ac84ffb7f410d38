//! The shell scenarios: they hold for our server, fail for another, and leave nothing behind.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};
use workspace_tests::binary;

const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../scripts");

/// Whether the scenarios can be run here; if not, it says so where nobody can overlook it.
fn runnable() -> bool {
    let runnable = ["bash --version", "curl --version"].iter().all(|command| {
        let (program, flag) = command.split_once(' ').expect("a program and a flag");
        Command::new(program).arg(flag).output().is_ok_and(|output| output.status.success())
    });
    if !runnable {
        // Past the test harness, which hides what a passing test prints.
        let _ = writeln!(std::io::stderr(), "SKIPPED: the scenarios in scripts/ need bash and curl");
    }
    runnable
}

/// A script with the programs of this build, and a place of its own for temporary files.
fn script(name: &str, temporary: &Path) -> Command {
    static RESILIENT: OnceLock<PathBuf> = OnceLock::new();
    let resilient = RESILIENT.get_or_init(|| binary::build("resilient-client", "resilient"));
    let mut command = Command::new(Path::new(SCRIPTS).join(name));
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
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{told}{}", String::from_utf8_lossy(&output.stderr));
    for scenario in scenarios() {
        let passed = format!("{}: passed", scenario.trim_end_matches(".sh"));
        assert!(told.contains(&passed), "{scenario} did not run: {told}");
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

/// Answers everything with 200, at once. It lives as long as this process.
fn spawn_server_that_never_fails() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("a bound address"));
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // Whoever hangs up early is no concern of this server.
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

#[test]
fn an_interrupted_scenario_leaves_no_process_and_no_file() {
    if !runnable() {
        return;
    }
    let temporary = tempfile::tempdir().unwrap();
    let mut command = script("06_concurrency_and_timeout.sh", temporary.path());
    let mut running = command.process_group(0).stdout(Stdio::piped()).spawn().unwrap();
    let group = Pid::from_child(&running);
    let mut told = String::new();
    let mut stdout = running.stdout.take().unwrap();
    // By then a server and two clients run in the background.
    while !told.contains("ok: ") {
        let mut byte = [0];
        assert_eq!(stdout.read(&mut byte).unwrap(), 1, "it ended: {told}");
        told.push(char::from(byte[0]));
    }
    kill_process_group(group, Signal::INT).unwrap();
    assert_eq!(running.wait().unwrap().code(), Some(130), "as shells report Ctrl-C");
    assert!(test_kill_process_group(group).is_err(), "a process was left");
    assert!(is_empty(temporary.path()));
}
