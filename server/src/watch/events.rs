//! Server-sent events out of the bytes of a stream. \[pure\]

/// The longest event, in bytes: an entry has at most 4 KiB of headers, and a target that fits in a request's head.
const LONGEST: usize = 1 << 20;

/// One event.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Event {
    /// Its name.
    pub(super) name: String,
    /// Its id, if it has one.
    pub(super) id: Option<u64>,
    /// Its data.
    pub(super) data: String,
}

/// The stream holds an event that is too long.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooLong;

/// What has come of the stream and is not an event yet.
#[derive(Debug, Default)]
pub(super) struct EventReader {
    unread: Vec<u8>,
    event: Event,
}

impl EventReader {
    /// Takes the next bytes, and returns the events that are whole with them.
    ///
    /// # Errors
    /// [`TooLong`] for an event that is longer than any of a test server.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<Vec<Event>, TooLong> {
        let mut events = Vec::new();
        let mut rest = bytes;
        while let Some(end) = memchr::memchr(b'\n', rest) {
            self.unread.extend_from_slice(&rest[..end]);
            rest = &rest[end + 1..];
            let line = std::mem::take(&mut self.unread);
            events.extend(self.line(String::from_utf8_lossy(&line).trim_end_matches('\r')));
        }
        self.unread.extend_from_slice(rest);
        match self.unread.len() + self.event.data.len() > LONGEST {
            true => Err(TooLong),
            false => Ok(events),
        }
    }

    /// Takes a line; an empty one ends an event. Comments, and fields that mean nothing here, are passed over.
    fn line(&mut self, line: &str) -> Option<Event> {
        if line.is_empty() {
            return Some(std::mem::take(&mut self.event)).filter(|event| !event.data.is_empty());
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.event.name),
            "id" => self.event.id = value.parse().ok(),
            "data" => self.event.data.push_str(value),
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &str = "retry: 500\n: journal\n\nevent: begun\ndata: {\"a\":1}\n\nevent: ended\r\nid: 7\r\n\
                          data: {\"é\":2}\r\n\r\n: alive\n\n";

    fn expected() -> [Event; 2] {
        let event = |name: &str, id, data: &str| Event { name: name.to_owned(), id, data: data.to_owned() };
        [event("begun", None, "{\"a\":1}"), event("ended", Some(7), "{\"é\":2}")]
    }

    #[test]
    fn a_stream_is_read_alike_wherever_it_is_cut() {
        for size in [1, 2, 3, 7, STREAM.len()] {
            let mut reader = EventReader::default();
            let chunks = STREAM.as_bytes().chunks(size);
            let events: Vec<Event> = chunks.flat_map(|chunk| reader.push(chunk).unwrap()).collect();
            assert_eq!(events, expected(), "in chunks of {size}");
        }
    }

    #[test]
    fn bytes_without_an_end_are_refused_before_they_fill_the_memory() {
        for endless in ["x".repeat(1024), format!("data: {}\n", "x".repeat(1024))] {
            let mut reader = EventReader::default();
            let refused = (0..=LONGEST / 1024).any(|_| reader.push(endless.as_bytes()).is_err());
            assert!(refused, "{endless:?} without end");
        }
    }
}
