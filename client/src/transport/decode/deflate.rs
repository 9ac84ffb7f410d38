//! The coding `deflate`: a zlib stream (RFC 1950), or the bare DEFLATE stream that some servers send instead. Pure.
//!
//! A zlib stream has a checksum (Adler-32). A bare one has none: a changed bit in it may decode to something else.

use flate2::Decompress;

use super::{
    Coding, Decode, Flaw, Sink,
    inflate::{Progress, inflate},
};

/// A decoder of `deflate`.
#[derive(Default)]
pub(super) enum Deflate {
    /// Before the second byte, which tells which stream it is.
    #[default]
    Empty,
    /// After the first byte.
    Begun(u8),
    /// In the stream.
    Stream(Decompress),
    /// After the stream.
    End,
}

impl Decode for Deflate {
    fn decode(&mut self, mut input: &[u8], sink: &mut Sink<'_>) -> Result<(), Flaw> {
        while let Some((first, rest)) = input.split_first() {
            match self {
                Self::Empty => {
                    *self = Self::Begun(*first);
                    input = rest;
                }
                Self::Begun(before) => {
                    let before = *before;
                    let mut stream = Decompress::new(is_zlib(before, *first));
                    inflate(&mut stream, Coding::Deflate, &[before], sink)?;
                    *self = Self::Stream(stream);
                }
                Self::Stream(stream) => match inflate(stream, Coding::Deflate, input, sink)? {
                    Progress::Wanting => return Ok(()),
                    Progress::Ended(taken) => {
                        *self = Self::End;
                        input = &input[taken..];
                    }
                },
                Self::End => return Err(Flaw::Corrupt(Coding::Deflate)),
            }
        }
        Ok(())
    }

    fn is_complete(&self) -> bool {
        matches!(self, Self::End)
    }
}

/// Whether two bytes are the header of a zlib stream. A bare stream that began with them would begin with a stored
/// block and bits that no encoder sets.
fn is_zlib(first: u8, second: u8) -> bool {
    first & 0x0f == 8 && first >> 4 <= 7 && u16::from_be_bytes([first, second]).is_multiple_of(31)
}
