//! One JSON object a line. `serde_json` escapes every control character, so no input can end a line.

use std::io::{self, Write};

use log::Record;
use log::kv::{Error, Key, Value, VisitSource};
use serde::Serializer;
use serde::ser::SerializeMap;

pub(super) fn write(out: &mut env_logger::fmt::Formatter, record: &Record<'_>) -> io::Result<()> {
    write_to(out, record)
}

fn write_to(mut out: impl Write, record: &Record<'_>) -> io::Result<()> {
    let mut serializer = serde_json::Serializer::new(&mut out);
    let mut object = serializer.serialize_map(None)?;
    object.serialize_entry("timestamp", &super::timestamp().to_string())?;
    object.serialize_entry("level", super::level_name(record.level()))?;
    object.serialize_entry("logger", super::logger(record))?;
    object.serialize_entry("message", &record.args().to_string())?;
    record.key_values().visit(&mut Fields(&mut object)).map_err(io::Error::other)?;
    object.end()?;
    out.write_all(b"\n")
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
        assert_eq!(text.find('\n'), Some(text.len() - 1), "one line, and it ends: {text:?}");
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn an_event_is_one_object_with_its_fields_at_the_top() {
        let fields: &[(&str, Value<'_>)] = &[("status", Value::from(200)), ("key", Value::from("a\nb"))];
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
        assert_eq!(event["key"], "a\nb");
        let timestamp = event["timestamp"].as_str().unwrap();
        assert!(timestamp.len() == 24 && timestamp.ends_with('Z'), "{timestamp}");
    }
}
