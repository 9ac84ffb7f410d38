//! What the fields of a head say about the connection. Pure.

use httparse::Header;

/// Whether a connection may be used again after a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Persistence {
    /// Another request may follow.
    KeepAlive,
    /// The reply is the last one of its connection.
    Last,
}

/// The `Content-Length` of a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Length {
    Unknown,
    Known(u64),
    /// It is not a number, or there are several that differ.
    Invalid,
}

/// The `Transfer-Encoding` of a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    None,
    Chunked,
    /// Anything but chunked alone.
    Unknown,
}

/// The fields that concern the connection.
#[derive(Debug)]
pub(super) struct Facts {
    pub(super) length: Length,
    pub(super) coding: Coding,
    connection: Option<Persistence>,
    /// Fields that make awc misread a head that is otherwise sound.
    misleading: u8,
}

impl Facts {
    /// Collects the facts of a head.
    pub(super) fn of(headers: &[Header<'_>]) -> Self {
        let mut facts =
            Self { length: Length::Unknown, coding: Coding::None, connection: None, misleading: 0 };
        for header in headers {
            let is = |name: &str| header.name.eq_ignore_ascii_case(name);
            match header.name.len() {
                14 if is("content-length") => facts.add_length(header.value),
                17 if is("transfer-encoding") => facts.add_coding(header.value),
                10 if is("connection") => facts.add_connection(header.value),
                // awc refuses a second Host, and takes Upgrade for a switch of protocols.
                7 if is("upgrade") => facts.misleading += 1,
                4 if is("host") => facts.misleading += 1,
                _ => {}
            }
        }
        facts
    }

    /// Whether awc understands these fields as they are.
    pub(super) fn is_plain(&self) -> bool {
        self.misleading == 0
    }

    /// Whether the connection may be used again (RFC 9112, 9.3 and 6.1).
    pub(super) fn persistence(&self, version: u8) -> Persistence {
        // Both, or a coding in HTTP/1.0, are signs of a broken framing.
        let doubtful = self.coding != Coding::None && (version == 0 || self.length != Length::Unknown);
        match (version, self.connection) {
            _ if doubtful => Persistence::Last,
            (_, Some(stated)) => stated,
            (0, None) => Persistence::Last,
            (_, None) => Persistence::KeepAlive,
        }
    }

    /// Equal values count as one (RFC 9112, 6.3).
    fn add_length(&mut self, value: &[u8]) {
        for item in value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
            let digits = !item.is_empty() && item.iter().all(u8::is_ascii_digit);
            let number = std::str::from_utf8(item).ok().filter(|_| digits).and_then(|text| text.parse().ok());
            self.length = match (self.length, number) {
                (Length::Unknown, Some(number)) => Length::Known(number),
                (Length::Known(before), Some(number)) if before == number => {
                    self.misleading += 1;
                    Length::Known(number)
                }
                _ => Length::Invalid,
            };
        }
    }

    fn add_coding(&mut self, value: &[u8]) {
        let value = value.trim_ascii();
        self.coding = if self.coding != Coding::None {
            Coding::Unknown
        } else if value.eq_ignore_ascii_case(b"chunked") {
            Coding::Chunked
        } else if value.eq_ignore_ascii_case(b"identity") {
            self.misleading += 1;
            Coding::None
        } else {
            Coding::Unknown
        };
    }

    fn add_connection(&mut self, value: &[u8]) {
        for option in value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
            if option.eq_ignore_ascii_case(b"close") {
                self.connection = Some(Persistence::Last);
            } else if option.eq_ignore_ascii_case(b"keep-alive") {
                self.connection.get_or_insert(Persistence::KeepAlive);
            }
        }
    }
}
