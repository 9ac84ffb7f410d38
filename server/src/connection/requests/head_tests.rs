use super::*;

/// What becomes of a whole head, and the framing of its body.
fn take(head: &str) -> (String, Option<Framing>) {
    let mut data = head.as_bytes().to_vec();
    let taken = Head::default().take(&mut data).expect("the head is not refused");
    (String::from_utf8_lossy(&data[..taken.ready]).into_owned(), taken.complete)
}

#[test]
fn a_head_that_may_have_headers_of_ours_is_told_from_one_that_has_none() {
    let cases = [
        ("", Interpreted::None),
        ("Host: x\r\nAccept: X-Request-ID\r\n", Interpreted::None),
        ("Host: x\r\nX-Request-ID: a\r\n", Interpreted::Perhaps),
        ("idempotency-key: a\r\nHost: x\r\n", Interpreted::Perhaps),
        ("x-fault: 503\r\n", Interpreted::Perhaps),
        ("X-TEST-SESSION: a\r\n", Interpreted::Perhaps),
    ];
    for (fields, expected) in cases {
        let mut head = Head::default();
        let mut whole = format!("GET / HTTP/1.1\r\n{fields}\r\n").into_bytes();
        assert_eq!(head.take(&mut whole).unwrap().interpreted, expected, "{fields:?}");
        // The next head on the connection begins anew.
        let mut next = b"GET / HTTP/1.1\r\n\r\n".to_vec();
        assert_eq!(head.take(&mut next).unwrap().interpreted, Interpreted::None, "{fields:?}");
    }
}

#[test]
fn the_framing_of_a_body_is_what_actix_http_takes_it_for() {
    let cases = [
        ("", Framing::NoBody),
        ("Content-Length: 5\r\n", Framing::Length(5)),
        ("content-length:5\n", Framing::Length(5)),
        ("CONTENT-LENGTH: \t5 \r\n", Framing::Length(5)),
        ("Content-Length: 0\r\n", Framing::NoBody),
        ("Content-Length: +5\r\n", Framing::NoBody),
        ("Content-Length: \r\n", Framing::NoBody),
        ("Content-Length: 5\r\nContent-Length: 5\r\n", Framing::NoBody),
        ("Content-Length: 99999999999999999999999\r\n", Framing::NoBody),
        ("Content-Lengthy: 5\r\n", Framing::NoBody),
        ("Transfer-Encoding: Chunked\r\n", Framing::Chunked),
        ("Transfer-Encoding: gzip, chunked\r\n", Framing::NoBody),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", Framing::NoBody),
        ("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", Framing::NoBody),
        ("Upgrade: websocket\r\nContent-Length: 5\r\n", Framing::Length(5)),
    ];
    for (fields, framing) in cases {
        assert_eq!(take(&format!("POST / HTTP/1.1\r\n{fields}\r\n")).1, Some(framing), "{fields:?}");
    }
}

#[test]
fn an_offer_to_upgrade_is_dropped_and_everything_else_stays() {
    let cases = [
        (
            "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nA: b\r\n",
            "Connection:        , HTTP2-Settings\r\nA: b\r\n",
        ),
        ("connection: keep-alive,upgrade\r\n", "connection: keep-alive,       \r\n"),
        ("Connection: close, upgrade\r\nUPGRADE: websocket\r\n", "Connection: close,        \r\n"),
        (
            "Connection: upgrades\r\nUpgrade-Insecure-Requests: 1\r\n",
            "Connection: upgrades\r\nUpgrade-Insecure-Requests: 1\r\n",
        ),
        ("X-Connection: upgrade\r\n", "X-Connection: upgrade\r\n"),
    ];
    for (fields, expected) in cases {
        let (head, _) = take(&format!("GET / HTTP/1.1\r\n{fields}\r\n"));
        assert_eq!(head, format!("GET / HTTP/1.1\r\n{expected}\r\n"));
    }
}

#[test]
fn a_head_ends_at_an_empty_line_however_lines_end() {
    for head in
        ["GET / HTTP/1.1\nHost: x\n\n", "GET / HTTP/1.1\r\nHost: x\n\r\n", "\r\n\nGET / HTTP/1.1\r\n\r\n"]
    {
        let (taken, complete) = take(&format!("{head}GET /next"));
        assert_eq!((taken.as_str(), complete), (head.trim_start(), Some(Framing::NoBody)));
    }
}

#[test]
fn a_request_line_may_have_exactly_its_limit() {
    for (extra, expected) in [(0, Ok(())), (1, Err(StatusCode::URI_TOO_LONG))] {
        let path = "x".repeat(MAX_REQUEST_LINE - "GET / HTTP/1.1".len() + extra);
        let mut data = format!("GET /{path} HTTP/1.1\r\n\r\n").into_bytes();
        assert_eq!(Head::default().take(&mut data).map(drop), expected);
    }
}
