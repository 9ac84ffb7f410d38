//! The format for machines: one JSON object a line. Every character that could end a line is escaped.

use std::io::{self, Write};

use log::Record;
use log::kv::{Error, Key, Value, VisitSource};
use serde::Serializer;
use serde::ser::SerializeMap;
use serde_json::ser::Formatter;

pub(super) fn write(out: &mut env_logger::fmt::Formatter, record: &Record<'_>) -> io::Result<()> {
    write_to(out, record)
}

fn write_to(mut out: impl Write, record: &Record<'_>) -> io::Result<()> {
    let mut serializer = serde_json::Serializer::with_formatter(&mut out, Escaping);
    let mut object = serializer.serialize_map(None)?;
    object.serialize_entry("timestamp", &super::timestamp().to_string())?;
    object.serialize_entry("level", super::level_name(record.level()))?;
    object.serialize_entry("logger", super::logger(record))?;
    object.serialize_entry("message", &record.args().to_string())?;
    record.key_values().visit(&mut Fields(&mut object)).map_err(io::Error::other)?;
    object.end()?;
    out.write_all(b"\n")
}

/// Compact JSON that also escapes those unsafe characters that JSON allows in a string.
struct Escaping;

impl Formatter for Escaping {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, out: &mut W, fragment: &str) -> io::Result<()> {
        let mut rest = fragment;
        while let Some((at, character)) = rest.char_indices().find(|(_, c)| super::is_unsafe(*c)) {
            // Each of them has a code of at most four hexadecimal digits.
            write!(out, "{}\\u{:04x}", &rest[..at], u32::from(character))?;
            rest = &rest[at + character.len_utf8()..];
        }
        out.write_all(rest.as_bytes())
    }
}

struct Fields<'a, M>(&'a mut M);

impl<'kvs, M: SerializeMap> VisitSource<'kvs> for Fields<'_, M> {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), Error> {
        self.0
            .serialize_entry(key.as_str(), &value)
            .map_err(|_| Error::msg("a field that cannot be written as JSON"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(record: &Record<'_>) -> serde_json::Value {
        let mut out = Vec::new();
        write_to(&mut out, record).unwrap();
        let text = String::from_utf8(out).unwrap();
        let line = text.strip_suffix('\n').unwrap();
        assert!(
            !line.contains(super::super::is_unsafe),
            "one line, and nothing that a terminal obeys: {text:?}"
        );
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn an_event_is_one_object_with_its_fields_at_the_top() {
        let fields: &[(&str, Value<'_>)] =
            &[("status", Value::from(200)), ("key", Value::from("a\nb\u{7f}\u{85}\u{9b}\u{2028}\u{2029}é"))];
        let record = Record::builder()
            .target("server.request")
            .level(log::Level::Warn)
            .args(format_args!("Request \u{1b}[31m\r\n{{\"level\":\"error\"}}"))
            .key_values(&fields)
            .build();
        let event = line(&record);
        assert_eq!(event["level"], "warning");
        assert_eq!(event["logger"], "server.request");
        assert_eq!(event["status"], 200);
        assert_eq!(event["key"], "a\nb\u{7f}\u{85}\u{9b}\u{2028}\u{2029}é");
        let timestamp = event["timestamp"].as_str().unwrap();
        assert!(timestamp.len() == 24 && timestamp.ends_with('Z'), "{timestamp}");
    }
}
