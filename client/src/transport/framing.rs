//! What the first bytes of a reply say about where it ends. Pure.
//!
//! It looks at heads and never at bodies. It exists because awc takes an interim reply (1xx) for the final one, and
//! an HTTP/1.1 reply without a length for an empty one: both lose bytes in silence.

/// The most headers that are looked at; awc refuses more.
const MAX_HEADERS: usize = 96;
/// Where the minor version stands in `HTTP/1.1`.
const MINOR: usize = "HTTP/1.".len();

/// What a reply's first bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Head {
    /// The beginning of a head.
    Partial,
    /// A whole interim reply of this many bytes: the final one is still to come.
    Interim(usize),
    /// A head that says where its message ends, or one that has no body.
    Framed,
    /// An HTTP/1.1 head without a length: its body ends with the connection (RFC 9112, 6.3, rule 8).
    UntilClose {
        /// Where its minor version stands.
        minor_at: usize,
    },
    /// No head at all: whoever parses it will say so.
    Malformed,
}

/// Whether the reply to a request has a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expect {
    /// It has, if its status says so.
    Body,
    /// It answers a HEAD.
    HeadOnly,
}

/// Reads the head at the beginning of `bytes`.
pub(super) fn inspect(bytes: &[u8], expect: Expect) -> Head {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    let mut parser = httparse::ParserConfig::default();
    parser.allow_spaces_after_header_name_in_responses(true);
    let length = match parser.parse_response(&mut response, bytes) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Head::Partial,
        Err(_) => return Head::Malformed,
    };
    match response.code {
        Some(100 | 102..=199) => return Head::Interim(length),
        Some(101 | 204 | 304) => return Head::Framed,
        _ => {}
    }
    let has = |name: &str| response.headers.iter().any(|header| header.name.eq_ignore_ascii_case(name));
    // Only these transfer codings leave the end open; awc understands chunked and refuses all others.
    let identity = response.headers.iter().any(|header| {
        header.name.eq_ignore_ascii_case("transfer-encoding")
            && header.value.eq_ignore_ascii_case(b"identity")
    });
    let framed = has("content-length") || (has("transfer-encoding") && !identity);
    if response.version == Some(1) && expect == Expect::Body && !framed {
        let start = bytes.iter().position(|byte| !matches!(byte, b'\r' | b'\n')).unwrap_or(0);
        return Head::UntilClose { minor_at: start + MINOR };
    }
    Head::Framed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_head_is_told_apart() {
        let until_close = |minor_at| Head::UntilClose { minor_at };
        let table: [(&str, Head); 20] = [
            ("", Head::Partial),
            ("HTTP/1.1 200 OK\r\nContent-Le", Head::Partial),
            ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", Head::Framed),
            ("HTTP/1.1 200 OK\r\ncontent-length : 3\r\n\r\nabc", Head::Framed),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", Head::Framed),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", Head::Framed),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\n", until_close(7)),
            ("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabc", until_close(7)),
            ("\r\nHTTP/1.1 200 OK\r\n\r\n", until_close(9)),
            ("HTTP/1.1 404 Not Found\r\n\r\n", until_close(7)),
            ("HTTP/1.0 200 OK\r\n\r\nabc", Head::Framed),
            ("HTTP/1.1 204 No Content\r\n\r\n", Head::Framed),
            ("HTTP/1.1 304 Not Modified\r\n\r\n", Head::Framed),
            ("HTTP/1.1 101 Switching Protocols\r\n\r\n", Head::Framed),
            ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n", Head::Interim(25)),
            ("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", Head::Interim(37)),
            ("SSH-2.0-OpenSSH_9.6\r\n", Head::Malformed),
            ("HTTP/2.0 200 OK\r\n\r\n", Head::Malformed),
            ("HTTP/1.1 2x0 OK\r\n\r\n", Head::Malformed),
            ("\x16\x03\x01\x02\x00", Head::Malformed),
        ];
        for (bytes, expected) in table {
            assert_eq!(inspect(bytes.as_bytes(), Expect::Body), expected, "{bytes:?}");
        }
        assert_eq!(inspect(b"HTTP/1.1 200 OK\r\n\r\n", Expect::HeadOnly), Head::Framed);
    }

    #[test]
    fn a_head_is_the_same_wherever_it_is_cut() {
        let whole = b"HTTP/1.1 200 OK\r\nServer: x\r\nContent-Length: 0\r\n\r\n";
        for cut in 0..whole.len() {
            assert_eq!(inspect(&whole[..cut], Expect::Body), Head::Partial, "{cut} bytes");
        }
        assert_eq!(inspect(whole, Expect::Body), Head::Framed);
    }
}
