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
    /// Measures the running process `pid`.
    ///
    /// # Panics
    /// When the process has ended, or there is no `/proc`.
    pub fn of(pid: u32) -> Self {
        let resident = memory(pid, "VmRSS:").expect("the process runs, on Linux");
        let descriptors =
            fs::read_dir(format!("/proc/{pid}/fd")).expect("the process runs, as the same user");
        Footprint { resident, descriptors: descriptors.count() }
    }

    /// Returns the most memory, in mebibytes, that the process `pid` has used at once so far; `None` once it has
    /// ended: a process that nobody has waited for still has its place in `/proc`, but no memory.
    pub fn peak_mebibytes(pid: u32) -> Option<u64> {
        memory(pid, "VmHWM:").map(|bytes| bytes >> 20)
    }

    /// Returns the resident memory in mebibytes.
    pub fn mebibytes(&self) -> u64 {
        self.resident >> 20
    }
}

/// A field of `/proc/PID/status`, in bytes.
fn memory(pid: u32, field: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let kibibytes = status.lines().find_map(|line| line.strip_prefix(field)).and_then(kibibytes)?;
    Some(kibibytes * 1024)
}

fn kibibytes(field: &str) -> Option<u64> {
    field.trim().strip_suffix(" kB")?.parse().ok()
}
