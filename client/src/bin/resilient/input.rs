//! Bodies that come from the command line, from a file or from standard input.

use std::{
    fs::File,
    io::{self, Read},
};

use bytes::Bytes;

use crate::exit::Failure;

/// The longest body that is read from a file. A body is held in memory.
const LONGEST_BODY: u64 = 1 << 30;

/// Returns the text itself, or the contents of the file that it names.
pub(crate) fn read(flag: &str, text: &str) -> Result<Bytes, Failure> {
    let Some(path) = text.strip_prefix('@') else { return Ok(Bytes::copy_from_slice(text.as_bytes())) };
    if path.is_empty() {
        return Err(Failure::usage(format!("{flag} @ must be followed by the name of a file, or by -")));
    }
    let mut body = Vec::new();
    let read = match path {
        "-" => io::stdin().lock().take(LONGEST_BODY + 1).read_to_end(&mut body),
        path => File::open(path).and_then(|file| file.take(LONGEST_BODY + 1).read_to_end(&mut body)),
    };
    match read {
        Ok(length) if length as u64 > LONGEST_BODY => Err(Failure::usage(format!(
            "{flag} must be at most {LONGEST_BODY} bytes, and {path:?} is longer"
        ))),
        Ok(_) => Ok(body.into()),
        Err(why) => {
            Err(Failure::usage(format!("{flag} must name a file that can be read, got {path:?}: {why}")))
        }
    }
}
