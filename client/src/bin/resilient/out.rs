//! Writes to standard output and standard error. A reader that has closed its side is not an error.

use std::io::{self, ErrorKind, Write};

use crate::{exit::Failure, secrets::without_userinfo};

/// Writes bytes to standard output as they are.
pub(crate) fn bytes(bytes: &[u8]) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(why) if why.kind() != ErrorKind::BrokenPipe => Err(Failure::io("standard output", &why)),
        _ => Ok(()),
    }
}

/// Writes text to standard output, and ends its last line.
pub(crate) fn line(text: &str) -> Result<(), Failure> {
    let end = if text.ends_with('\n') { "" } else { "\n" };
    bytes(format!("{text}{end}").as_bytes())
}

/// Writes text to standard error as one line, without secrets.
pub(crate) fn complain(text: &str) {
    // There is no other place to report that this failed.
    let _ = writeln!(io::stderr(), "resilient: {}", one_line(&without_userinfo(text)));
}

/// Replaces the characters that end a line or control a terminal.
pub(crate) fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
