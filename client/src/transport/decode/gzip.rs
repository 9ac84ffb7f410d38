//! The coding `gzip` (RFC 1952): one member or several, each with a header, a DEFLATE stream and a checksum. Pure.

use flate2::{Crc, Decompress};

use super::{
    Coding, Decode, Flaw, Sink,
    inflate::{Progress, inflate},
};

const CORRUPT: Flaw = Flaw::Corrupt(Coding::Gzip);

/// The flags of a header.
mod flag {
    pub(super) const HEADER_CRC: u8 = 0b0000_0010;
    pub(super) const EXTRA: u8 = 0b0000_0100;
    pub(super) const NAME: u8 = 0b0000_1000;
    pub(super) const COMMENT: u8 = 0b0001_0000;
    pub(super) const RESERVED: u8 = 0b1110_0000;
}

/// A decoder of `gzip`.
#[derive(Default)]
pub(super) struct Gzip {
    stage: Stage,
    /// Whether a whole member has been decoded.
    members: Members,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Members {
    #[default]
    NoneYet,
    Some,
}

enum Stage {
    Header(Header),
    Stream { stream: Decompress, crc: Crc },
    Trailer { crc: Crc, bytes: [u8; 8], count: usize },
}

impl Default for Stage {
    fn default() -> Self {
        Self::Header(Header::default())
    }
}

impl Decode for Gzip {
    fn decode(&mut self, mut input: &[u8], sink: &mut Sink<'_>) -> Result<(), Flaw> {
        while let Some((first, rest)) = input.split_first() {
            match &mut self.stage {
                Stage::Header(header) => {
                    header.take(*first)?;
                    if header.field == Field::End {
                        self.stage = Stage::Stream { stream: Decompress::new(false), crc: Crc::new() };
                    }
                    input = rest;
                }
                Stage::Stream { stream, crc } => {
                    let checked = &mut |bytes: &[u8]| {
                        crc.update(bytes);
                        sink(bytes)
                    };
                    match inflate(stream, Coding::Gzip, input, checked)? {
                        Progress::Wanting => return Ok(()),
                        Progress::Ended(taken) => {
                            let crc = std::mem::take(crc);
                            self.stage = Stage::Trailer { crc, bytes: [0; 8], count: 0 };
                            input = &input[taken..];
                        }
                    }
                }
                Stage::Trailer { crc, bytes, count } => {
                    bytes[*count] = *first;
                    *count += 1;
                    if *count == bytes.len() {
                        check(crc, *bytes)?;
                        (self.stage, self.members) = (Stage::default(), Members::Some);
                    }
                    input = rest;
                }
            }
        }
        Ok(())
    }

    fn is_complete(&self) -> bool {
        let between = matches!(&self.stage, Stage::Header(header) if header.length == 0);
        between && self.members == Members::Some
    }
}

/// Compares the checksum and the length (modulo 2^32) with those at the end of a member.
fn check(crc: &Crc, trailer: [u8; 8]) -> Result<(), Flaw> {
    let [a, b, c, d, e, f, g, h] = trailer;
    let (sum, length) = (u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h]));
    if (crc.sum(), crc.amount()) == (sum, length) { Ok(()) } else { Err(CORRUPT) }
}

/// The header of a member, byte by byte.
#[derive(Default)]
struct Header {
    field: Field,
    flags: u8,
    crc: Crc,
    length: u64,
}

/// The field to which the next byte of a header belongs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Field {
    /// The first ten bytes.
    #[default]
    Fixed,
    ExtraLength,
    ExtraLengthHigh(u8),
    Extra(u16),
    Name,
    Comment,
    Crc,
    CrcHigh(u8),
    End,
}

impl Header {
    fn take(&mut self, byte: u8) -> Result<(), Flaw> {
        let at = self.length;
        self.length += 1;
        if !matches!(self.field, Field::Crc | Field::CrcHigh(_)) {
            self.crc.update(&[byte]);
        }
        self.field = match self.field {
            Field::Fixed => match (at, byte) {
                (0, 0x1f) | (1, 0x8b) | (2, 8) | (4..=8, _) => Field::Fixed,
                (3, flags) if flags & flag::RESERVED == 0 => {
                    self.flags = flags;
                    Field::Fixed
                }
                (9, _) => self.after(Field::Fixed),
                _ => return Err(CORRUPT),
            },
            Field::ExtraLength => Field::ExtraLengthHigh(byte),
            Field::ExtraLengthHigh(low) => match u16::from_le_bytes([low, byte]) {
                0 => self.after(Field::Extra(0)),
                length => Field::Extra(length),
            },
            Field::Extra(1) => self.after(Field::Extra(0)),
            Field::Extra(left) => Field::Extra(left - 1),
            text @ (Field::Name | Field::Comment) => {
                if byte == 0 {
                    self.after(text)
                } else {
                    text
                }
            }
            Field::Crc => Field::CrcHigh(byte),
            Field::CrcHigh(low) => {
                // The two low bytes of the CRC-32 of what came before.
                if self.crc.sum().to_le_bytes()[..2] != [low, byte] {
                    return Err(CORRUPT);
                }
                Field::End
            }
            Field::End => Field::End,
        };
        Ok(())
    }

    /// The next field that the header has after this one.
    fn after(&self, field: Field) -> Field {
        let order = [
            (flag::EXTRA, Field::ExtraLength),
            (flag::NAME, Field::Name),
            (flag::COMMENT, Field::Comment),
            (flag::HEADER_CRC, Field::Crc),
        ];
        let from = match field {
            Field::Fixed => 0,
            Field::Extra(_) => 1,
            Field::Name => 2,
            _ => 3,
        };
        let next = order[from..].iter().find(|(flag, _)| self.flags & flag != 0);
        next.map_or(Field::End, |(_, field)| *field)
    }
}
