//! The head of an answer, to be changed. \[pure\]

/// A head: its status line and its fields, as they were written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    raw: Vec<u8>,
    status_line: Vec<u8>,
    fields: Vec<Vec<u8>>,
}

impl Head {
    /// Reads a whole head of actix-http's, with the empty line at its end.
    pub(super) fn read(raw: &[u8]) -> Self {
        let mut lines = raw.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii_end);
        let status_line = lines.next().unwrap_or_default().to_vec();
        let fields = lines.filter(|line| !line.is_empty()).map(<[u8]>::to_vec).collect();
        Self { raw: raw.to_vec(), status_line, fields }
    }

    /// The head as it was written.
    pub(super) fn raw(&self) -> &[u8] {
        &self.raw
    }

    /// The status; 0 if it cannot be read.
    pub(super) fn status(&self) -> u16 {
        let code = self.status_line.get(9..12).and_then(|code| std::str::from_utf8(code).ok());
        code.and_then(|code| code.parse().ok()).unwrap_or(0)
    }

    /// The value of a field; its name in lower case.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        let field = self.fields.iter().find(|field| is_named(field, name))?;
        std::str::from_utf8(&field[name.len() + 1..]).ok().map(str::trim)
    }

    /// The head without the fields of these names.
    pub(super) fn without(mut self, names: &[&str]) -> Self {
        self.fields.retain(|field| !names.iter().any(|name| is_named(field, name)));
        self
    }

    /// The head with one more field.
    pub(super) fn with(mut self, field: &str) -> Self {
        self.fields.push(field.as_bytes().to_vec());
        self
    }

    /// The head as one of HTTP/1.0.
    pub(super) fn into_http10(mut self) -> Self {
        if let Some(version) = self.status_line.get_mut(..8) {
            version.copy_from_slice(b"HTTP/1.0");
        }
        self
    }

    /// The head of the same answer with a chunked body.
    pub(super) fn chunked(self) -> Self {
        self.without(&["content-length", "transfer-encoding"]).with("transfer-encoding: chunked")
    }

    /// Appends the head as it is now.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        for line in std::iter::once(&self.status_line).chain(&self.fields) {
            out.extend_from_slice(line);
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(b"\r\n");
    }
}

fn is_named(field: &[u8], name: &str) -> bool {
    field.get(name.len()) == Some(&b':') && field[..name.len()].eq_ignore_ascii_case(name.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_changed_field_by_field() {
        let raw =
            b"HTTP/1.1 404 Not Found\r\ncontent-length: 12\r\nConnection: close\r\nx: a\r\nX: b\r\n\r\n";
        let head = Head::read(raw);
        assert_eq!(head.status(), 404);
        assert_eq!(head.value("content-length"), Some("12"));
        assert_eq!(head.value("content"), None);
        assert_eq!(head.raw(), raw);
        let write = |head: Head| {
            let mut out = Vec::new();
            head.write(&mut out);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(write(head.clone()).as_bytes(), raw);
        assert_eq!(
            write(head.clone().without(&["connection"]).into_http10()),
            "HTTP/1.0 404 Not Found\r\ncontent-length: 12\r\nx: a\r\nX: b\r\n\r\n"
        );
        assert_eq!(
            write(head.chunked()),
            "HTTP/1.1 404 Not Found\r\nConnection: close\r\nx: a\r\nX: b\r\ntransfer-encoding: chunked\r\n\r\n"
        );
    }
}
