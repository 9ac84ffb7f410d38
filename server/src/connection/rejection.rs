//! The answers to what is no HTTP request. actix-http gives them below our layers; here they get what every answer
//! of this server has: a JSON body and a correlation id.

use actix_web::http::StatusCode;
use log::debug;
use uuid::Uuid;

use crate::error::detail;
use crate::headers::CORRELATION_ID;
use crate::logging::REQUEST;

/// Finds an answer of the framework's own at the end of what is about to be written: where it starts, and its
/// status. Such an answer has no body and no correlation id, and is the last on its connection.
pub(super) fn find(buffer: &[u8]) -> Option<(usize, StatusCode)> {
    const STATUS_LINE: &[u8] = b"HTTP/1.1 ";
    if !buffer.ends_with(b"\r\n\r\n") {
        return None;
    }
    let start = buffer.windows(STATUS_LINE.len()).rposition(|window| window == STATUS_LINE)?;
    let head = &buffer[start..];
    let status = StatusCode::from_bytes(head.get(STATUS_LINE.len()..STATUS_LINE.len() + 3)?).ok()?;
    let is_error = status.is_client_error() || status.is_server_error();
    let is_ours =
        head.windows(CORRELATION_ID.as_str().len()).any(|name| name == CORRELATION_ID.as_str().as_bytes());
    (is_error && !is_ours).then_some((start, status))
}

/// The whole answer, after which the connection ends.
pub(super) fn render(status: StatusCode) -> Vec<u8> {
    let correlation_id = Uuid::new_v4();
    let reason = status.canonical_reason().unwrap_or("Error");
    debug!(target: REQUEST, correlation_id:%, status = status.as_u16(); "Malformed request refused");
    let body = detail(reason);
    let date = httpdate::fmt_http_date(std::time::SystemTime::now());
    let mut answer = format!(
        "HTTP/1.1 {} {reason}\r\ncontent-length: {}\r\nconnection: close\r\ncontent-type: application/json\r\n\
         {CORRELATION_ID}: {correlation_id}\r\ndate: {date}\r\n\r\n",
        status.as_u16(),
        body.len(),
    )
    .into_bytes();
    answer.extend_from_slice(&body);
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_frameworks_own_errors_are_found() {
        let ours = "HTTP/1.1 404 Not Found\r\nx-correlation-id: 1\r\ncontent-length: 0\r\n\r\n";
        let theirs = "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n";
        let cases = [
            (theirs.to_owned(), Some((0, 400))),
            (format!("{ours}{theirs}"), Some((ours.len(), 400))),
            ("HTTP/1.1 431 \r\n\r\n".to_owned(), Some((0, 431))),
            (ours.to_owned(), None),
            ("HTTP/1.1 100 Continue\r\n\r\n".to_owned(), None),
            ("HTTP/1.1 200 OK\r\n\r\n".to_owned(), None),
            ("0\r\n\r\n".to_owned(), None),
            (format!("{theirs}body"), None),
            ("HTTP/1.1 4\r\n\r\n".to_owned(), None),
            (String::new(), None),
        ];
        for (buffer, expected) in cases {
            let found = find(buffer.as_bytes()).map(|(start, status)| (start, status.as_u16()));
            assert_eq!(found, expected, "{buffer:?}");
        }
    }

    #[test]
    fn a_rejection_is_a_whole_answer() {
        let text = String::from_utf8(render(StatusCode::BAD_REQUEST)).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{head}");
        assert!(head.contains("\r\nx-correlation-id: ") && head.contains("\r\ndate: "), "{head}");
        assert_eq!(body, r#"{"detail":"Bad Request"}"#);
        assert!(head.contains(&format!("content-length: {}\r\n", body.len())), "{head}");
        assert_eq!(find(text.as_bytes()), None, "it is not taken for one of theirs");
    }
}
