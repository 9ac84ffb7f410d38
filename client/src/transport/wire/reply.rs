//! Follows one reply after another through the bytes that a server sends. Pure.
//!
//! awc gets exactly the bytes of one reply. What comes after its end belongs to no request, and the connection is not
//! used again (RFC 9112, 9.2).

use bytes::{Buf, BytesMut};

use super::{
    fault::WireFault,
    fields::Persistence,
    framing::Framing,
    head::{self, Expect, FinalHead, Form, Head, MAX_LENGTH},
    held::Held,
};
use crate::headers::Headers;

/// The reading side of a connection.
#[derive(Debug)]
pub(super) struct ReplyReader {
    state: State,
    /// Bytes that were held back, and come before all others.
    due: BytesMut,
    /// The fields of a head that awc does not get.
    fields: Option<Headers>,
    status: Option<u16>,
}

#[derive(Debug)]
enum State {
    /// Before the end of the final head.
    Head { expect: Expect, held: Held },
    /// In the body.
    Body { framing: Framing, persistence: Persistence },
    /// Between a reply and the next request, or before the first one.
    Over(Persistence),
}

impl Default for ReplyReader {
    fn default() -> Self {
        Self { state: State::Over(Persistence::KeepAlive), due: BytesMut::new(), fields: None, status: None }
    }
}

impl ReplyReader {
    /// Begins to expect a reply.
    pub(super) fn begin(&mut self, expect: Expect) {
        self.state = State::Head { expect, held: Held::default() };
        self.status = None;
    }

    /// Takes bytes that came from the server. Returns how many of them awc gets as they are; the others are held back
    /// until they are [due](Self::due), or belong to no reply.
    pub(super) fn accept(&mut self, bytes: &[u8]) -> Result<usize, WireFault> {
        match &mut self.state {
            State::Head { expect, held } if held.is_fresh() => match head::read(bytes, *expect)? {
                Head::Final(head) if head.form == Form::Plain => {
                    let length = head.length;
                    Ok(length + self.begin_body(&head, &bytes[length..]))
                }
                Head::Malformed => {
                    self.leave_to_awc();
                    Ok(bytes.len())
                }
                _ => self.hold(bytes).map(|()| 0),
            },
            State::Head { .. } => self.hold(bytes).map(|()| 0),
            State::Body { .. } => Ok(self.take_body(bytes)),
            State::Over(persistence) => {
                *persistence = Persistence::Last;
                Ok(0)
            }
        }
    }

    /// Takes bytes like [`accept`](Self::accept), and holds all of them back.
    pub(super) fn hold(&mut self, bytes: &[u8]) -> Result<(), WireFault> {
        if let State::Head { held, .. } = &mut self.state {
            held.bytes.extend_from_slice(bytes);
            return self.resolve();
        }
        let belonging = self.accept(bytes)?;
        self.due.extend_from_slice(&bytes[..belonging]);
        Ok(())
    }

    /// Reads the held bytes as far as they go.
    fn resolve(&mut self) -> Result<(), WireFault> {
        while let State::Head { expect, held } = &mut self.state {
            let expect = *expect;
            if !held.is_worth_parsing() {
                return held.check_length();
            }
            match head::read(&held.bytes, expect)? {
                Head::Partial => return held.check_length(),
                Head::Interim { length } => held.drop_interim(length)?,
                Head::Malformed => {
                    self.due = std::mem::take(&mut held.bytes);
                    self.leave_to_awc();
                }
                Head::Final(head) if head.length > MAX_LENGTH => return Err(WireFault::HeadTooLong),
                Head::Final(mut head) => {
                    let mut due = std::mem::take(&mut held.bytes);
                    let mut body = due.split_off(head.length);
                    if let Form::Replaced(fields) = std::mem::replace(&mut head.form, Form::Plain) {
                        due = BytesMut::from(head::replacement(&head, expect).as_bytes());
                        self.fields = Some(fields);
                    }
                    body.truncate(self.begin_body(&head, &body));
                    due.unsplit(body);
                    self.due = due;
                }
            }
        }
        Ok(())
    }

    fn begin_body(&mut self, head: &FinalHead, bytes: &[u8]) -> usize {
        self.status = Some(head.status);
        self.state = State::Body { framing: head.framing, persistence: head.persistence };
        self.take_body(bytes)
    }

    fn take_body(&mut self, bytes: &[u8]) -> usize {
        let State::Body { framing, persistence } = &mut self.state else { return 0 };
        let taken = framing.take(bytes);
        if framing.is_over() {
            let persistence = if taken < bytes.len() { Persistence::Last } else { *persistence };
            self.state = State::Over(persistence);
        }
        taken
    }

    fn leave_to_awc(&mut self) {
        self.state = State::Body { framing: Framing::Close, persistence: Persistence::Last };
    }

    /// The bytes that awc gets before any others.
    pub(super) fn due(&self) -> &[u8] {
        &self.due
    }

    /// Forgets due bytes that awc has got.
    pub(super) fn delivered(&mut self, count: usize) {
        self.due.advance(count);
    }

    /// The fields of a head that was replaced.
    pub(super) fn take_fields(&mut self) -> Option<Headers> {
        self.fields.take()
    }

    /// The status of the final reply, once it has come.
    pub(super) fn status(&self) -> Option<u16> {
        self.status
    }

    /// Whether no reply is outstanding, and if so, whether the connection may be used again.
    pub(super) fn over(&self) -> Option<Persistence> {
        match self.state {
            State::Over(persistence) if self.due.is_empty() => Some(persistence),
            _ => None,
        }
    }

    /// Whether a reply is outstanding of which no byte has come.
    pub(super) fn is_untouched(&self) -> bool {
        matches!(&self.state, State::Head { held, .. } if held.is_fresh())
    }
}

#[cfg(test)]
#[path = "reply_tests.rs"]
mod tests;
