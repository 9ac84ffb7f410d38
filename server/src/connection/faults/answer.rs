//! An answer as actix-http writes it, cut into its head, the pieces of its body, and its end. \[pure\]

use actix_web::http::StatusCode;

use super::head::Head;
use crate::connection::chunks::{Chunks, Overhead};
use crate::connection::delivery::{Asked, Content};

/// An answer of which some bytes have been seen.
pub(super) struct Answer {
    asked: Asked,
    part: Part,
    /// The head as far as it has come.
    head: Vec<u8>,
}

/// A piece of an answer.
#[derive(Debug)]
pub(super) enum Piece<'a> {
    /// `100 Continue`, which actix-http writes by itself before the answer.
    Continue(&'a [u8]),
    /// The head, and the framing of what follows.
    Head(&'a Head, Framing),
    /// Bytes of the body, as they are framed and what they hold. What they hold may be empty.
    Body {
        /// As they are framed.
        framed: &'a [u8],
        /// What they hold.
        content: &'a [u8],
    },
    /// The end. Nothing of this answer follows.
    End,
}

/// How the body of an answer is framed (RFC 9112, 6.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// There can be no body: the request was HEAD, or the status has none.
    NoBody,
    /// So many bytes.
    Length(u64),
    /// Chunks.
    Chunked,
    /// Everything up to the end of the connection.
    UntilClose,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Head,
    Length(u64),
    Chunked(Chunks),
    UntilClose,
    Complete,
}

impl Answer {
    pub(super) fn new(asked: Asked) -> Self {
        Self { asked, part: Part::Head, head: Vec::new() }
    }

