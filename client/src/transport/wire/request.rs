//! The part of awc's requests that is not sent: the `Date`, which user agents generally do not send (RFC 9110,
//! 6.6.1). Pure.

use crate::transport::context::Date;

/// The line that awc adds to every head, as its last one.
const DATE: &[u8] = b"date: ";
const DATE_LENGTH: usize = "date: Thu, 01 Jan 1970 00:00:00 GMT\r\n".len();
const END_OF_HEAD: &[u8] = b"\r\n\r\n";

/// The part of the bytes being written that does not go out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::transport) enum Omission {
    /// Everything is sent.
    #[default]
    Nothing,
    /// The date, which begins so many bytes from here, is left out.
    Date(usize),
}

impl Omission {
    /// Looks for the date in the first bytes of a request, which end with its head or with its whole body.
    pub(super) fn find(bytes: &[u8], body_length: usize, date: Date) -> Self {
        if date == Date::Callers {
            return Self::Nothing;
        }
        let whole = bytes.len().checked_sub(body_length).map(|head| &bytes[..head]);
        let Some(head) = [whole, Some(bytes)].into_iter().flatten().find(|head| head.ends_with(END_OF_HEAD))
        else {
            return Self::Nothing;
        };
        let start = (head.len() - 2).checked_sub(DATE_LENGTH);
        start.filter(|start| bytes[*start..].starts_with(DATE)).map_or(Self::Nothing, Self::Date)
    }

    /// The bytes before and after what does not go out.
    pub(super) fn split(self, bytes: &[u8]) -> (&[u8], &[u8]) {
        match self {
            Self::Nothing => (bytes, &[]),
            Self::Date(at) => (&bytes[..at], &bytes[at + DATE_LENGTH..]),
        }
    }

    /// Notes that so many of the bytes that go out have been taken, and returns how many that is for awc.
    pub(super) fn taken(&mut self, count: usize) -> usize {
        match *self {
            Self::Nothing => count,
            Self::Date(at) if count <= at => {
                *self = Self::Date(at - count);
                count
            }
            Self::Date(_) => {
                *self = Self::Nothing;
                count + DATE_LENGTH
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "GET / HTTP/1.1\r\nhost: h\r\ndate: Thu, 01 Jan 1970 00:00:00 GMT\r\n\r\n";

    #[test]
    fn the_date_that_awc_adds_is_found_whatever_follows_it() {
        let found = Omission::Date(25);
        for (body, in_body) in [("", ""), ("body", "body"), ("x\r\n\r\n", "x\r\n\r\n")] {
            let bytes = format!("{HEAD}{in_body}");
            assert_eq!(Omission::find(bytes.as_bytes(), body.len(), Date::Awcs), found, "{body:?}");
        }
        assert_eq!(Omission::find(HEAD.as_bytes(), 100_000, Date::Awcs), found, "the body comes later");
        assert_eq!(Omission::find(HEAD.as_bytes(), 0, Date::Callers), Omission::Nothing);
        let without = "GET / HTTP/1.1\r\nhost: h\r\n\r\n";
        assert_eq!(Omission::find(without.as_bytes(), 0, Date::Awcs), Omission::Nothing);
        assert_eq!(Omission::find(b"x", 5, Date::Awcs), Omission::Nothing);
    }

    #[test]
    fn the_same_bytes_go_out_however_many_are_taken_at_once() {
        let bytes = format!("{HEAD}body");
        for step in 1..bytes.len() {
            let (mut rest, mut out) = (bytes.as_bytes(), Vec::new());
            let mut omission = Omission::find(rest, 4, Date::Awcs);
            while !rest.is_empty() {
                let (first, second) = omission.split(rest);
                let going: Vec<u8> = [first, second].concat();
                let count = step.min(going.len());
                out.extend_from_slice(&going[..count]);
                rest = &rest[omission.taken(count)..];
            }
            assert_eq!(out, b"GET / HTTP/1.1\r\nhost: h\r\n\r\nbody", "{step} at a time");
        }
    }
}
