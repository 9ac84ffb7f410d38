//! Bytes that are not HTTP. \[pure\]

use super::answer::Piece;
use super::rewrite::{Finish, Rewrite};
use crate::connection::delivery::Spent;

/// What the client gets. The end of a line lets it see at once that this is no status line.
const GARBAGE: &[u8] = b"\x15\x03\xff\x00 these bytes are not HTTP \xc3\x28\r\n\r\n";

/// Replaces the answer by garbage.
pub(super) struct Garbage;

impl Rewrite for Garbage {
    fn take(&mut self, piece: Piece<'_>, out: &mut Vec<u8>) -> Option<Finish> {
        match piece {
            Piece::Continue(raw) => out.extend_from_slice(raw),
            Piece::Head(..) => out.extend_from_slice(GARBAGE),
            Piece::Body { .. } => {}
            Piece::End => return Some(Finish::Spend(Spent::Broken)),
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::delivery::Delivery;
    use crate::connection::faults::answer::tests::GET;
    use crate::connection::faults::rewrite::tests::{ANSWER, rewrite};

    #[test]
    fn nothing_of_the_answer_is_left() {
        let expected = String::from_utf8_lossy(GARBAGE).into_owned();
        assert_eq!(rewrite(&Delivery::Garbage, GET, ANSWER), (expected, Some(Finish::Spend(Spent::Broken))));
    }
}
