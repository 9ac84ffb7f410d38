//! The answer before the body of the request has been read. \[pure\]

use super::answer::Piece;
use super::rewrite::{Finish, Rewrite};
use super::whole::pass;

/// Passes the answer on, as the last one of its connection.
pub(super) struct Early;

impl Rewrite for Early {
    fn take(&mut self, piece: Piece<'_>, out: &mut Vec<u8>) -> Option<Finish> {
        match piece {
            // The body is not wanted.
            Piece::Continue(_) => {}
            Piece::Head(head, _) => {
                head.clone().without(&["connection"]).with("connection: close").write(out);
            }
            Piece::Body { .. } | Piece::End => pass(&piece, out),
        }
        matches!(piece, Piece::End).then_some(Finish::HalfClose)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::delivery::Delivery;
    use crate::connection::faults::answer::tests::GET;
    use crate::connection::faults::rewrite::tests::rewrite;

    #[test]
    fn the_answer_is_the_only_one_and_the_last_one() {
        let text = "HTTP/1.1 100 Continue\r\n\r\n\
                    HTTP/1.1 413 Payload Too Large\r\ncontent-length: 2\r\nconnection: keep-alive\r\n\r\n{}";
        let expected =
            "HTTP/1.1 413 Payload Too Large\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}".to_owned();
        assert_eq!(rewrite(&Delivery::Early, GET, text), (expected, Some(Finish::HalfClose)));
    }
}
