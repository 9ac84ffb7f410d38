//! What a fault makes of an answer, piece by piece. \[pure\]

use super::answer::Piece;
use super::{early, extra, garbage, http10, interim, malformed_chunk, reset_after, truncate, whole};
use crate::connection::delivery::{Asked, Delivery, End, Spent};

/// A fault at work on one answer.
pub(super) trait Rewrite {
    /// Takes the next piece of the answer, and appends to `out` what the client gets for it. Returns what follows what
    /// has been appended so far, once nothing more of the answer is wanted; at the latest with its end.
    fn take(&mut self, piece: Piece<'_>, out: &mut Vec<u8>) -> Option<Finish>;
}

/// What follows an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Finish {
    /// The connection goes on.
    GoOn,
    /// The connection goes on until the next request, which gets the end of the connection. One that is broken ends by
    /// itself after a second.
    Spend(Spent),
    /// The connection ends.
    End(End),
    /// The connection is half-closed at once, and closed after two seconds.
    HalfClose,
}

/// The fault that carries out a delivery.
pub(super) fn of(delivery: Delivery, asked: Asked) -> Box<dyn Rewrite> {
    match delivery {
        Delivery::Instead(end) => Box::new(Nothing(end)),
        Delivery::ResetAfter(bytes) => Box::new(reset_after::ResetAfter::new(bytes)),
        Delivery::Truncate { after_bytes, framing } => {
            Box::new(truncate::Truncate::new(after_bytes, framing, asked))
        }
        Delivery::MalformedChunk => malformed_chunk::of(asked),
        Delivery::Garbage => Box::new(garbage::Garbage),
        Delivery::Extra(bytes) => Box::new(extra::Extra::new(bytes)),
        Delivery::Early => Box::new(early::Early),
        Delivery::Http10 => Box::new(http10::Http10),
        Delivery::Interim { status, count } => Box::new(interim::Interim::new(status, count, asked)),
        Delivery::Drip { .. } => Box::new(whole::Whole(Finish::GoOn)),
        Delivery::Stale => Box::new(whole::Whole(Finish::Spend(Spent::Stale))),
    }
}

/// Not a byte of the answer.
struct Nothing(End);

impl Rewrite for Nothing {
    fn take(&mut self, _: Piece<'_>, _: &mut Vec<u8>) -> Option<Finish> {
        Some(Finish::End(self.0))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::connection::faults::answer::Answer;

    pub(in crate::connection::faults) const ANSWER: &str =
        "HTTP/1.1 200 OK\r\ncontent-length: 10\r\nx: y\r\n\r\n0123456789";
    pub(in crate::connection::faults) const CHUNKED: &str =
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n01234\r\n5\r\n56789\r\n0\r\n\r\n";
    pub(in crate::connection::faults) const EMPTY: &str = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";

    /// What the client gets for an answer, and what follows. It must not depend on how the answer is written.
    pub(in crate::connection::faults) fn rewrite(
        delivery: &Delivery,
        asked: Asked,
        text: &str,
    ) -> (String, Option<Finish>) {
        let by = |size: usize| {
            let mut fault = of(delivery.clone(), asked);
            let (mut answer, mut out, mut finish) = (Answer::new(asked), Vec::new(), None);
            let mut take = |piece: Piece<'_>| {
                finish = fault.take(piece, &mut out);
                finish.is_none()
            };
            text.as_bytes().chunks(size).for_each(|part| answer.take(part, &mut take));
            answer.close(&mut take);
            (String::from_utf8_lossy(&out).into_owned(), finish)
        };
        let (whole, finish) = by(text.len());
        for size in [1, 2, 7, 40] {
            let (pieces, same_finish) = by(size);
            // A chunk holds what was written at once.
            let is_chunked = whole.contains("transfer-encoding") && !text.contains("transfer-encoding");
            assert!(pieces == whole || is_chunked || text.contains("chunked"), "by {size}: {pieces}");
            assert_eq!(same_finish, finish, "by {size}");
        }
        (whole, finish)
    }

    #[test]
    fn nothing_is_sent_instead_of_an_answer() {
        for end in [End::Reset, End::Close] {
            let expected = (String::new(), Some(Finish::End(end)));
            assert_eq!(rewrite(&Delivery::Instead(end), super::super::answer::tests::GET, ANSWER), expected);
        }
    }
}
