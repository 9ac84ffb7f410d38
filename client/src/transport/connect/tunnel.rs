//! A tunnel through a proxy to an origin (CONNECT; RFC 9110, 9.3.6).

use std::io;

use http::{
    HeaderValue,
    header::{HeaderName, PROXY_AUTHORIZATION},
};
use httparse::{EMPTY_HEADER, Response, Status};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::proxy_fault::Problem;
use crate::headers::Headers;

/// The longest head of a proxy's answer.
const LONGEST_HEAD: usize = 64 * 1024;
/// The most fields of that head.
const MOST_FIELDS: usize = 100;

/// What a proxy answered to CONNECT.
struct Answer {
    status: u16,
    headers: Headers,
    length: usize,
}

/// Opens a tunnel to `authority`, a host and a port, through a proxy that is connected.
pub(super) async fn open<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    authority: &str,
    credentials: Option<&HeaderValue>,
) -> Result<(), Problem> {
    let mut request = format!("CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n").into_bytes();
    if let Some(credentials) = credentials {
        request.extend(PROXY_AUTHORIZATION.as_str().bytes());
        request.extend_from_slice(b": ");
        request.extend_from_slice(credentials.as_bytes());
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"\r\n");
    stream.write_all(&request).await.map_err(Problem::Broken)?;
    match answer(stream).await? {
        Answer { status: 200..=299, .. } => Ok(()),
        Answer { status: 407, headers, .. } => Err(Problem::Unauthenticated(headers)),
        Answer { status, .. } => Err(Problem::Refused(status)),
    }
}

/// Reads the final head. The body of a refusal is not read: its connection is closed.
async fn answer<S: AsyncRead + Unpin>(stream: &mut S) -> Result<Answer, Problem> {
    let mut bytes = Vec::new();
    loop {
        if let Some(answer) = parse(&bytes)? {
            if (100..=199).contains(&answer.status) {
                bytes.drain(..answer.length);
                continue;
            }
            // The origin waits for the client to begin: what is there already comes from somewhere else.
            return if (200..=299).contains(&answer.status) && answer.length < bytes.len() {
                Err(Problem::NotHttp)
            } else {
                Ok(answer)
            };
        }
        if bytes.len() > LONGEST_HEAD {
            return Err(Problem::NotHttp);
        }
        let mut chunk = [0; 1024];
        let count = stream.read(&mut chunk).await.map_err(Problem::Broken)?;
        if count == 0 {
            return Err(Problem::Broken(io::ErrorKind::UnexpectedEof.into()));
        }
        bytes.extend_from_slice(&chunk[..count]);
    }
}

/// Reads a head at the beginning of `bytes`; `None` as long as it is not whole.
fn parse(bytes: &[u8]) -> Result<Option<Answer>, Problem> {
    let mut fields = [EMPTY_HEADER; MOST_FIELDS];
    let mut response = Response::new(&mut fields);
    let length = match response.parse(bytes).map_err(|_| Problem::NotHttp)? {
        Status::Complete(length) => length,
        Status::Partial => return Ok(None),
    };
    let field = |field: &httparse::Header<'_>| {
        let name = HeaderName::from_bytes(field.name.as_bytes()).ok()?;
        Some((name, HeaderValue::from_bytes(field.value).ok()?))
    };
    let headers = response.headers.iter().filter_map(field).collect();
    let status = response.code.ok_or(Problem::NotHttp)?;
    Ok(Some(Answer { status, headers, length }))
}

#[cfg(test)]
mod tests {
    use tokio::io::duplex;

    use super::*;

    /// What becomes of a tunnel when the proxy answers like this, byte by byte, and closes.
    async fn opened(answer: &str) -> Result<(), Problem> {
        let (mut near, mut far) = duplex(1);
        let proxy = async move {
            let mut request = vec![0; b"CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n".len()];
            far.read_exact(&mut request).await.unwrap();
            // A client that has seen enough goes away.
            let _ = far.write_all(answer.as_bytes()).await;
        };
        let open = async move { open(&mut near, "h:443", None).await };
        futures::future::join(proxy, open).await.1
    }

    #[actix_rt::test]
    async fn a_tunnel_is_open_after_any_success_and_nothing_else() {
        for answer in [
            "HTTP/1.1 200 OK\r\n\r\n",
            "HTTP/1.0 200 Connection established\r\nProxy-agent: x\r\n\r\n",
            "HTTP/1.1 299 \r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
        ] {
            assert!(opened(answer).await.is_ok(), "{answer:?}");
        }
        for status in [301, 400, 403, 500, 502, 503] {
            let answer = format!("HTTP/1.1 {status} Status\r\nContent-Length: 5\r\n\r\nsorry");
            let refused = opened(&answer).await;
            assert!(matches!(refused, Err(Problem::Refused(s)) if s == status), "{refused:?}");
        }
        let Err(Problem::Unauthenticated(headers)) =
            opened("HTTP/1.1 407 Who\r\nProxy-Authenticate: Basic realm=\"x\"\r\n\r\n").await
        else {
            panic!("a 407 is something else")
        };
        assert_eq!(headers.get("proxy-authenticate"), Some("Basic realm=\"x\""));
        for answer in ["garbage\r\n\r\n", "SSH-2.0-x\r\n", "HTTP/1.1 2\r\n\r\n", "\x15\x03\x01\0\x02\x02\x46"]
        {
            assert!(matches!(opened(answer).await, Err(Problem::NotHttp)), "{answer:?}");
        }
        for answer in ["", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 100 Continue\r\n\r\n"] {
            assert!(matches!(opened(answer).await, Err(Problem::Broken(_))), "{answer:?}");
        }
        let endless = format!("HTTP/1.1 200 OK\r\nX: {}", "x".repeat(LONGEST_HEAD + 2_000));
        assert!(matches!(opened(&endless).await, Err(Problem::NotHttp)));
    }

    #[test]
    fn bytes_that_follow_a_success_at_once_are_no_tunnel() {
        let stream = "HTTP/1.1 200 OK\r\n\r\nstray";
        let result = futures::executor::block_on(answer(&mut stream.as_bytes()));
        assert!(matches!(result, Err(Problem::NotHttp)));
    }
}
