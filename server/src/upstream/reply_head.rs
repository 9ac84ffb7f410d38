//! The head of an answer of the upstream, and how its body ends. \[pure\]

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue, TRANSFER_ENCODING};

use super::failure::Failure;
use super::request_head::options;

/// The longest head of an answer, in bytes.
const MAX_HEAD: usize = 128 * 1024;

/// The largest number of headers of an answer.
const MAX_HEADERS: usize = 256;

/// The head of a final answer.
#[derive(Debug)]
pub(super) struct ReplyHead {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) framing: Framing,
    pub(super) persistence: Persistence,
}

/// How the body of an answer ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// There is no body. The length is that of the body that another request would get.
    Absent(Option<u64>),
    /// After so many bytes.
    Length(u64),
    /// With its last chunk.
    Chunked,
    /// With the connection.
    UntilEnd,
}

/// Whether the upstream keeps the connection open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Persistence {
    KeptAlive,
    Closed,
}

/// Whether an answer can have a body: that to a HEAD request cannot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    ForBody,
    ForHeadAlone,
}

/// Reads the head at the beginning of `data`, together with its length; `None` while it is incomplete. Interim answers
/// are passed over.
///
/// # Errors
/// [`Failure::BadReply`] when it is no head of HTTP/1, or cannot be forwarded.
pub(super) fn read(data: &[u8], asked: Asked) -> Result<Option<(ReplyHead, usize)>, Failure> {
    let mut start = 0;
    loop {
        let mut space = [httparse::EMPTY_HEADER; MAX_HEADERS];
        let mut response = httparse::Response::new(&mut space);
        let parsed =
            response.parse(&data[start..]).map_err(|_| Failure::BadReply("its head is malformed"))?;
        let httparse::Status::Complete(length) = parsed else {
            let is_too_long = data.len() > MAX_HEAD;
            return if is_too_long { Err(Failure::BadReply("its head is too long")) } else { Ok(None) };
        };
        start += length;
        match response.code {
            Some(101) => return Err(Failure::BadReply("it switches protocols unasked")),
            Some(100..=199) => {}
            _ => return Ok(Some((head_of(&response, asked)?, start))),
        }
    }
}

fn head_of(response: &httparse::Response<'_, '_>, asked: Asked) -> Result<ReplyHead, Failure> {
    let malformed = Failure::BadReply("its head is malformed");
    let status = StatusCode::from_u16(response.code.unwrap_or_default()).map_err(|_| malformed)?;
    let mut headers = HeaderMap::with_capacity(response.headers.len());
    for header in response.headers.iter() {
        let name = HeaderName::from_bytes(header.name.as_bytes()).map_err(|_| malformed)?;
        headers.append(name, HeaderValue::from_bytes(header.value).map_err(|_| malformed)?);
    }
    let is_http_11 = response.version == Some(1);
    let framing = framing(&headers, status, is_http_11, asked)?;
    let has = |wanted: &str| options(&headers).any(|option| option.eq_ignore_ascii_case(wanted));
    let closes = framing == Framing::UntilEnd
        || has("close")
        || (!is_http_11 && !has("keep-alive"))
        || (headers.contains_key(TRANSFER_ENCODING) && headers.contains_key(CONTENT_LENGTH));
    let persistence = if closes { Persistence::Closed } else { Persistence::KeptAlive };
    Ok(ReplyHead { status, headers, framing, persistence })
}

/// How the body ends (RFC 9112, 6.3).
fn framing(
    headers: &HeaderMap,
    status: StatusCode,
    is_http_11: bool,
    asked: Asked,
) -> Result<Framing, Failure> {
    let length = length(headers)?;
    if asked == Asked::ForHeadAlone || matches!(status.as_u16(), 204 | 304) {
        return Ok(Framing::Absent(length));
    }
    let codings: Vec<_> = headers.get_all(TRANSFER_ENCODING).map(HeaderValue::as_bytes).collect();
    match codings[..] {
        [] => Ok(length.map_or(Framing::UntilEnd, Framing::Length)),
        [coding] if is_http_11 && coding.eq_ignore_ascii_case(b"chunked") => Ok(Framing::Chunked),
        _ => Err(Failure::BadReply("its transfer coding is unknown")),
    }
}

