//! The answer of the upstream, and what awc is shown of it. \[pure\]

use crate::upstream::chunked::Chunked;
use crate::upstream::exchange::Exchange;
use crate::upstream::failure::Failure;
use crate::upstream::reply_head::{self, Framing, Persistence};

/// An answer of which some bytes have come.
pub(super) struct Reply {
    part: Part,
    persistence: Persistence,
}

enum Part {
    /// The bytes of the head so far.
    Head(Vec<u8>),
    /// So many bytes of the body are to come.
    Length(u64),
    Chunked(Chunked),
    UntilEnd,
    Ended,
}

impl Default for Reply {
    fn default() -> Self {
        Self { part: Part::Head(Vec::new()), persistence: Persistence::KeptAlive }
    }
}

impl Reply {
    /// Whether the whole answer is here.
    pub(super) fn has_ended(&self) -> bool {
        matches!(self.part, Part::Ended)
    }

    /// Whether another request may follow on the connection.
    pub(super) fn is_reusable(&self) -> bool {
        self.has_ended() && self.persistence == Persistence::KeptAlive
    }

    /// Takes the next bytes, and writes to `show` what awc is to read.
    ///
    /// # Errors
    /// [`Failure::BadReply`].
    pub(super) fn take(
        &mut self,
        data: &[u8],
        exchange: &Exchange,
        show: &mut Vec<u8>,
    ) -> Result<(), Failure> {
        let Part::Head(head) = &mut self.part else { return self.take_body(data, show) };
        head.extend_from_slice(data);
        let Some((reply, length)) = reply_head::read(head, exchange.asked)? else { return Ok(()) };
        let behind = head.split_off(length);
        let placeholder = match reply.framing {
            Framing::Absent(_) => "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_owned(),
            Framing::Length(length) => format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n"),
            Framing::Chunked => "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_owned(),
            // The only framing with which awc reads until the connection ends.
            Framing::UntilEnd => "HTTP/1.0 200 OK\r\nconnection: close\r\n\r\n".to_owned(),
        };
        show.extend_from_slice(placeholder.as_bytes());
        self.part = match reply.framing {
            Framing::Absent(_) | Framing::Length(0) => Part::Ended,
            Framing::Length(length) => Part::Length(length),
            Framing::Chunked => Part::Chunked(Chunked::default()),
            Framing::UntilEnd => Part::UntilEnd,
        };
        self.persistence = reply.persistence;
        exchange.reply.replace(Some(reply));
        self.take_body(&behind, show)
    }

    /// The connection has ended.
    ///
    /// # Errors
    /// [`Failure`] unless the answer ends with the connection.
    pub(super) fn end(&mut self) -> Result<(), Failure> {
        match &self.part {
            Part::Head(head) if head.is_empty() => Err(Failure::NoReply),
            Part::Head(_) | Part::Length(_) | Part::Chunked(_) => Err(Failure::Truncated),
            Part::UntilEnd | Part::Ended => {
                self.part = Part::Ended;
                Ok(())
            }
        }
    }

    /// What it means that the connection has failed, by a reset for example, before the end of the answer.
    pub(super) fn cut(&self) -> Failure {
        match &self.part {
            Part::Head(head) if head.is_empty() => Failure::NoReply,
            _ => Failure::Truncated,
        }
    }

    fn take_body(&mut self, data: &[u8], show: &mut Vec<u8>) -> Result<(), Failure> {
        let taken = match &mut self.part {
            Part::Length(left) => {
                let taken = usize::try_from(*left).unwrap_or(usize::MAX).min(data.len());
                show.extend_from_slice(&data[..taken]);
                *left -= taken as u64;
                if *left == 0 {
                    self.part = Part::Ended;
                }
                taken
            }
            Part::Chunked(chunked) => {
                let taken = chunked.take(data, show)?;
                if *chunked == Chunked::Complete {
                    self.part = Part::Ended;
                }
                taken
            }
            Part::UntilEnd => {
                show.extend_from_slice(data);
                data.len()
            }
            Part::Ended | Part::Head(_) => 0,
        };
        if taken < data.len() {
            // Bytes that belong to no answer.
            self.persistence = Persistence::Closed;
        }
        Ok(())
    }
}
