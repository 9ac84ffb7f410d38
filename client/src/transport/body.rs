//! The body of a reply as it comes in: kept as it is, or decoded. It never grows beyond its bound.

use bytes::{Bytes, BytesMut};

use super::{
    Cause, Fault, Sent,
    decode::{Decoder, Flaw, Found},
};

/// The most that is set aside for a body because its head announces it.
const MAX_RESERVED: u64 = 1 << 20;
/// How many bytes are decoded at a time.
const STEP: usize = 4 * 1024;
/// How many decoded bytes a task may produce before it lets others run.
const TURN: usize = 256 * 1024;

/// The body of a reply.
pub(super) struct Body {
    max_body: u64,
    form: Form,
}

enum Form {
    /// As it came. Most bodies come in one piece, which needs no copy.
    Plain { first: Bytes, rest: BytesMut },
    /// Decoded. Boxed, because most bodies are not, and each call has a place for it.
    Coded(Box<Decoder>),
}

/// Whether a chunk has been added as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pushed {
    Whole,
    /// The rest of it is worth a turn of its own.
    Partly,
}

impl Body {
    /// An empty body of at most `max_body` bytes, which are counted after decoding.
    pub(super) fn new(found: Found, max_body: u64) -> Result<Self, Fault> {
        let form = match found {
            Found::NothingToDecode => Form::Plain { first: Bytes::new(), rest: BytesMut::new() },
            Found::Coded(codings) => Form::Coded(Box::new(Decoder::new(&codings, max_body))),
            Found::TooMany => {
                let message = "the reply has too many content codings";
                return Err(Fault::new(Cause::Decode, Sent::Maybe, message));
            }
        };
        Ok(Self { max_body, form })
    }

    /// The most bytes that it may have on the wire.
    pub(super) fn longest(&self) -> u64 {
        match self.form {
            Form::Plain { .. } => self.max_body,
            Form::Coded(_) => Decoder::longest_encoded(self.max_body),
        }
    }

    /// Adds a chunk, or as much of it as can be decoded in one turn. `announced` is the length on the wire that the head
    /// announces.
    pub(super) fn push(&mut self, chunk: &mut Bytes, announced: Option<u64>) -> Result<Pushed, Fault> {
        match &mut self.form {
            Form::Plain { first, rest } if first.is_empty() && rest.is_empty() => {
                *first = std::mem::take(chunk);
            }
            Form::Plain { first, rest } => {
                if rest.is_empty() {
                    let length = announced.map_or(first.len() + chunk.len(), |announced| {
                        usize::try_from(announced.min(MAX_RESERVED)).unwrap_or(0)
                    });
                    rest.reserve(length);
                    rest.extend_from_slice(&std::mem::take(first));
                }
                rest.extend_from_slice(chunk);
            }
            Form::Coded(decoder) => {
                let before = decoder.decoded();
                while !chunk.is_empty() {
                    let step = chunk.split_to(STEP.min(chunk.len()));
                    decoder.decode(&step).map_err(|flaw| flawed(flaw, self.max_body))?;
                    if decoder.decoded() - before > TURN {
                        return Ok(Pushed::Partly);
                    }
                }
            }
        }
        Ok(Pushed::Whole)
    }

    /// The whole body.
    pub(super) fn finish(self) -> Result<Bytes, Fault> {
        match self.form {
            Form::Plain { first, rest } if rest.is_empty() => Ok(first),
            Form::Plain { rest, .. } => Ok(rest.freeze()),
            Form::Coded(decoder) => match decoder.finish() {
                Ok(body) => Ok(body.into()),
                Err(flaw) => Err(flawed(flaw, self.max_body)),
            },
        }
    }
}

/// The fault of a body that is longer than allowed.
pub(super) fn too_large(max_body: u64) -> Fault {
    let message = format!("the body of the reply is longer than {max_body} bytes");
    Fault::new(Cause::BodyTooLarge, Sent::Maybe, message)
}

fn flawed(flaw: Flaw, max_body: u64) -> Fault {
    match flaw {
        Flaw::TooLong => too_large(max_body),
        Flaw::Cut(coding) => {
            let message = format!("the reply was cut short: its {coding} stream has no end");
            Fault::new(Cause::Network, Sent::Maybe, message)
        }
        Flaw::Corrupt(coding) => {
            let message = format!("the body of the reply is not valid {coding}");
            Fault::new(Cause::Decode, Sent::Maybe, message)
        }
    }
}
