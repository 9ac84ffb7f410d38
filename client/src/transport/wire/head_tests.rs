use super::*;

fn head(text: &str) -> Head {
    read(text.as_bytes(), Expect::Body).unwrap()
}

/// The framing of a final head, whether another request may follow, and how awc gets the head.
fn facts(text: &str, expect: Expect) -> (Framing, Persistence, &'static str) {
    match read(text.as_bytes(), expect).unwrap() {
        Head::Final(head) => {
            let form = if head.form == Form::Plain { "plain" } else { "replaced" };
            (head.framing, head.persistence, form)
        }
        other => panic!("{text:?}: {other:?}"),
    }
}

#[test]
fn each_head_is_recognised() {
    let interim = |length| Head::Interim { length };
    for (bytes, expected) in [
        ("", Head::Partial),
        ("HTTP/1.1 200 OK\r\nContent-Le", Head::Partial),
        ("HTTP/1.1 200 OK\r\nX: a\r\n  b", Head::Partial),
        ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n", interim(25)),
        ("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", interim(37)),
        ("SSH-2.0-OpenSSH_9.6\r\n", Head::Malformed),
        ("HTTP/2.0 200 OK\r\n\r\n", Head::Malformed),
        ("HTTP/1.1 2x0 OK\r\n\r\n", Head::Malformed),
        ("HTTP/1.1 099 OK\r\n\r\n", Head::Malformed),
        ("\x16\x03\x01\x02\x00", Head::Malformed),
        ("HTTP/1.1 200 OK\r\nContent-Length: ten\r\n\r\n", Head::Malformed),
        ("HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\n", Head::Malformed),
        ("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", Head::Malformed),
        ("HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\n", Head::Malformed),
        ("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n", Head::Malformed),
    ] {
        assert_eq!(head(bytes), expected, "{bytes:?}");
    }
}

#[test]
fn the_framing_and_the_persistence_follow_from_the_head() {
    use Persistence::{KeepAlive, Last};
    let chunked = Framing::Chunked(Chunked::default());
    for (bytes, expected) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", (Framing::Length(3), KeepAlive, "plain")),
        ("HTTP/1.1 200 OK\r\ncontent-length : 3\r\n\r\nabc", (Framing::Length(3), KeepAlive, "plain")),
        ("HTTP/1.1 200 OK\r\nContent-Length: 3, 3\r\n\r\nabc", (Framing::Length(3), KeepAlive, "replaced")),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", (chunked, KeepAlive, "plain")),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n",
            (chunked, Last, "plain"),
        ),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\n", (Framing::Close, KeepAlive, "replaced")),
        ("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabc", (Framing::Close, Last, "replaced")),
        ("HTTP/1.1 200 OK\r\n\r\nabc", (Framing::Close, KeepAlive, "replaced")),
        (
            "HTTP/1.1 200 OK\r\nConnection: x, Close\r\nContent-Length: 0\r\n\r\n",
            (Framing::Length(0), Last, "plain"),
        ),
        ("HTTP/1.1 204 No Content\r\n\r\n", (Framing::Length(0), KeepAlive, "plain")),
        (
            "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
            (Framing::Length(0), KeepAlive, "replaced"),
        ),
        ("HTTP/1.1 101 Switching Protocols\r\n\r\n", (Framing::Close, Last, "plain")),
        (
            "HTTP/1.1 200 OK\r\nUpgrade: h2c\r\nContent-Length: 1\r\n\r\n",
            (Framing::Length(1), KeepAlive, "replaced"),
        ),
        (
            "HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 1\r\n\r\n",
            (Framing::Length(1), KeepAlive, "replaced"),
        ),
        ("HTTP/1.0 200 OK\r\n\r\nabc", (Framing::Close, Last, "plain")),
        ("HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nabc", (Framing::Length(3), Last, "plain")),
        (
            "HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 3\r\n\r\nabc",
            (Framing::Length(3), KeepAlive, "plain"),
        ),
        ("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", (chunked, Last, "replaced")),
        (
            "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nTransfer-Encoding: Chunked\r\n\r\n",
            (chunked, Last, "replaced"),
        ),
        ("HTTP/1.0 204 No Content\r\n\r\n", (Framing::Length(0), Last, "replaced")),
    ] {
        assert_eq!(facts(bytes, Expect::Body), expected, "{bytes:?}");
    }
    assert_eq!(
        facts("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", Expect::HeadOnly),
        (Framing::Length(0), KeepAlive, "plain")
    );
}

#[test]
fn an_unknown_transfer_coding_is_an_error_in_every_version() {
    for version in ["1.0", "1.1"] {
        for coding in ["gzip", "gzip, chunked", "chunked\r\nTransfer-Encoding: chunked", ""] {
            let text = format!("HTTP/{version} 200 OK\r\nTransfer-Encoding: {coding}\r\n\r\n");
            assert_eq!(read(text.as_bytes(), Expect::Body), Err(WireFault::Coding), "{text:?}");
        }
    }
}

#[test]
fn a_folded_line_is_read_as_a_space() {
    let text = "HTTP/1.1 200 OK\r\nX-A: one\r\n\t two\r\n   three\r\nX-B: b\r\nContent-Length: 0\r\n\r\n";
    let Head::Final(FinalHead { form: Form::Replaced(fields), .. }) = head(text) else {
        panic!("{:?}", head(text))
    };
    assert_eq!((fields.get("x-a"), fields.get("x-b")), (Some("one two three"), Some("b")));
}

#[test]
fn a_head_has_up_to_a_thousand_fields() {
    let with = |count: usize| {
        let fields: String = (1..count).map(|n| format!("X-{n}: {n}\r\n")).collect();
        format!("HTTP/1.1 200 OK\r\n{fields}Content-Length: 0\r\n\r\n")
    };
    for (count, form) in [(96, "plain"), (97, "replaced"), (1_000, "replaced")] {
        assert_eq!(facts(&with(count), Expect::Body), (Framing::Length(0), Persistence::KeepAlive, form));
    }
    let Head::Final(FinalHead { form: Form::Replaced(fields), .. }) = head(&with(1_000)) else { panic!() };
    assert_eq!((fields.len(), fields.get("x-999")), (1_000, Some("999")));
    assert_eq!(read(with(1_001).as_bytes(), Expect::Body), Err(WireFault::TooManyFields));
}

#[test]
fn a_head_is_the_same_wherever_it_is_cut() {
    for whole in [
        "HTTP/1.1 200 OK\r\nServer: x\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nServer: x\r\n y\r\nContent-Length: 0\r\n\r\n",
    ] {
        for cut in 0..whole.len() {
            assert_eq!(head(&whole[..cut]), Head::Partial, "{cut} bytes");
        }
        assert_eq!(facts(whole, Expect::Body).0, Framing::Length(0));
    }
}

#[test]
fn a_replacement_says_the_same_about_the_body() {
    for text in [
        "HTTP/1.1 200 OK\r\nUpgrade: x\r\nContent-Length: 7\r\n\r\n",
        "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 404 Not Found\r\n\r\n",
        "HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n",
        "HTTP/1.0 204 No Content\r\n\r\n",
    ] {
        let Head::Final(original) = head(text) else { panic!("{text:?}") };
        let text = replacement(&original, Expect::Body);
        let Head::Final(copy) = head(&text) else { panic!("{text:?}") };
        let said = |head: &FinalHead| (head.status, head.framing);
        assert_eq!(said(&copy), said(&original), "{text:?}");
        assert_eq!(copy.form, Form::Plain, "{text:?}");
    }
}
