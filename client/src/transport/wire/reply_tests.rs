use super::*;

/// What awc gets of bytes that come in pieces, and whether the connection may be used again.
fn delivered(pieces: &[&[u8]], expect: Expect) -> Result<(Vec<u8>, Option<Persistence>), WireFault> {
    let mut reader = ReplyReader::default();
    reader.begin(expect);
    let mut out = Vec::new();
    for piece in pieces.iter().filter(|piece| !piece.is_empty()) {
        let kept = reader.accept(piece)?;
        let due = reader.due().to_vec();
        reader.delivered(due.len());
        out.extend_from_slice(&due);
        out.extend_from_slice(&piece[..kept]);
    }
    Ok((out, reader.over()))
}

fn cut(whole: &[u8], at: usize) -> [&[u8]; 2] {
    [&whole[..at], &whole[at..]]
}

#[test]
fn exactly_one_reply_comes_through_wherever_the_bytes_are_cut() {
    let stray = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nstray";
    for reply in [
        &b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"[..],
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\n\r\n",
    ] {
        let both = [reply, stray].concat();
        for at in 0..=both.len() {
            let (out, over) = delivered(&cut(&both, at), Expect::Body).unwrap();
            assert_eq!(out, reply, "cut at {at}: {}", out.escape_ascii());
            assert_eq!(over, Some(Persistence::Last), "cut at {at}");
        }
        for at in 0..=reply.len() {
            let (out, over) = delivered(&cut(reply, at), Expect::Body).unwrap();
            assert_eq!((&out[..], over), (reply, Some(Persistence::KeepAlive)), "cut at {at}");
        }
    }
}

#[test]
fn a_reply_without_a_length_has_no_end_and_a_head_of_http_1_0() {
    let (out, over) = delivered(&[b"HTTP/1.1 200 OK\r\nX: y\r\n\r\nab", b"cd"], Expect::Body).unwrap();
    assert_eq!((&out[..], over), (&b"HTTP/1.0 200 \r\n\r\nabcd"[..], None));
}

#[test]
fn interim_replies_are_dropped_up_to_a_limit() {
    let last = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    let with = |count: usize| [b"HTTP/1.1 102 Processing\r\n\r\n".repeat(count), last.to_vec()].concat();
    let whole = with(100);
    assert_eq!(delivered(&[&whole], Expect::Body).unwrap().0, last);
    let in_pieces: Vec<&[u8]> = whole.chunks(7).collect();
    assert_eq!(delivered(&in_pieces, Expect::Body).unwrap().0, last);
    assert_eq!(delivered(&[&with(101)], Expect::Body), Err(WireFault::TooManyInterim));
}

#[test]
fn a_head_is_read_up_to_a_limit_however_it_comes() {
    let with = |length: usize| {
        let start = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX: ";
        let filling = vec![b'x'; length - start.len() - 4];
        [&start[..], &filling, b"\r\n\r\n"].concat()
    };
    for size in [1_000, 8_192, 1 << 20] {
        let longest = with(MAX_LENGTH);
        let pieces: Vec<&[u8]> = longest.chunks(size).collect();
        assert_eq!(delivered(&pieces, Expect::Body).unwrap().1, Some(Persistence::KeepAlive), "{size}");
        let longer = with(MAX_LENGTH + 1);
        let pieces: Vec<&[u8]> = longer.chunks(size).collect();
        assert_eq!(delivered(&pieces, Expect::Body), Err(WireFault::HeadTooLong), "{size}");
    }
    let endless = vec![b'x'; 2 * MAX_LENGTH];
    let endless = [&b"HTTP/1.1 200 OK\r\nX: "[..], &endless].concat();
    let pieces: Vec<&[u8]> = endless.chunks(8_192).collect();
    assert_eq!(delivered(&pieces, Expect::Body), Err(WireFault::HeadTooLong));
}

#[test]
fn a_long_head_that_comes_byte_by_byte_is_read_in_reasonable_time() {
    // Parsing it for every byte would take 34 thousand million steps.
    let whole =
        [&b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX: "[..], &vec![b'x'; 200_000], b"\r\n\r\n"].concat();
    let pieces: Vec<&[u8]> = whole.chunks(1).collect();
    assert_eq!(delivered(&pieces, Expect::Body).unwrap().1, Some(Persistence::KeepAlive));
}

#[test]
fn what_is_not_http_is_left_to_awc_at_once() {
    for bytes in
        [&b"SSH-2.0-OpenSSH_9.6\r\n"[..], b"\x16\x03\x01", b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"]
    {
        assert_eq!(delivered(&[bytes], Expect::Body).unwrap().0, bytes);
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        assert_eq!(delivered(&single, Expect::Body).unwrap().0, bytes);
    }
}

#[test]
fn the_reply_to_a_head_request_has_no_body() {
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n";
    let (out, over) = delivered(&[head], Expect::HeadOnly).unwrap();
    assert_eq!((&out[..], over), (&head[..], Some(Persistence::KeepAlive)));
}

#[test]
fn bytes_between_two_replies_retire_the_connection() {
    let mut reader = ReplyReader::default();
    assert_eq!(reader.over(), Some(Persistence::KeepAlive));
    assert_eq!(reader.accept(b"stray"), Ok(0));
    assert_eq!(reader.over(), Some(Persistence::Last));
}
