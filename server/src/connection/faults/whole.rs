//! The answer as it is. \[pure\]

use super::answer::Piece;
use super::rewrite::{Finish, Rewrite};

/// Passes the whole answer on, before what follows.
pub(super) struct Whole(pub(super) Finish);

/// Appends a piece as it was written.
pub(super) fn pass(piece: &Piece<'_>, out: &mut Vec<u8>) {
    match piece {
        Piece::Continue(raw) => out.extend_from_slice(raw),
        Piece::Head(head, _) => out.extend_from_slice(head.raw()),
        Piece::Body { framed, .. } => out.extend_from_slice(framed),
        Piece::End => {}
    }
}

impl Rewrite for Whole {
    fn take(&mut self, piece: Piece<'_>, out: &mut Vec<u8>) -> Option<Finish> {
        pass(&piece, out);
        matches!(piece, Piece::End).then_some(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::delivery::{Delivery, Spent};
    use crate::connection::faults::answer::tests::{GET, HEAD};
    use crate::connection::faults::rewrite::tests::{ANSWER, CHUNKED, EMPTY, rewrite};

    #[test]
    fn a_stale_connection_and_a_drip_begin_with_the_answer_as_it_is() {
        let stale = Finish::Spend(Spent::Stale);
        for (delivery, finish) in
            [(Delivery::Stale, stale), (Delivery::Drip { bytes_per_second: 1 }, Finish::GoOn)]
        {
            for text in [ANSWER, CHUNKED, EMPTY] {
                assert_eq!(rewrite(&delivery, GET, text), (text.to_owned(), Some(finish)));
            }
            let head = ANSWER.trim_end_matches("0123456789");
            assert_eq!(rewrite(&delivery, HEAD, head), (head.to_owned(), Some(finish)));
        }
    }
}
