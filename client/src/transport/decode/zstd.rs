//! The coding `zstd` (RFC 8878): frames of blocks, with a window of at most 8 MiB (RFC 9659). Pure.
//!
//! The decoder wants whole blocks, so this cuts the stream into headers, blocks (128 KiB at most) and checksums. A
//! frame may leave its checksum out: a changed bit in it may then decode to something else.

use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::{Coding, Decode, Flaw, Sink};

const CORRUPT: Flaw = Flaw::Corrupt(Coding::Zstd);
const MAGIC: [u8; 4] = 0xfd2f_b528_u32.to_le_bytes();
/// The first magic number of a skippable frame, with its last four bits left out.
const SKIPPABLE: u32 = 0x184d_2a50;
/// The largest window of a content coding (RFC 9659, 3).
const LARGEST_WINDOW: u64 = 8 << 20;
const LARGEST_BLOCK: usize = 128 << 10;
const BLOCK_HEADER: usize = 3;

/// A decoder of `zstd`.
#[derive(Default)]
pub(super) struct Zstd {
    place: Place,
    frames: Frames,
    /// The beginning of the unit that comes next; shorter than a block with its header and a checksum.
    held: Vec<u8>,
    decoder: FrameDecoder,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Frames {
    #[default]
    NoneYet,
    Some,
}

/// What comes next in the stream.
#[derive(Clone, Copy, Default)]
enum Place {
    /// The header of a frame.
    #[default]
    Header,
    /// A block of a frame.
    Block(Frame),
    /// So many bytes of a skippable frame.
    Skipped(u64),
}

/// What the header of a frame says.
#[derive(Clone, Copy)]
struct Frame {
    checksum: Checksum,
    /// How long its content is, if it says so.
    content: Option<u64>,
    decoded: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Checksum {
    Absent,
    Present,
}

impl Decode for Zstd {
    fn decode(&mut self, mut input: &[u8], sink: &mut Sink<'_>) -> Result<(), Flaw> {
        loop {
            if let Place::Skipped(left) = self.place {
                let here = usize::try_from(left).unwrap_or(usize::MAX).min(input.len());
                input = &input[here..];
                match left - here as u64 {
                    0 => (self.place, self.frames) = (Place::Header, Frames::Some),
                    left => {
                        self.place = Place::Skipped(left);
                        return Ok(());
                    }
                }
            }
            let wanted = self.wanted()?;
            if self.held.len() < wanted {
                let here = (wanted - self.held.len()).min(input.len());
                self.held.extend_from_slice(&input[..here]);
                input = &input[here..];
                // A longer beginning may show that the unit is longer, or none.
                if self.held.len() < self.wanted()? {
                    if input.is_empty() {
                        return Ok(());
                    }
                    continue;
                }
            }
            self.take_unit(sink)?;
            self.held.clear();
        }
    }

    fn is_complete(&self) -> bool {
        matches!(self.place, Place::Header) && self.held.is_empty() && self.frames == Frames::Some
    }
}

impl Zstd {
    /// How many bytes the next unit has, as far as its held beginning shows.
    fn wanted(&self) -> Result<usize, Flaw> {
        match self.place {
            Place::Header => header_length(&self.held),
            Place::Block(frame) => block_length(&self.held, frame.checksum),
            Place::Skipped(_) => Ok(0),
        }
    }

    /// Takes the unit that is held.
    fn take_unit(&mut self, sink: &mut Sink<'_>) -> Result<(), Flaw> {
        match self.place {
            Place::Header => self.place = self.begin()?,
            Place::Block(frame) => {
                let decoded = self.decode_block(sink)?;
                let frame = Frame { decoded: frame.decoded + decoded, ..frame };
                self.place = Place::Block(frame);
                if self.decoder.is_finished() {
                    self.check(frame)?;
                    (self.place, self.frames) = (Place::Header, Frames::Some);
                }
            }
            Place::Skipped(_) => {}
        }
        Ok(())
    }

