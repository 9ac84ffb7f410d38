//! Interim answers before the answer (RFC 9110, 15.2). \[pure\]

use actix_web::http::StatusCode;

use super::answer::Piece;
use super::rewrite::{Finish, Rewrite};
use super::whole::pass;
use crate::connection::delivery::{Asked, Protocol};

/// Puts interim answers before the answer.
pub(super) struct Interim {
    status: u16,
    /// How many are to come.
    count: u32,
}

impl Interim {
    pub(super) fn new(status: u16, count: u32, asked: Asked) -> Self {
        match asked.protocol {
            // It would take the first of them for the answer.
            Protocol::Http10 => Self { status, count: 0 },
            Protocol::Http11 => Self { status, count },
        }
    }
}

impl Rewrite for Interim {
    fn take(&mut self, piece: Piece<'_>, out: &mut Vec<u8>) -> Option<Finish> {
        if let Piece::Head(..) = piece {
            let interim = format!("HTTP/1.1 {} {}\r\n\r\n", self.status, reason(self.status));
            (0..std::mem::take(&mut self.count)).for_each(|_| out.extend_from_slice(interim.as_bytes()));
        }
        pass(&piece, out);
        matches!(piece, Piece::End).then_some(Finish::GoOn)
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        103 => "Early Hints",
        _ => {
            StatusCode::from_u16(status).ok().and_then(|known| known.canonical_reason()).unwrap_or("Interim")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::delivery::Delivery;
    use crate::connection::faults::answer::tests::GET;
    use crate::connection::faults::rewrite::tests::{ANSWER, rewrite};

    #[test]
    fn interim_answers_come_first_and_none_to_a_client_that_does_not_know_them() {
        let hints = Delivery::Interim { status: 103, count: 2 };
        let expected = format!("{}{ANSWER}", "HTTP/1.1 103 Early Hints\r\n\r\n".repeat(2));
        assert_eq!(rewrite(&hints, GET, ANSWER), (expected, Some(Finish::GoOn)));
        let unknown = Delivery::Interim { status: 199, count: 1 };
        assert_eq!(rewrite(&unknown, GET, ANSWER).0, format!("HTTP/1.1 199 Interim\r\n\r\n{ANSWER}"));
        let old = Asked { protocol: Protocol::Http10, ..GET };
        assert_eq!(rewrite(&hints, old, ANSWER).0, ANSWER);
    }
}
