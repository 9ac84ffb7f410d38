//! A request's head as its bytes come: where it ends, how its body is framed, and what it must not contain. \[pure\]
//!
//! This is not a parser: actix-http parses the head and refuses what is malformed. Here only lines are told apart,
//! with the same ends of line that actix-http accepts, and three things are done to them. Empty lines before the
//! request are dropped (RFC 9112, 2.2). An offer to upgrade is dropped, because actix-http would treat the request as
//! the last on its connection, and what follows `Upgrade: websocket` as a body without an end (RFC 9110, 7.8: a server
//! may ignore the offer). A head that is too large is refused before actix-http would.

use std::ops::Range;

use actix_web::http::StatusCode;

use crate::headers::Interpreted;

/// The longest request line, in bytes without its end.
pub(super) const MAX_REQUEST_LINE: usize = 64 * 1024;

/// The largest head, in bytes. actix-http itself ends the connection without a clean close at 128 KiB.
pub(super) const MAX_HEAD: usize = 120 * 1024;

/// The most bytes of empty lines before a request.
pub(super) const MAX_EMPTY_LINES: usize = 1024;

/// What follows a head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// Nothing of this request; or the head is ambiguous, and actix-http refuses it.
    NoBody,
    /// So many bytes.
    Length(u64),
    /// Chunks.
    Chunked,
}

/// A head of which some lines have been seen.
#[derive(Debug, Default)]
pub(super) struct Head {
    place: Place,
    /// Bytes of the head so far, or of empty lines before it.
    size: usize,
    length: Option<u64>,
    is_chunked: bool,
    is_ambiguous: bool,
    interpreted: Interpreted,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Place {
    #[default]
    BeforeRequest,
    RequestLine,
    Fields,
}

/// What has been made of some bytes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Taken {
    /// How many bytes at the start are a part of the head and can be passed on.
    pub(super) ready: usize,
    /// How many bytes are left in all, with those that have not been looked at.
    pub(super) total: usize,
    /// The framing of the body, once the head is complete.
    pub(super) complete: Option<Framing>,
    /// Whether the head, once it is complete, has headers of ours.
    pub(super) interpreted: Interpreted,
}

/// What a line of the head is to become.
enum Line {
    Kept,
    Dropped,
    EndOfHead,
}

impl Head {
    /// Whether a byte of the request has been seen.
    pub(super) fn has_begun(&self) -> bool {
        self.place != Place::BeforeRequest
    }

    /// Takes the next bytes of the connection, which may be changed and moved towards the start of `data`. Bytes that
    /// are not `ready` must be presented again, with more behind them.
    ///
    /// # Errors
    /// The status with which the request is refused.
    pub(super) fn take(&mut self, data: &mut [u8]) -> Result<Taken, StatusCode> {
        let mut taken = Taken { ready: 0, total: data.len(), complete: None, interpreted: Interpreted::None };
        if self.place == Place::BeforeRequest {
            self.drop_empty_lines(data, &mut taken)?;
        }
        if self.place == Place::RequestLine {
            self.take_request_line(data, &mut taken)?;
        }
        while self.place == Place::Fields {
            let unseen = &data[taken.ready..taken.total];
            let Some(length) = memchr::memchr(b'\n', unseen).map(|newline| newline + 1) else {
                self.check_size(unseen.len())?;
                break;
            };
            self.grow(length)?;
            let end = taken.ready + length;
            match self.see(&mut data[taken.ready..end]) {
                Line::Kept => taken.ready = end,
                Line::Dropped => {
                    data.copy_within(end..taken.total, taken.ready);
                    taken.total -= length;
                }
                Line::EndOfHead => {
                    taken.ready = end;
                    taken.complete = Some(self.framing());
                    taken.interpreted = self.interpreted;
                    *self = Self::default();
                }
            }
        }
        Ok(taken)
    }

