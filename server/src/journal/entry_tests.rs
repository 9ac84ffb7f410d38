use super::*;
use crate::journal::text::MAX_HEADERS;

/// An entry of this request.
pub(in crate::journal) fn entry(parts: [&str; 3], headers: &[(&str, &str)]) -> Entry {
    let headers = headers.iter().map(|(name, value)| (*name, value.as_bytes()));
    Entry::begun(7, Duration::from_millis(1500), &mut Vec::new(), parts, headers)
}

#[test]
fn an_entry_gives_back_what_it_was_made_of() {
    let entry = entry(["POST", "/echo/a%20b", "x=1&x=2"], &[("host", "a"), ("x-a", "b: c"), ("x-empty", "")]);
    assert_eq!((entry.method(), entry.path(), entry.query()), ("POST", "/echo/a%20b", "x=1&x=2"));
    let headers: Vec<_> = entry.headers().collect();
    assert_eq!(headers, [("host", &b"a"[..]), ("x-a", b"b: c"), ("x-empty", b"")]);
    assert_eq!((entry.header("x-a"), entry.header("x-b")), (Some(&b"b: c"[..]), None));
}

#[test]
fn what_is_missing_is_empty() {
    let entry = entry(["GET", "/", ""], &[]);
    assert_eq!((entry.query(), entry.headers().count(), entry.header_names().count()), ("", 0, 0));
}

#[test]
fn of_many_headers_the_first_are_kept_and_the_names_of_all() {
    let long = "v".repeat(1000);
    let names: Vec<String> = (0..9).map(|n| format!("x-{n}")).collect();
    let headers: Vec<_> = names.iter().map(|name| (name.as_str(), long.as_str())).collect();
    let entry = entry(["GET", "/msg", ""], &headers);
    assert_eq!(entry.headers().count(), 4);
    assert_eq!(entry.header_names().collect::<Vec<_>>(), names);
    assert!(entry.bytes() < size_of::<Entry>() + MAX_HEADERS + 100);
}

#[test]
fn secrets_are_shown_masked_and_can_be_compared() {
    let entry =
        entry(["GET", "/msg", "token=abc&a=1"], &[("authorization", "Bearer abc"), ("accept", "*/*")]);
    let shown: Vec<_> = entry.shown_headers().map(|(name, value)| (name, value.into_owned())).collect();
    assert_eq!(shown, [("authorization", "***".to_owned()), ("accept", "*/*".to_owned())]);
    assert_eq!(entry.shown_query(), "token=***&a=1");
    assert_eq!(entry.header("authorization"), Some(&b"Bearer abc"[..]));
}

#[test]
fn a_request_in_flight_has_the_key_that_its_headers_name() {
    type Row<'a> = (&'a [(&'a str, &'a str)], Option<&'a str>);
    let table: [Row<'_>; 7] = [
        (&[], None),
        (&[("x-request-id", "a")], Some("a")),
        (&[("x-request-id", "")], None),
        (&[("x-request-id", "\"a\"")], Some("\"a\"")),
        (&[("x-request-id", "a"), ("idempotency-key", "b")], Some("b")),
        (&[("idempotency-key", "\"b\"")], Some("b")),
        (&[("idempotency-key", "\"\""), ("x-request-id", "a")], Some("a")),
    ];
    for (headers, expected) in table {
        let known = entry(["GET", "/msg", ""], headers).begun();
        assert_eq!(Entry::in_flight(7, known).key.as_deref(), expected, "{headers:?}");
    }
}
