//! A reset within or behind the answer. \[pure\]

use super::answer::Piece;
use super::rewrite::{Finish, Rewrite};
use super::whole::pass;
use crate::connection::delivery::End;

/// Passes on so many bytes of the answer, from its status line on.
pub(super) struct ResetAfter {
    left: usize,
}

impl ResetAfter {
    pub(super) fn new(bytes: u64) -> Self {
        Self { left: usize::try_from(bytes).unwrap_or(usize::MAX) }
    }
}

impl Rewrite for ResetAfter {
    fn take(&mut self, piece: Piece<'_>, out: &mut Vec<u8>) -> Option<Finish> {
        let before = out.len();
        pass(&piece, out);
        if let Piece::Continue(_) = piece {
            return None;
        }
        out.truncate(before.saturating_add(self.left));
        self.left -= out.len() - before;
        (self.left == 0 || matches!(piece, Piece::End)).then_some(Finish::End(End::Reset))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::delivery::Delivery;
    use crate::connection::faults::answer::tests::GET;
    use crate::connection::faults::rewrite::tests::{ANSWER, rewrite};

    #[test]
    fn so_many_bytes_are_sent_and_all_if_there_are_fewer() {
        for count in [0, 1, 17, ANSWER.len() - 1, ANSWER.len(), ANSWER.len() + 1, 1 << 50] {
            let (text, finish) = rewrite(&Delivery::ResetAfter(count as u64), GET, ANSWER);
            assert_eq!(text, ANSWER[..count.min(ANSWER.len())], "{count}");
            assert_eq!(finish, Some(Finish::End(End::Reset)));
        }
        let (text, finish) = rewrite(&Delivery::ResetAfter(5), GET, &ANSWER[..ANSWER.len() - 1]);
        assert_eq!(
            (text.as_str(), finish),
            ("HTTP/", Some(Finish::End(End::Reset))),
            "before the answer ends"
        );
        let with_continue = format!("HTTP/1.1 100 Continue\r\n\r\n{ANSWER}");
        let (text, _) = rewrite(&Delivery::ResetAfter(8), GET, &with_continue);
        assert_eq!(text, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1", "it is not a part of the answer");
    }
}