    fn drop_empty_lines(&mut self, data: &mut [u8], taken: &mut Taken) -> Result<(), StatusCode> {
        let mut empty = 0;
        while let [b'\n', ..] | [b'\r', b'\n', ..] = data[empty..] {
            empty += if data[empty] == b'\n' { 1 } else { 2 };
        }
        self.size += empty;
        if self.size > MAX_EMPTY_LINES {
            return Err(StatusCode::BAD_REQUEST);
        }
        data.copy_within(empty.., 0);
        taken.total -= empty;
        if !matches!(data[..taken.total], [] | [b'\r']) {
            self.place = Place::RequestLine;
            self.size = 0;
        }
        Ok(())
    }

    /// Passes the request line on as it comes, so that actix-http sees at once what is not HTTP.
    fn take_request_line(&mut self, data: &[u8], taken: &mut Taken) -> Result<(), StatusCode> {
        let line = memchr::memchr(b'\n', &data[..taken.total]);
        let length = line.map_or(taken.total, |newline| newline + 1);
        self.size += length;
        let end_of_line = match (line, &data[..length]) {
            (None, _) => 0,
            (Some(_), [.., b'\r', b'\n']) => 2,
            (Some(_), _) => 1,
        };
        if self.size - end_of_line.min(self.size) > MAX_REQUEST_LINE {
            return Err(StatusCode::URI_TOO_LONG);
        }
        taken.ready = length;
        if line.is_some() {
            self.place = Place::Fields;
        }
        Ok(())
    }

    fn grow(&mut self, by: usize) -> Result<(), StatusCode> {
        self.check_size(by)?;
        self.size += by;
        Ok(())
    }

    fn check_size(&self, more: usize) -> Result<(), StatusCode> {
        if self.size + more > MAX_HEAD {
            return Err(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
        }
        Ok(())
    }

    fn see(&mut self, line: &mut [u8]) -> Line {
        let name_length = match line[0] {
            b'\n' => return Line::EndOfHead,
            b'\r' if line.len() == 2 => return Line::EndOfHead,
            b'C' | b'c' | b'T' | b't' | b'U' | b'u' => memchr::memchr(b':', line).unwrap_or(0),
            other => {
                if Interpreted::may_begin_with(other) {
                    self.interpreted = Interpreted::Perhaps;
                }
                return Line::Kept;
            }
        };
        let (name, value) = line.split_at_mut(name_length);
        if name.eq_ignore_ascii_case(b"content-length") {
            self.see_length(&value[1..]);
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            self.is_ambiguous |= self.is_chunked || !value[1..].trim_ascii().eq_ignore_ascii_case(b"chunked");
            self.is_chunked = true;
        } else if name.eq_ignore_ascii_case(b"connection") {
            blank_upgrade(value);
        } else if name.eq_ignore_ascii_case(b"upgrade") {
            return Line::Dropped;
        }
        Line::Kept
    }

    fn see_length(&mut self, value: &[u8]) {
        let digits = value.trim_ascii();
        let is_number = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
        let length =
            std::str::from_utf8(digits).ok().filter(|_| is_number).and_then(|text| text.parse().ok());
        self.is_ambiguous |= self.length.is_some() || length.is_none();
        self.length = length;
    }

    fn framing(&self) -> Framing {
        match self.length {
            _ if self.is_ambiguous => Framing::NoBody,
            Some(_) if self.is_chunked => Framing::NoBody,
            None if self.is_chunked => Framing::Chunked,
            None | Some(0) => Framing::NoBody,
            Some(length) => Framing::Length(length),
        }
    }
}

/// Overwrites the option `upgrade` in the value of a `Connection` header by spaces.
fn blank_upgrade(value: &mut [u8]) {
    let mut start = 1;
    while start < value.len() {
        let length = memchr::memchr(b',', &value[start..]).unwrap_or(value.len() - start);
        let option = start..start + length;
        if value[option.clone()].trim_ascii().eq_ignore_ascii_case(b"upgrade") {
            blank_letters(value, option);
        }
        start += length + 1;
    }
}

/// Overwrites a word and leaves an end of line that may follow it.
fn blank_letters(value: &mut [u8], range: Range<usize>) {
    value[range].iter_mut().filter(|byte| byte.is_ascii_alphabetic()).for_each(|byte| *byte = b' ');
}

#[cfg(test)]
#[path = "head_tests.rs"]
mod tests;
