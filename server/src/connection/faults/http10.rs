//! The answer as one of HTTP/1.0, without keep-alive. \[pure\]

use super::answer::{Framing, Piece};
use super::rewrite::{Finish, Rewrite};
use crate::connection::delivery::End;

/// Passes on an answer of HTTP/1.0, behind which the connection ends. It has no chunks.
pub(super) struct Http10;

impl Rewrite for Http10 {
    fn take(&mut self, piece: Piece<'_>, out: &mut Vec<u8>) -> Option<Finish> {
        match piece {
            Piece::Continue(raw) => out.extend_from_slice(raw),
            Piece::Head(head, framing) => {
                let head = head.clone().without(&["connection", "keep-alive"]).into_http10();
                let head = match framing {
                    Framing::Chunked => head.without(&["transfer-encoding"]),
                    Framing::NoBody | Framing::Length(_) | Framing::UntilClose => head,
                };
                head.write(out);
            }
            Piece::Body { content, .. } => out.extend_from_slice(content),
            Piece::End => return Some(Finish::End(End::Close)),
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::delivery::Delivery;
    use crate::connection::faults::answer::tests::GET;
    use crate::connection::faults::rewrite::tests::{ANSWER, CHUNKED, rewrite};

    #[test]
    fn the_version_is_changed_and_chunks_are_undone() {
        let end = Some(Finish::End(End::Close));
        assert_eq!(rewrite(&Delivery::Http10, GET, ANSWER), (ANSWER.replacen("1.1", "1.0", 1), end));
        assert_eq!(
            rewrite(&Delivery::Http10, GET, CHUNKED),
            ("HTTP/1.0 200 OK\r\n\r\n0123456789".to_owned(), end)
        );
        let keep_alive = "HTTP/1.1 200 OK\r\nconnection: keep-alive\r\ncontent-length: 0\r\n\r\n";
        assert_eq!(
            rewrite(&Delivery::Http10, GET, keep_alive).0,
            "HTTP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n"
        );
    }
}
