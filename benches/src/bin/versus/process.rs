//! A process that is measured: its processor time and its memory, as the kernel counts them.

use std::fs;
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::Outcome;

/// A server under measurement; ended when dropped.
pub(crate) struct Server {
    child: Child,
    port: u16,
    /// From before the program was started to its first answer.
    pub(crate) first_answer: Duration,
}

impl Server {
    /// Starts a program on some of the processors, and waits until it accepts connections on `port`.
    pub(crate) fn start(mut command: Command, port: u16) -> Outcome<Self> {
        let before = Instant::now();
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("{:?} cannot be started: {error}", command.get_program()))?;
        let mut server = Self { child, port, first_answer: Duration::ZERO };
        while !server.answers() {
            if before.elapsed() > Duration::from_secs(10) {
                return Err(format!("{:?} does not answer", command.get_program()));
            }
            std::thread::sleep(Duration::from_micros(200));
        }
        server.first_answer = before.elapsed();
        Ok(server)
    }

    fn answers(&self) -> bool {
        use std::io::{Read, Write};
        let ask = || -> std::io::Result<usize> {
            let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
            stream.write_all(b"GET /msg HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
            stream.read(&mut [0; 64])
        };
        ask().is_ok_and(|read| read > 0)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Processor time of all its threads so far.
    pub(crate) fn cpu(&self) -> Duration {
        let threads = fs::read_dir(format!("/proc/{}/task", self.child.id())).into_iter().flatten().flatten();
        let nanoseconds = threads.filter_map(|thread| {
            let text = fs::read_to_string(thread.path().join("schedstat")).ok()?;
            text.split_whitespace().next()?.parse::<u64>().ok()
        });
        Duration::from_nanos(nanoseconds.sum())
    }

    /// Memory that it has in use now, in bytes.
    pub(crate) fn memory(&self) -> u64 {
        self.status("VmRSS:")
    }

    /// The most memory that it has ever had in use, in bytes.
    pub(crate) fn peak_memory(&self) -> u64 {
        self.status("VmHWM:")
    }

    fn status(&self, field: &str) -> u64 {
        let text = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix(field)).unwrap_or_default();
        line.split_whitespace().next().and_then(|number| number.parse::<u64>().ok()).unwrap_or(0) * 1024
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to do.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A command that runs on these processors only, as `taskset` names them.
pub(crate) fn on_processors(processors: &str, program: &std::path::Path) -> Command {
    let mut command = Command::new("taskset");
    command.args(["--cpu-list", processors]).arg(program).env_clear();
    command
}

/// A port without a listener.
pub(crate) fn free_port() -> Outcome<u16> {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).map_err(|error| error.to_string())?;
    listener.local_addr().map(|address| address.port()).map_err(|error| error.to_string())
}
