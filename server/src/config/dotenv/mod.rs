//! The file `.env`, which is shared with other programs.
//!
//! It is read as python-dotenv reads it, with one difference: after a quotation mark that is never closed, reading
//! continues at the next line, so that an error in a line of another program hides no line of this server. A line that is not an
//! assignment is skipped.

mod expand;
mod parse;

use std::ffi::OsString;
use std::io::{self, Read};
use std::path::Path;

use derive_more::Display;

use super::ConfigError;
use parse::parse;

/// The largest file that is read.
const MAX_BYTES: u64 = 1024 * 1024;

/// The entries of the file `.env`, including those of other programs.
#[derive(Debug, Default)]
pub struct DotEnv {
    entries: Vec<Entry>,
}

/// One line that names a variable, or several lines where its value is in quotes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// The variable's name.
    pub(super) name: String,
    /// The number of the line that the name is in, from 1.
    pub(super) line: usize,
    /// The value without its quotes; `None` without an equals sign.
    pub(super) value: Result<Option<String>, Fault>,
}

/// What is wrong with a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Display)]
pub enum Fault {
    /// The name is followed by other text than an equals sign.
    #[display("the equals sign is missing")]
    NoEqualsSign,
    /// The closing quotation mark is missing.
    #[display("the closing quotation mark is missing")]
    Unterminated,
    /// The closing quotation mark is followed by other text than a comment.
    #[display("there is text after the closing quotation mark")]
    TrailingText,
}

impl DotEnv {
    /// Reads a file; one that does not exist is empty.
    ///
    /// # Errors
    /// The file cannot be read, or is too large.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let unreadable = |error: io::Error| ConfigError::DotEnv(error.to_string());
        let file = match std::fs::File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(unreadable(error)),
        };
        let mut bytes = Vec::new();
        file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
        match bytes.as_slice() {
            bytes if bytes.len() as u64 > MAX_BYTES => {
                Err(ConfigError::DotEnv(format!("it is larger than {MAX_BYTES} bytes")))
            }
            [0xFE, 0xFF, ..] | [0xFF, 0xFE, ..] => {
                Err(ConfigError::DotEnv("it is UTF-16, expected UTF-8".to_owned()))
            }
            bytes => Ok(Self::from_text(&String::from_utf8_lossy(bytes))),
        }
    }

    /// Reads the text of a file.
    #[must_use]
    pub fn from_text(text: &str) -> Self {
        Self { entries: parse(text) }
    }

    /// The last entry of a variable, its name in any case.
    pub(super) fn last(&self, variable: &str) -> Option<&Entry> {
        self.entries.iter().rev().find(|entry| entry.name.eq_ignore_ascii_case(variable))
    }

    /// The value of [`last`](Self::last) with its references to other variables replaced.
    pub(super) fn expanded(&self, variable: &str, environment: &[(OsString, OsString)]) -> Option<String> {
        let last = self.entries.iter().rposition(|entry| entry.name.eq_ignore_ascii_case(variable))?;
        expand::value_of(&self.entries[..=last], environment)
    }

    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }
}

#[cfg(test)]
mod tests;
