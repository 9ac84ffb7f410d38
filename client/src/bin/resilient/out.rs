//! Standard output and standard error. A reader that goes away is no error of ours, and never a panic.

use std::io::{self, ErrorKind, Write};

use crate::exit::Failure;

/// Writes bytes to standard output as they are.
pub(crate) fn bytes(bytes: &[u8]) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(why) if why.kind() != ErrorKind::BrokenPipe => Err(Failure::io("standard output", &why)),
        _ => Ok(()),
    }
}

/// Writes text to standard output, with the end of its last line.
pub(crate) fn line(text: &str) -> Result<(), Failure> {
    let end = if text.ends_with('\n') { "" } else { "\n" };
    bytes(format!("{text}{end}").as_bytes())
}

/// Writes one line to standard error, whatever is in the text.
pub(crate) fn complain(text: &str) {
    // There is nobody to tell that this failed.
    let _ = writeln!(io::stderr(), "resilient: {}", one_line(text));
}

/// The text without anything that could end the line or speak to the terminal.
pub(crate) fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
