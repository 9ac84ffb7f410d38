//! Detects that a watched file has changed and is written completely.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// The watched files: the program's binary and `.env`.
pub(super) struct Watched {
    files: [File; 2],
}

struct File {
    path: PathBuf,
    name: &'static str,
    /// The version that the running server was started from.
    current: Fingerprint,
    /// The version at the last check: a file that differs from it is still being written.
    last_seen: Fingerprint,
}

/// The version of a file: its time of modification and its size; `None` while the file does not exist.
type Fingerprint = Option<(SystemTime, u64)>;

impl Watched {
    pub(super) fn new() -> io::Result<Self> {
        let program = std::env::current_exe()?;
        Ok(Self { files: [File::new(program, "binary"), File::new(PathBuf::from(".env"), ".env")] })
    }

    pub(super) fn program(&self) -> &Path {
        &self.files[0].path
    }

    /// The name of a file that differs from the version that the server was started from, and has not changed since
    /// the last check. A binary that does not exist at the moment is being replaced.
    pub(super) fn changed(&mut self) -> Option<&'static str> {
        let mut changed = None;
        for file in &mut self.files {
            let seen = fingerprint(&file.path);
            let is_whole = seen == file.last_seen && (seen.is_some() || file.name != "binary");
            if seen != file.current && is_whole {
                file.current = seen;
                changed = Some(file.name);
            }
            file.last_seen = seen;
        }
        changed
    }
}

impl File {
    fn new(path: PathBuf, name: &'static str) -> Self {
        let current = fingerprint(&path);
        Self { path, name, current, last_seen: current }
    }
}

fn fingerprint(path: &Path) -> Fingerprint {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}
