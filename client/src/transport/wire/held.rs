//! The beginning of a head that comes in pieces. Pure.

use bytes::{Buf, BytesMut};

use super::{fault::WireFault, head::MAX_LENGTH};

/// The most interim replies before the final one.
pub(super) const MAX_INTERIM: u8 = 100;

/// The beginning of a head that does not come in one piece.
#[derive(Debug, Default)]
pub(super) struct Held {
    pub(super) bytes: BytesMut,
    /// How many bytes have been searched for the end.
    searched: usize,
    /// How many bytes there were when they were last parsed.
    parsed: usize,
    interim: u8,
}

impl Held {
    /// Whether no byte of a reply has come.
    pub(super) fn is_fresh(&self) -> bool {
        self.bytes.is_empty() && self.interim == 0
    }

    /// Whether the bytes have a whole head or have doubled since they were last parsed: a head that comes byte by byte
    /// must not be parsed for each of them.
    pub(super) fn is_worth_parsing(&mut self) -> bool {
        let from = self.searched.saturating_sub(2);
        self.searched = self.bytes.len();
        let whole = has_empty_line(&self.bytes[from..]);
        let worth = !self.bytes.is_empty() && (whole || self.bytes.len() >= 2 * self.parsed);
        if worth {
            self.parsed = self.bytes.len();
        }
        worth
    }

    /// Forgets an interim reply at the beginning.
    pub(super) fn drop_interim(&mut self, length: usize) -> Result<(), WireFault> {
        if self.interim == MAX_INTERIM {
            return Err(WireFault::TooManyInterim);
        }
        self.bytes.advance(length);
        self.interim += 1;
        (self.searched, self.parsed) = (0, 0);
        Ok(())
    }

    /// Whether the head may still become one that is read.
    pub(super) fn check_length(&self) -> Result<(), WireFault> {
        if self.bytes.len() > MAX_LENGTH { Err(WireFault::HeadTooLong) } else { Ok(()) }
    }
}

/// Whether a line ends and the next one is empty. Lines may end without a carriage return.
fn has_empty_line(bytes: &[u8]) -> bool {
    bytes.windows(2).any(|pair| pair == b"\n\n") || bytes.windows(3).any(|triple| triple == b"\n\r\n")
}