    /// Takes the next bytes, and passes them on in pieces until `pass` returns false. Bytes behind it belong to
    /// no answer and are dropped.
    pub(super) fn take(&mut self, mut bytes: &[u8], pass: &mut dyn FnMut(Piece<'_>) -> bool) {
        while !bytes.is_empty() && self.part != Part::Complete {
            let (taken, goes_on) = match self.part {
                Part::Head => self.take_head(bytes, pass),
                _ => self.take_body(bytes, pass),
            };
            if !goes_on {
                self.part = Part::Complete;
                return;
            }
            bytes = &bytes[taken..];
        }
    }

    /// The connection ends, and with it an answer that has no other end.
    pub(super) fn close(&mut self, pass: &mut dyn FnMut(Piece<'_>) -> bool) {
        if self.part == Part::UntilClose {
            self.part = Part::Complete;
            pass(Piece::End);
        }
    }

    fn take_head(&mut self, bytes: &[u8], pass: &mut dyn FnMut(Piece<'_>) -> bool) -> (usize, bool) {
        let before = self.head.len();
        self.head.extend_from_slice(bytes);
        let Some(end) = memchr::memmem::find(&self.head, b"\r\n\r\n") else { return (bytes.len(), true) };
        self.head.truncate(end + 4);
        let taken = self.head.len() - before;
        let raw = std::mem::take(&mut self.head);
        let head = Head::read(&raw);
        if head.status() == StatusCode::CONTINUE.as_u16() {
            return (taken, pass(Piece::Continue(&raw)));
        }
        let framing = self.framing(&head);
        self.part = match framing {
            Framing::NoBody | Framing::Length(0) => Part::Complete,
            Framing::Length(length) => Part::Length(length),
            Framing::Chunked => Part::Chunked(Chunks::default()),
            Framing::UntilClose => Part::UntilClose,
        };
        let goes_on = pass(Piece::Head(&head, framing));
        (taken, goes_on && (self.part != Part::Complete || pass(Piece::End)))
    }

    fn framing(&self, head: &Head) -> Framing {
        let status = head.status();
        if self.asked.content == Content::HeadAlone || matches!(status, 100..=199 | 204 | 304) {
            return Framing::NoBody;
        }
        if head.value("transfer-encoding").is_some() {
            return Framing::Chunked;
        }
        let length = head.value("content-length").and_then(|length| length.parse().ok());
        length.map_or(Framing::UntilClose, Framing::Length)
    }

    fn take_body(&mut self, bytes: &[u8], pass: &mut dyn FnMut(Piece<'_>) -> bool) -> (usize, bool) {
        let mut decoded = Vec::new();
        let (taken, content) = match &mut self.part {
            Part::Length(left) => {
                let taken = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
                *left -= taken as u64;
                (taken, &bytes[..taken])
            }
            Part::Chunked(chunks) => (decode(chunks, bytes, &mut decoded), decoded.as_slice()),
            Part::Head | Part::UntilClose | Part::Complete => (bytes.len(), bytes),
        };
        if matches!(self.part, Part::Length(0) | Part::Chunked(Chunks::Complete)) {
            self.part = Part::Complete;
        }
        let goes_on = pass(Piece::Body { framed: &bytes[..taken], content });
        (taken, goes_on && (self.part != Part::Complete || pass(Piece::End)))
    }
}

/// Appends what chunks hold to `content`; how many bytes belong to the body.
fn decode(chunks: &mut Chunks, bytes: &[u8], content: &mut Vec<u8>) -> usize {
    let mut at = 0;
    while at < bytes.len() && *chunks != Chunks::Complete {
        let step = match *chunks {
            Chunks::Data(left) => {
                let here = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len() - at);
                content.extend_from_slice(&bytes[at..at + here]);
                here
            }
            _ => 1,
        };
        // These are chunks of actix-http's own.
        let Ok(taken) = chunks.take(&bytes[at..at + step], &mut Overhead::default()) else {
            return bytes.len();
        };
        at += taken;
    }
    at
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::connection::delivery::Protocol;

    pub(in crate::connection::faults) const GET: Asked =
        Asked { content: Content::HeadAndBody, protocol: Protocol::Http11 };
    pub(in crate::connection::faults) const HEAD: Asked =
        Asked { content: Content::HeadAlone, protocol: Protocol::Http11 };

    /// The pieces of an answer that is written in parts of `size` bytes, as text.
    fn pieces(asked: Asked, text: &str, size: usize) -> String {
        let mut answer = Answer::new(asked);
        let mut seen = String::new();
        let mut see = |piece: Piece<'_>| {
            seen += &match piece {
                Piece::Continue(_) => "continue ".to_owned(),
                Piece::Head(head, framing) => format!("{} {framing:?} ", head.status()),
                Piece::Body { content, .. } => String::from_utf8_lossy(content).into_owned(),
                Piece::End => " end".to_owned(),
            };
            true
        };
        text.as_bytes().chunks(size).for_each(|part| answer.take(part, &mut see));
        answer.close(&mut see);
        seen
    }

    #[test]
    fn an_answer_is_cut_at_the_same_places_however_it_is_written() {
        let cases = [
            (GET, "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello", "200 Length(5) hello end"),
            (GET, "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhelloHTTP/1.1", "200 Length(5) hello end"),
            (GET, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "200 Length(0)  end"),
            (
                GET,
                "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n",
                "200 Chunked hello end",
            ),
            (GET, "HTTP/1.1 204 No Content\r\n\r\n", "204 NoBody  end"),
            (GET, "HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n", "304 NoBody  end"),
            (HEAD, "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n", "200 NoBody  end"),
            (GET, "HTTP/1.0 200 OK\r\n\r\nhello", "200 UntilClose hello end"),
            (
                GET,
                "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx",
                "continue 200 Length(1) x end",
            ),
        ];
        for (asked, text, expected) in cases {
            for size in [1, 2, 3, 7, text.len()] {
                assert_eq!(pieces(asked, text, size), expected, "{text:?} by {size}");
            }
        }
    }

    #[test]
    fn nothing_follows_a_piece_that_was_the_last_one_wanted() {
        let mut answer = Answer::new(GET);
        let mut seen = 0;
        let mut see = |_: Piece<'_>| {
            seen += 1;
            false
        };
        answer.take(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhel", &mut see);
        answer.take(b"lo", &mut see);
        answer.close(&mut see);
        assert_eq!(seen, 1);
    }
}
