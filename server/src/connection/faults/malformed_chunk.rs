//! A chunked body that breaks its framing. \[pure\]

use super::answer::{Framing, Piece};
use super::rewrite::{Finish, Rewrite};
use super::truncate::{self, Truncate};
use crate::connection::delivery::{Asked, End, Promise, Protocol, Spent};

/// Stands where the size of a chunk must.
const NO_SIZE: &[u8] = b"this is not the size of a chunk\r\n";

/// The fault for a request. A client of HTTP/1.0 knows no chunks: the framing that can be broken is the length.
pub(super) fn of(asked: Asked) -> Box<dyn Rewrite> {
    match asked.protocol {
        Protocol::Http10 => Box::new(Truncate::new(None, Promise::Length, asked)),
        Protocol::Http11 => Box::new(MalformedChunk),
    }
}

/// Passes the content on in chunks, and breaks the framing where the last chunk should be. An answer that cannot have
/// a body is replaced by the end of the connection.
struct MalformedChunk;

impl Rewrite for MalformedChunk {
    fn take(&mut self, piece: Piece<'_>, out: &mut Vec<u8>) -> Option<Finish> {
        match piece {
            Piece::Continue(raw) => out.extend_from_slice(raw),
            Piece::Head(_, Framing::NoBody) => return Some(Finish::End(End::Close)),
            Piece::Head(head, _) => head.clone().chunked().write(out),
            Piece::Body { content, .. } => truncate::write_chunk(content, out),
            Piece::End => {
                out.extend_from_slice(NO_SIZE);
                return Some(Finish::Spend(Spent::Broken));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::delivery::Delivery;
    use crate::connection::faults::answer::tests::{GET, HEAD};
    use crate::connection::faults::rewrite::tests::{ANSWER, CHUNKED, EMPTY, rewrite};

    #[test]
    fn the_content_comes_in_chunks_and_something_else_behind_them() {
        let broken = Some(Finish::Spend(Spent::Broken));
        let no_size = "this is not the size of a chunk\r\n";
        for (text, head) in [
            (ANSWER, "HTTP/1.1 200 OK\r\nx: y\r\ntransfer-encoding: chunked\r\n\r\n"),
            (CHUNKED, "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"),
        ] {
            let expected = format!("{head}a\r\n0123456789\r\n{no_size}");
            assert_eq!(rewrite(&Delivery::MalformedChunk, GET, text), (expected, broken));
        }
        let (text, finish) = rewrite(&Delivery::MalformedChunk, GET, EMPTY);
        assert_eq!(
            text,
            format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{no_size}"),
            "an empty body can be chunked"
        );
        assert_eq!(finish, broken);
        let close = (String::new(), Some(Finish::End(End::Close)));
        assert_eq!(rewrite(&Delivery::MalformedChunk, HEAD, ANSWER), close);
        let old = Asked { protocol: Protocol::Http10, ..GET };
        let (text, finish) = rewrite(&Delivery::MalformedChunk, old, ANSWER);
        assert_eq!((text.as_str(), finish), (&ANSWER[..ANSWER.len() - 5], Some(Finish::End(End::Close))));
    }
}
