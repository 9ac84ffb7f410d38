//! The memory and the descriptors that a running program uses, read from `/proc` (Linux).

use std::fs;

/// Memory and descriptors of a process at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Footprint {
    /// Resident memory, in bytes.
    pub resident: u64,
    /// Open descriptors: files, sockets, pipes.
    pub descriptors: usize,
}

impl Footprint {
    /// Measures the process `pid`.
    ///
    /// # Panics
    /// When there is no such process or no `/proc`.
    pub fn of(pid: u32) -> Self {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("the process runs, on Linux");
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).and_then(kibibytes);
        let descriptors =
            fs::read_dir(format!("/proc/{pid}/fd")).expect("the process runs, as the same user");
        Footprint {
            resident: resident.expect("a running process has resident memory") * 1024,
            descriptors: descriptors.count(),
        }
    }

    /// Returns the most memory, in mebibytes, that the process `pid` has used at once.
    ///
    /// # Panics
    /// When there is no such process or no `/proc`.
    pub fn peak_mebibytes(pid: u32) -> u64 {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("the process runs, on Linux");
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).and_then(kibibytes);
        peak.expect("a running process has a peak") >> 10
    }

    /// Returns the resident memory in mebibytes.
    pub fn mebibytes(&self) -> u64 {
        self.resident >> 20
    }
}

fn kibibytes(field: &str) -> Option<u64> {
    field.trim().strip_suffix(" kB")?.parse().ok()
}
