//! Decodes the content codings of a reply (RFC 9110, 8.4) as a stream, in bounded memory. Pure.
//!
//! * `codings`: which codings a reply has.
//! * `gzip`, `deflate`, `brotli`, `zstd`: one decoder each. `inflate`: what the first two share.
//!
//! A stream that ends too early is told apart from one that is corrupt: the first is a reply that was cut short, the
//! second would be the same next time. Bytes after the end of a stream make it corrupt.

mod brotli;
mod codings;
mod deflate;
mod gzip;
mod inflate;
mod zstd;

use derive_more::Display;

pub(super) use self::codings::{Codings, Found};

/// What the client asks for when the caller has not asked for anything.
pub(crate) const ACCEPTED: &str = "gzip, deflate, br, zstd";

/// A content coding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Display)]
pub(super) enum Coding {
    #[display("gzip")]
    Gzip,
    #[display("deflate")]
    Deflate,
    #[display("br")]
    Brotli,
    #[display("zstd")]
    Zstd,
}

/// Why a body cannot be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    /// The stream is not valid in its coding.
    Corrupt(Coding),
    /// The stream ends too early.
    Cut(Coding),
    /// The decoded bytes are more than allowed.
    TooLong,
}

/// Takes decoded bytes.
type Sink<'a> = dyn FnMut(&[u8]) -> Result<(), Flaw> + 'a;

/// A decoder of one coding.
trait Decode {
    /// Decodes the next bytes of the stream.
    fn decode(&mut self, input: &[u8], sink: &mut Sink<'_>) -> Result<(), Flaw>;

    /// Whether the stream may end here.
    fn is_complete(&self) -> bool;
}

/// Decodes a body that has one coding or several, applied one after the other.
pub(super) struct Decoder {
    /// The first is the one that was applied last.
    stages: Vec<Stage>,
    decoded: Vec<u8>,
    longest: u64,
}

struct Stage {
    coding: Coding,
    decoder: Box<dyn Decode>,
    /// How many bytes it has decoded.
    produced: u64,
}

impl Decoder {
    /// A decoder for a body with these codings, decoded no longer than `longest` bytes.
    pub(super) fn new(codings: &Codings, longest: u64) -> Self {
        let stages = codings.applied().rev().map(Stage::new).collect();
        Self { stages, decoded: Vec::new(), longest }
    }

    /// The most bytes that a body may have before it is decoded. An encoded body can be a little longer than the plain
    /// one; beyond that it only takes time.
    pub(super) fn longest_encoded(longest: u64) -> u64 {
        longest.saturating_add(longest / 64).saturating_add(4_096)
    }

    /// Decodes the next bytes.
    pub(super) fn decode(&mut self, input: &[u8]) -> Result<(), Flaw> {
        let (decoded, longest) = (&mut self.decoded, self.longest);
        let keep = &mut |bytes: &[u8]| {
            if (decoded.len() + bytes.len()) as u64 > longest {
                return Err(Flaw::TooLong);
            }
            decoded.extend_from_slice(bytes);
            Ok(())
        };
        run(&mut self.stages, Self::longest_encoded(longest), input, keep)
    }

    /// How many bytes have been decoded.
    pub(super) fn decoded(&self) -> usize {
        self.decoded.len()
    }

    /// The decoded body, once all of it has come.
    pub(super) fn finish(self) -> Result<Vec<u8>, Flaw> {
        match self.stages.iter().find(|stage| !stage.decoder.is_complete()) {
            Some(stage) => Err(Flaw::Cut(stage.coding)),
            None => Ok(self.decoded),
        }
    }
}

impl Stage {
    fn new(coding: Coding) -> Self {
        let decoder: Box<dyn Decode> = match coding {
            Coding::Gzip => Box::new(gzip::Gzip::default()),
            Coding::Deflate => Box::new(deflate::Deflate::default()),
            Coding::Brotli => Box::new(brotli::Brotli::default()),
            Coding::Zstd => Box::new(zstd::Zstd::default()),
        };
        Self { coding, decoder, produced: 0 }
    }
}

/// Passes bytes through all stages. No stage may produce more than `longest` bytes, except the last, which its sink
/// bounds.
fn run(stages: &mut [Stage], longest: u64, input: &[u8], sink: &mut Sink<'_>) -> Result<(), Flaw> {
    let Some((stage, rest)) = stages.split_first_mut() else { return sink(input) };
    let Stage { decoder, produced, .. } = stage;
    decoder.decode(input, &mut |bytes| {
        *produced += bytes.len() as u64;
        if *produced > longest {
            return Err(Flaw::TooLong);
        }
        run(rest, longest, bytes, sink)
    })
}

#[cfg(test)]
mod tests;
