//! The end of the connection within the body of the answer. \[pure\]
//!
//! The head promises the whole body and at least one byte of it is missing. So a byte is sent only when another one
//! has been seen behind it, and the head with the first byte of the body: an answer without a body is replaced by the
//! end of the connection.

use super::answer::{Framing, Piece};
use super::head::Head;
use super::rewrite::{Finish, Rewrite};
use crate::connection::delivery::{Asked, End, Promise, Protocol};

/// How much of a body without a known length is kept back, so that half of it can be cut off. Of a longer body more
/// than half is sent.
const MAX_KEPT: usize = 1 << 20;

/// Passes a part of the body on.
pub(super) struct Truncate {
    cut: Cut,
    promise: Promise,
    /// The head, until the first byte of the body has come.
    head: Option<Head>,
    is_chunked: bool,
    /// Bytes of the body that are kept back.
    kept: Vec<u8>,
    sent: u64,
}

/// How much of the body is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cut {
    After(u64),
    /// Half of a body whose length is not known yet.
    Half,
}

impl Truncate {
    pub(super) fn new(after_bytes: Option<u64>, framing: Promise, asked: Asked) -> Self {
        let promise = match asked.protocol {
            Protocol::Http10 => Promise::Length,
            Protocol::Http11 => framing,
        };
        let cut = after_bytes.map_or(Cut::Half, Cut::After);
        Self { cut, promise, head: None, is_chunked: false, kept: Vec::new(), sent: 0 }
    }

    fn see_head(&mut self, head: &Head, framing: Framing) {
        if let (Cut::Half, Framing::Length(length)) = (self.cut, framing) {
            self.cut = Cut::After(length / 2);
        }
        // Without a known length only chunks can promise more than comes.
        self.is_chunked = framing == Framing::Chunked
            || (self.promise == Promise::Chunked && framing != Framing::UntilClose);
        self.head = Some(if self.is_chunked { head.clone().chunked() } else { head.clone() });
    }

    /// Sends what may be sent; whether nothing more may.
    fn send(&mut self, out: &mut Vec<u8>) -> bool {
        let seen = self.sent + self.kept.len() as u64;
        let allowed = match self.cut {
            Cut::After(bytes) => bytes.min(seen - 1),
            Cut::Half => (seen / 2).max(seen.saturating_sub(MAX_KEPT as u64)).min(seen - 1),
        };
        let now = usize::try_from(allowed.saturating_sub(self.sent)).unwrap_or(usize::MAX);
        if self.is_chunked {
            write_chunk(&self.kept[..now], out);
        } else {
            out.extend_from_slice(&self.kept[..now]);
        }
        self.kept.drain(..now);
        self.sent += now as u64;
        matches!(self.cut, Cut::After(bytes) if bytes == self.sent)
    }
}

impl Rewrite for Truncate {
    fn take(&mut self, piece: Piece<'_>, out: &mut Vec<u8>) -> Option<Finish> {
        let is_cut = match piece {
            Piece::Continue(raw) => {
                out.extend_from_slice(raw);
                false
            }
            Piece::Head(head, framing) => {
                self.see_head(head, framing);
                false
            }
            Piece::Body { content: [], .. } => false,
            Piece::Body { content, .. } => {
                if let Some(head) = self.head.take() {
                    head.write(out);
                }
                self.kept.extend_from_slice(content);
                self.send(out)
            }
            Piece::End => true,
        };
        is_cut.then_some(Finish::End(End::Close))
    }
}

/// Appends content as one chunk; nothing for no content, which would be the last chunk.
pub(super) fn write_chunk(content: &[u8], out: &mut Vec<u8>) {
    if content.is_empty() {
        return;
    }
    out.extend_from_slice(format!("{:x}\r\n", content.len()).as_bytes());
    out.extend_from_slice(content);
    out.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::delivery::Delivery;
    use crate::connection::faults::answer::tests::{GET, HEAD};
    use crate::connection::faults::rewrite::tests::{ANSWER, CHUNKED, EMPTY, rewrite};

    const CLOSE: Option<Finish> = Some(Finish::End(End::Close));
    const HEAD_OF_ANSWER: &str = "HTTP/1.1 200 OK\r\ncontent-length: 10\r\nx: y\r\n\r\n";
    const CHUNKED_HEAD: &str = "HTTP/1.1 200 OK\r\nx: y\r\ntransfer-encoding: chunked\r\n\r\n";

    fn truncate(after_bytes: Option<u64>, framing: Promise) -> Delivery {
        Delivery::Truncate { after_bytes, framing }
    }

    #[test]
    fn the_head_promises_more_than_comes() {
        let cases = [
            (None, "01234"),
            (Some(0), ""),
            (Some(3), "012"),
            (Some(9), "012345678"),
            (Some(10), "012345678"),
            (Some(1 << 50), "012345678"),
        ];
        for (after_bytes, body) in cases {
            let by_length = rewrite(&truncate(after_bytes, Promise::Length), GET, ANSWER);
            assert_eq!(by_length, (format!("{HEAD_OF_ANSWER}{body}"), CLOSE), "{after_bytes:?}");
            let chunk = if body.is_empty() { String::new() } else { format!("{}\r\n{body}\r\n", body.len()) };
            let by_chunks = rewrite(&truncate(after_bytes, Promise::Chunked), GET, ANSWER);
            assert_eq!(by_chunks, (format!("{CHUNKED_HEAD}{chunk}"), CLOSE), "{after_bytes:?}");
        }
    }

    #[test]
    fn of_a_body_without_a_known_length_half_is_sent_in_chunks_without_the_last_one() {
        let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
        for framing in [Promise::Length, Promise::Chunked] {
            let expected = (format!("{head}5\r\n01234\r\n"), CLOSE);
            assert_eq!(rewrite(&truncate(None, framing), GET, CHUNKED), expected);
        }
    }

    #[test]
    fn an_answer_without_a_body_is_not_sent_at_all() {
        let nothing = (String::new(), CLOSE);
        assert_eq!(rewrite(&truncate(None, Promise::Length), GET, EMPTY), nothing);
        assert_eq!(rewrite(&truncate(Some(5), Promise::Chunked), HEAD, HEAD_OF_ANSWER), nothing);
        let no_content = "HTTP/1.1 204 No Content\r\n\r\n";
        assert_eq!(rewrite(&truncate(None, Promise::Length), GET, no_content), nothing);
        let empty_chunks = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n";
        assert_eq!(rewrite(&truncate(None, Promise::Length), GET, empty_chunks), nothing);
    }

    #[test]
    fn a_client_of_http_1_0_gets_no_chunks() {
        let old = Asked { protocol: Protocol::Http10, ..GET };
        let (text, _) = rewrite(&truncate(Some(3), Promise::Chunked), old, ANSWER);
        assert_eq!(text, format!("{HEAD_OF_ANSWER}012"));
    }
}
