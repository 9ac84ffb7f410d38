//! The coding `br` (RFC 7932). Pure.
//!
//! It has no checksum: a changed bit may decode to something else. Its window is at most 16 MiB; larger ones, which
//! the RFC does not know, are refused.

use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};

use super::{Coding, Decode, Flaw, Sink};

const CORRUPT: Flaw = Flaw::Corrupt(Coding::Brotli);
/// How much is decoded at a time.
const PIECE: usize = 16 * 1024;

type State = BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>;

/// A decoder of `br`.
pub(super) struct Brotli {
    /// `None` after the end of the stream.
    state: Option<Box<State>>,
}

impl Default for Brotli {
    fn default() -> Self {
        let alloc = StandardAlloc::default;
        Self { state: Some(Box::new(State::new_strict(alloc(), alloc(), alloc()))) }
    }
}

impl Decode for Brotli {
    fn decode(&mut self, input: &[u8], sink: &mut Sink<'_>) -> Result<(), Flaw> {
        let Some(state) = &mut self.state else {
            return if input.is_empty() { Ok(()) } else { Err(CORRUPT) };
        };
        let mut piece = [0; PIECE];
        let (mut left, mut taken, mut total) = (input.len(), 0, 0);
        loop {
            let (mut room, mut produced) = (PIECE, 0);
            let result = BrotliDecompressStream(
                &mut left,
                &mut taken,
                input,
                &mut room,
                &mut produced,
                &mut piece,
                &mut total,
                state,
            );
            sink(&piece[..produced])?;
            match result {
                BrotliResult::NeedsMoreOutput => {}
                BrotliResult::NeedsMoreInput => return Ok(()),
                BrotliResult::ResultSuccess => {
                    self.state = None;
                    return if left == 0 { Ok(()) } else { Err(CORRUPT) };
                }
                BrotliResult::ResultFailure => return Err(CORRUPT),
            }
        }
    }

    fn is_complete(&self) -> bool {
        self.state.is_none()
    }
}
