//! Load from `wrk`, and what it reports.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::Outcome;

/// What is sent.
pub(crate) struct Load {
    pub(crate) path: &'static str,
    pub(crate) headers: &'static [&'static str],
    pub(crate) script: Option<String>,
    pub(crate) connections: u32,
    pub(crate) seconds: u32,
    pub(crate) processors: &'static str,
}

/// A script for wrk, in a file that goes with it.
pub(crate) struct Script(PathBuf);

impl Script {
    pub(crate) fn new(text: &str) -> Outcome<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("versus-{}-{number}.lua", std::process::id()));
        fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Self(path))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        // A file too many in the folder for temporary files does no harm.
        let _ = fs::remove_file(&self.0);
    }
}

/// What came back.
pub(crate) struct Report {
    pub(crate) requests: u64,
    /// Milliseconds.
    pub(crate) p99: f64,
    /// Answers that were no success, and sockets that failed.
    pub(crate) bad: u64,
}

impl Load {
    pub(crate) fn run(&self, port: u16) -> Outcome<Report> {
        let mut command = Command::new("taskset");
        command.args(["--cpu-list", self.processors, "wrk", "--latency", "-t1", "--timeout", "10s"]).args([
            "-c",
            &self.connections.to_string(),
            "-d",
            &format!("{}s", self.seconds),
        ]);
        for header in self.headers {
            command.args(["-H", header]);
        }
        if let Some(script) = &self.script {
            command.args(["-s", script]);
        }
        let output = command
            .arg(format!("http://127.0.0.1:{port}{}", self.path))
            .output()
            .map_err(|error| format!("wrk cannot be run: {error}"))?;
        let text = String::from_utf8_lossy(&output.stdout);
        parse(&text)
            .ok_or_else(|| format!("wrk has failed: {text}{}", String::from_utf8_lossy(&output.stderr)))
    }
}

fn parse(text: &str) -> Option<Report> {
    let line = |mark: &str| text.lines().map(str::trim).find(|line| line.contains(mark));
    let requests = line("requests in")?.split_whitespace().next()?.parse().ok()?;
    let p99 = milliseconds(line("99%")?.split_whitespace().nth(1)?)?;
    let numbers = |line: &str| -> u64 {
        line.split(|c: char| !c.is_ascii_digit()).filter_map(|number| number.parse::<u64>().ok()).sum()
    };
    let non_success = line("Non-2xx").and_then(|line| line.split(": ").nth(1)).map_or(0, numbers);
    Some(Report { requests, p99, bad: non_success + line("Socket errors").map_or(0, numbers) })
}

fn milliseconds(text: &str) -> Option<f64> {
    let split = text.find(|c: char| c.is_ascii_alphabetic())?;
    let (number, unit) = text.split_at(split);
    let factor = match unit {
        "us" => 0.001,
        "ms" => 1.0,
        "s" => 1000.0,
        _ => return None,
    };
    Some(number.parse::<f64>().ok()? * factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_read_as_wrk_prints_it() {
        let text = "  Latency Distribution\n     50%  212.00us\n     99%    1.52ms\n  307118 requests in 3.10s, 52.14MB read\n  \
                    Socket errors: connect 0, read 3, write 0, timeout 1\n  Non-2xx or 3xx responses: 12\n";
        let report = parse(text).unwrap();
        assert_eq!((report.requests, report.bad), (307_118, 16));
        assert!((report.p99 - 1.52).abs() < 1e-9);
    }
}
