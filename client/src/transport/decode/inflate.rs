//! The DEFLATE stream inside gzip and deflate (RFC 1951). Pure.

use flate2::{Decompress, FlushDecompress, Status};

use super::Sink;
use super::{Coding, Flaw};

/// How much is decoded at a time.
const PIECE: usize = 16 * 1024;

/// Where a stream is after some of its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// It needs more bytes.
    Wanting,
    /// It has ended after so many of the bytes.
    Ended(usize),
}

/// Decodes bytes until they or the stream end.
pub(super) fn inflate(
    stream: &mut Decompress,
    coding: Coding,
    input: &[u8],
    sink: &mut Sink<'_>,
) -> Result<Progress, Flaw> {
    let mut piece = [0; PIECE];
    let mut taken = 0;
    loop {
        let (before_in, before_out) = (stream.total_in(), stream.total_out());
        let status = stream
            .decompress(&input[taken..], &mut piece, FlushDecompress::None)
            .map_err(|_| Flaw::Corrupt(coding))?;
        let count = |more: u64| usize::try_from(more).unwrap_or(usize::MAX);
        let (consumed, produced) =
            (count(stream.total_in() - before_in), count(stream.total_out() - before_out));
        taken += consumed;
        sink(&piece[..produced])?;
        if status == Status::StreamEnd {
            return Ok(Progress::Ended(taken));
        }
        if produced < PIECE && (taken == input.len() || consumed + produced == 0) {
            return if taken == input.len() { Ok(Progress::Wanting) } else { Err(Flaw::Corrupt(coding)) };
        }
    }
}
