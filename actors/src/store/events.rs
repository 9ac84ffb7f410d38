//! What the store pushes to every server. \[pure\]

/// A message of the store.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Event<'a> {
    /// A topic has another value: it is time to ask.
    Changed,
    /// A server knows a version of an epoch.
    Knows { epoch: &'a str, server: &'a str, version: u64 },
    /// An execution has ended; what its followers wait for.
    Settled(&'a str),
    /// Records of a session are to be appended to its journal; what the answer is known by.
    Flush { session: &'a str, number: &'a str },
    /// A server has appended them.
    Flushed { number: &'a str, server: &'a str },
}

impl<'a> Event<'a> {
    /// Reads a message; `None` for one that is not known.
    pub(super) fn read(text: &'a str) -> Option<Self> {
        let (name, rest) = text.split_once(' ').unwrap_or((text, ""));
        match name {
            "changed" => Some(Self::Changed),
            "knows" => {
                let mut parts = rest.split(' ');
                let (epoch, server) = (parts.next()?, parts.next()?);
                Some(Self::Knows { epoch, server, version: parts.next()?.parse().ok()? })
            }
            "flush" => {
                let (session, number) = rest.split_once(' ')?;
                Some(Self::Flush { session, number })
            }
            "flushed" => {
                let (number, server) = rest.split_once(' ')?;
                Some(Self::Flushed { number, server })
            }
            "settled" => Some(Self::Settled(rest)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_read_and_unknown_ones_passed_over() {
        let knows = Event::Knows { epoch: "e", server: "s", version: 7 };
        let table = [
            ("changed", Some(Event::Changed)),
            ("knows e s 7", Some(knows)),
            ("settled default order-42", Some(Event::Settled("default order-42"))),
            ("flush default s/1", Some(Event::Flush { session: "default", number: "s/1" })),
            ("flushed s/1 s", Some(Event::Flushed { number: "s/1", server: "s" })),
            ("flush default", None),
            ("knows e s", None),
            ("knows e s x", None),
            ("else", None),
            ("", None),
        ];
        for (text, expected) in table {
            assert_eq!(Event::read(text), expected, "{text}");
        }
    }
}