    fn begin(&mut self) -> Result<Place, Flaw> {
        if is_skippable(&self.held) {
            return Ok(Place::Skipped(little_endian(&self.held[4..8])));
        }
        self.decoder.set_max_window_size(LARGEST_WINDOW);
        self.decoder.reset(&self.held[..]).map_err(|_| CORRUPT)?;
        let descriptor = self.held[4];
        let content = content_size_length(descriptor).map(|length| {
            let size = little_endian(&self.held[self.held.len() - length..]);
            // A size of two bytes is counted from 256 on.
            if length == 2 { size + 256 } else { size }
        });
        let checksum = if descriptor & 0b100 == 0 { Checksum::Absent } else { Checksum::Present };
        Ok(Place::Block(Frame { checksum, content, decoded: 0 }))
    }

    /// Decodes the block that is held, and returns how many bytes it gave.
    fn decode_block(&mut self, sink: &mut Sink<'_>) -> Result<u64, Flaw> {
        let one = BlockDecodingStrategy::UptoBlocks(1);
        self.decoder.decode_blocks(&self.held[..], one).map_err(|_| CORRUPT)?;
        let decoded = self.decoder.collect().unwrap_or_default();
        sink(&decoded)?;
        Ok(decoded.len() as u64)
    }

    /// Compares what a frame announced with what it gave.
    fn check(&self, frame: Frame) -> Result<(), Flaw> {
        let right_length = frame.content.is_none_or(|content| content == frame.decoded);
        let right_sum = frame.checksum == Checksum::Absent
            || self.decoder.get_checksum_from_data() == self.decoder.get_calculated_checksum();
        if right_length && right_sum { Ok(()) } else { Err(CORRUPT) }
    }
}

/// How many bytes the header of a frame has, as far as its beginning shows.
fn header_length(held: &[u8]) -> Result<usize, Flaw> {
    let compared = held.len().min(4);
    let may_be_skippable = skippable_prefix(&held[..compared]);
    if held[..compared] != MAGIC[..compared] && !may_be_skippable {
        return Err(CORRUPT);
    }
    if held.len() < 4 {
        return Ok(4);
    }
    if is_skippable(held) {
        return Ok(8);
    }
    let Some(descriptor) = held.get(4) else { return Ok(5) };
    if descriptor & 0b1000 != 0 {
        return Err(CORRUPT);
    }
    let window = usize::from(descriptor & 0b10_0000 == 0);
    let dictionary = [0, 1, 2, 4][usize::from(descriptor & 0b11)];
    Ok(5 + window + dictionary + content_size_length(*descriptor).unwrap_or(0))
}

/// How many bytes of a header hold the size of the content; `None` when it is not stated.
fn content_size_length(descriptor: u8) -> Option<usize> {
    let is_single_segment = descriptor & 0b10_0000 != 0;
    match descriptor >> 6 {
        0 => is_single_segment.then_some(1),
        1 => Some(2),
        2 => Some(4),
        _ => Some(8),
    }
}

/// How many bytes a block has with its header, and with the checksum after the last one, as far as its beginning
/// shows.
fn block_length(held: &[u8], checksum: Checksum) -> Result<usize, Flaw> {
    if held.len() < BLOCK_HEADER {
        return Ok(BLOCK_HEADER);
    }
    let header = little_endian(&held[..BLOCK_HEADER]);
    let size = usize::try_from(header >> 3).map_err(|_| CORRUPT)?;
    let is_run = header >> 1 & 0b11 == 1;
    if size > LARGEST_BLOCK {
        return Err(CORRUPT);
    }
    let is_last = header & 1 == 1;
    let sum = if is_last && checksum == Checksum::Present { 4 } else { 0 };
    Ok(BLOCK_HEADER + if is_run { 1 } else { size } + sum)
}

fn is_skippable(held: &[u8]) -> bool {
    held.len() >= 4 && skippable_prefix(&held[..4])
}

fn skippable_prefix(start: &[u8]) -> bool {
    let magic = SKIPPABLE.to_le_bytes();
    start.iter().zip(magic).enumerate().all(|(at, (byte, magic))| match at {
        0 => byte & 0xf0 == magic,
        _ => *byte == magic,
    })
}

fn little_endian(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}
