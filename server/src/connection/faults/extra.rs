//! Bytes behind the answer that belong to no answer. \[pure\]

use actix_web::web::Bytes;

use super::answer::Piece;
use super::rewrite::{Finish, Rewrite};
use super::whole::pass;
use crate::connection::delivery::Spent;

/// A second whole answer. A client that takes it for the answer to its next request accepts an answer that the server never gave.
const SECOND_ANSWER: &[u8] =
    b"HTTP/1.1 200 OK\r\ncontent-length: 45\r\ncontent-type: application/json\r\n\r\n\
{\"detail\":\"This is the answer to no request\"}";

/// Passes the answer on, and the bytes behind it.
pub(super) struct Extra {
    bytes: Bytes,
}

impl Extra {
    pub(super) fn new(bytes: Option<Bytes>) -> Self {
        Self { bytes: bytes.unwrap_or(Bytes::from_static(SECOND_ANSWER)) }
    }
}

impl Rewrite for Extra {
    fn take(&mut self, piece: Piece<'_>, out: &mut Vec<u8>) -> Option<Finish> {
        pass(&piece, out);
        if !matches!(piece, Piece::End) {
            return None;
        }
        out.extend_from_slice(&self.bytes);
        Some(Finish::Spend(Spent::Broken))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::delivery::Delivery;
    use crate::connection::faults::answer::tests::{GET, HEAD};
    use crate::connection::faults::rewrite::tests::{ANSWER, CHUNKED, EMPTY, rewrite};

    #[test]
    fn the_bytes_stand_behind_the_whole_answer() {
        let finish = Some(Finish::Spend(Spent::Broken));
        for text in [ANSWER, CHUNKED, EMPTY] {
            let extra = Delivery::Extra(Some("zzz".into()));
            assert_eq!(rewrite(&extra, GET, text), (format!("{text}zzz"), finish));
        }
        let (text, _) = rewrite(&Delivery::Extra(None), HEAD, EMPTY);
        let second = text.strip_prefix(EMPTY).unwrap();
        let (head, body) = second.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n"));
        assert!(head.contains(&format!("content-length: {}\r\n", body.len())), "{second}");
    }
}
