//! The text of a request: method, path, query and headers in one buffer, as they were sent.

use std::sync::Arc;

/// How many bytes of headers are kept, names and values together. Of those behind, the names are kept.
pub(super) const MAX_HEADERS: usize = 4096;

/// Method, path, query and headers of a request.
#[derive(Debug, Clone)]
pub(super) struct Text {
    buffer: Arc<[u8]>,
    /// Where method, path, query and kept headers end. The names of the other headers follow.
    ends: [u32; 4],
}

impl Text {
    /// Writes method, path and query, and the headers, into `scratch`, which is emptied first, and copies them from
    /// there.
    pub(super) fn new<'a>(
        scratch: &mut Vec<u8>,
        [method, path, query]: [&str; 3],
        headers: impl Iterator<Item = (&'a str, &'a [u8])>,
    ) -> Self {
        scratch.clear();
        let mut ends = [0; 4];
        for (part, end) in [method, path, query].into_iter().zip(&mut ends) {
            scratch.extend_from_slice(part.as_bytes());
            *end = position(scratch);
        }
        let start = scratch.len();
        let mut headers = headers.peekable();
        // A name holds no colon and a value no line break (RFC 9110, 5.1 and 5.5).
        while let Some((name, value)) =
            headers.next_if(|(name, value)| scratch.len() - start + name.len() + value.len() <= MAX_HEADERS)
        {
            scratch.extend_from_slice(name.as_bytes());
            scratch.push(b':');
            scratch.extend_from_slice(value);
            scratch.push(b'\n');
        }
        ends[3] = position(scratch);
        for (name, _) in headers {
            scratch.extend_from_slice(name.as_bytes());
            scratch.push(b'\n');
        }
        Self { buffer: Arc::from(&**scratch), ends }
    }

    /// How many bytes it takes.
    pub(super) fn bytes(&self) -> usize {
        self.buffer.len()
    }

    pub(super) fn method(&self) -> &str {
        self.str(0)
    }

    pub(super) fn path(&self) -> &str {
        self.str(1)
    }

    pub(super) fn query(&self) -> &str {
        self.str(2)
    }

    /// The headers that are kept with their values.
    pub(super) fn headers(&self) -> impl Iterator<Item = (&str, &[u8])> {
        lines(self.part(3)).filter_map(|line| {
            let colon = line.iter().position(|byte| *byte == b':')?;
            Some((std::str::from_utf8(&line[..colon]).ok()?, &line[colon + 1..]))
        })
    }

    /// The names of all headers.
    pub(super) fn header_names(&self) -> impl Iterator<Item = &str> {
        let others = lines(self.part(4)).filter_map(|name| std::str::from_utf8(name).ok());
        self.headers().map(|(name, _)| name).chain(others)
    }

    fn part(&self, index: usize) -> &[u8] {
        let at = |index: usize| self.ends.get(index).map_or(self.buffer.len(), |end| *end as usize);
        let start = if index == 0 { 0 } else { at(index - 1) };
        self.buffer.get(start..at(index)).unwrap_or_default()
    }

    fn str(&self, index: usize) -> &str {
        std::str::from_utf8(self.part(index)).unwrap_or_default()
    }
}

/// A head is far smaller than 4 GiB.
fn position(buffer: &[u8]) -> u32 {
    u32::try_from(buffer.len()).unwrap_or(u32::MAX)
}

fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty())
}
