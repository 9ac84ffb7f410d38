//! Entries as an HTTP archive (HAR 1.2), as browsers and other tools read it.
//!
//! What the journal does not keep (the headers and the body of an answer) is empty or -1, as the format says. Fields
//! that begin with an underscore are our own.

use std::time::{Duration, SystemTime};

use actix_web::http::StatusCode;
use serde_json::{Value, json};
use url::form_urlencoded;

use super::entry::Entry;
use super::shown::{ShownEntry, milliseconds};

/// Makes an archive of entries of a session that began at `began_at`.
#[must_use]
pub fn archive(entries: &[Entry], began_at: SystemTime) -> Value {
    let entries: Vec<_> = entries.iter().map(|entry| archived(entry, began_at)).collect();
    json!({"log": {
        "version": "1.2",
        "creator": {"name": env!("CARGO_PKG_NAME"), "version": env!("CARGO_PKG_VERSION")},
        "entries": entries,
    }})
}

fn archived(entry: &Entry, began_at: SystemTime) -> Value {
    let wait = entry.first_byte.unwrap_or(entry.duration).min(entry.duration);
    json!({
        "startedDateTime": humantime::format_rfc3339_millis(began_at + entry.at).to_string(),
        "time": milliseconds(entry.duration),
        "request": request(entry),
        "response": response(entry),
        "cache": {},
        "timings": timings(wait, entry.duration),
        "connection": entry.connection.to_string(),
        "_journal": ShownEntry::from(entry),
    })
}

fn timings(wait: Duration, all: Duration) -> Value {
    json!({"send": 0, "wait": milliseconds(wait), "receive": milliseconds(all - wait)})
}

fn request(entry: &Entry) -> Value {
    let host = entry.header("host").map_or("localhost".into(), String::from_utf8_lossy);
    let query = entry.shown_query();
    let separator = if query.is_empty() { "" } else { "?" };
    let pairs = form_urlencoded::parse(query.as_bytes());
    let parameters: Vec<_> = pairs.map(|(name, value)| json!({"name": name, "value": value})).collect();
    let headers: Vec<_> =
        entry.shown_headers().map(|(name, value)| json!({"name": name, "value": value})).collect();
    json!({
        "method": entry.method(),
        "url": format!("http://{host}{}{separator}{query}", entry.path()),
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": headers,
        "queryString": parameters,
        "headersSize": -1,
        "bodySize": entry.body.map_or(-1, |body| i64::try_from(body.bytes).unwrap_or(i64::MAX)),
    })
}

/// An answer that was not sent has the status 0, as in the archives of browsers.
fn response(entry: &Entry) -> Value {
    let status = entry.status.unwrap_or(0);
    let reason = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    json!({
        "status": status,
        "statusText": reason.unwrap_or(""),
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": [],
        "content": {"size": 0, "mimeType": "x-unknown"},
        "redirectURL": entry.location.as_deref().unwrap_or(""),
        "headersSize": -1,
        "bodySize": -1,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::entry::tests::entry;

    #[test]
    fn an_entry_is_archived_with_the_fields_that_the_format_requires() {
        let headers = [("host", "localhost:8000"), ("authorization", "Bearer abc")];
        let mut entry = entry(["GET", "/msg", "a=%20&token=abc"], &headers);
        entry.seq = 1;
        entry.status = Some(503);
        entry.connection = 4;
        entry.first_byte = Some(Duration::from_millis(2));
        entry.duration = Duration::from_millis(5);
        let archive = archive(&[entry], SystemTime::UNIX_EPOCH);
        assert_eq!(archive["log"]["version"], "1.2");
        let archived = &archive["log"]["entries"][0];
        assert_eq!(archived["startedDateTime"], "1970-01-01T00:00:01.500Z");
        assert_eq!(archived["timings"], json!({"send": 0, "wait": 2.0, "receive": 3.0}));
        assert_eq!((&archived["time"], &archived["connection"]), (&json!(5.0), &json!("4")));
        let request = &archived["request"];
        assert_eq!(request["url"], "http://localhost:8000/msg?a=%20&token=***");
        assert_eq!(
            request["queryString"],
            json!([{"name": "a", "value": " "}, {"name": "token", "value": "***"}])
        );
        assert_eq!(request["headers"][1], json!({"name": "authorization", "value": "***"}));
        assert_eq!(archived["response"]["status"], 503);
        assert_eq!(archived["response"]["statusText"], "Service Unavailable");
        assert!(!archive.to_string().contains("abc"), "no secret is shown");
    }

    #[test]
    fn an_answer_that_was_not_sent_has_no_status() {
        let archive = archive(&[entry(["GET", "/msg", ""], &[])], SystemTime::UNIX_EPOCH);
        let archived = &archive["log"]["entries"][0];
        assert_eq!(
            (&archived["response"]["status"], &archived["request"]["bodySize"]),
            (&json!(0), &json!(-1))
        );
        assert_eq!(archived["request"]["url"], "http://localhost/msg");
    }
}