/// The content length. Repeated, it must be the same each time (RFC 9112, 6.3).
fn length(headers: &HeaderMap) -> Result<Option<u64>, Failure> {
    let mut length = None;
    for value in headers.get_all(CONTENT_LENGTH) {
        for item in value.to_str().unwrap_or("?").split(',') {
            let item = item.trim_matches([' ', '\t']);
            let is_number = !item.is_empty() && item.bytes().all(|byte| byte.is_ascii_digit());
            let number = item.parse::<u64>().ok().filter(|_| is_number);
            if number.is_none() || length.is_some_and(|length| Some(length) != number) {
                return Err(Failure::BadReply("its content length is malformed"));
            }
            length = number;
        }
    }
    Ok(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(head: &str, asked: Asked) -> Result<(Framing, Persistence), Failure> {
        let data = format!("{head}\r\n\r\n");
        let (head, length) = read(data.as_bytes(), asked)?.expect("the head is whole");
        assert_eq!(length, data.len());
        Ok((head.framing, head.persistence))
    }

    #[test]
    fn the_head_says_how_the_body_ends_and_whether_the_connection_stays() {
        use Framing::{Absent, Chunked, Length, UntilEnd};
        use Persistence::{Closed, KeptAlive};
        let table = [
            ("HTTP/1.1 200 OK\r\nContent-Length: 5", (Length(5), KeptAlive)),
            ("HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\nContent-Length: 5", (Length(5), KeptAlive)),
            ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: x, Close", (Length(5), Closed)),
            ("HTTP/1.1 200\r\nTransfer-Encoding: Chunked", (Chunked, KeptAlive)),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5", (Chunked, Closed)),
            ("HTTP/1.1 200 OK\r\nX: y", (UntilEnd, Closed)),
            ("HTTP/1.0 200 OK\r\nContent-Length: 5", (Length(5), Closed)),
            ("HTTP/1.0 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive", (Length(5), KeptAlive)),
            ("HTTP/1.1 204 No Content", (Absent(None), KeptAlive)),
            ("HTTP/1.1 304 Not Modified\r\nContent-Length: 7", (Absent(Some(7)), KeptAlive)),
            (
                "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0",
                (Length(0), KeptAlive),
            ),
        ];
        for (head, expected) in table {
            assert_eq!(frame(head, Asked::ForBody), Ok(expected), "{head}");
        }
        let head = "HTTP/1.1 200 OK\r\nContent-Length: 5";
        assert_eq!(frame(head, Asked::ForHeadAlone), Ok((Absent(Some(5)), KeptAlive)));
    }

    #[test]
    fn what_cannot_be_forwarded_is_a_bad_reply() {
        for head in [
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6",
            "HTTP/1.1 200 OK\r\nContent-Length: +5",
            "HTTP/1.1 200 OK\r\nContent-Length: 5,",
            "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
            "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked",
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x",
            "HTTP/2 200 OK",
            "HTTP/1.1 099 Low",
            "ICY 200 OK",
            "HTTP/1.1 200 OK\r\nA: b\r\n folded",
        ] {
            assert!(matches!(frame(head, Asked::ForBody), Err(Failure::BadReply(_))), "{head}");
        }
    }

    #[test]
    fn a_head_is_bounded_and_may_come_in_pieces() {
        let whole = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
        for end in 0..whole.len() {
            assert!(read(&whole[..end], Asked::ForBody).unwrap().is_none(), "{end}");
        }
        let endless = [b"HTTP/1.1 200 OK\r\nX: ".to_vec(), vec![b'x'; MAX_HEAD]].concat();
        assert!(matches!(read(&endless, Asked::ForBody), Err(Failure::BadReply(_))));
    }
}
