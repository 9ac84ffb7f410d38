//! The format for people: the same events as text. Control characters are escaped.

use std::fmt::{self, Write as _};
use std::io::{self, Write};

use log::kv::{Error, Key, Value, VisitSource};
use log::{Level, Record};
use serde_json::Value as Json;

pub(super) fn write_plain(out: &mut env_logger::fmt::Formatter, record: &Record<'_>) -> io::Result<()> {
    out.write_all(line(record, &PLAIN).as_bytes())
}

pub(super) fn write_in_colour(out: &mut env_logger::fmt::Formatter, record: &Record<'_>) -> io::Result<()> {
    out.write_all(line(record, &COLOUR).as_bytes())
}

/// Escape sequences around the parts of a line.
struct Style {
    dim: &'static str,
    reset: &'static str,
    level: fn(Level) -> &'static str,
}

const PLAIN: Style = Style { dim: "", reset: "", level: |_| "" };

const COLOUR: Style = Style {
    dim: "\x1b[2m",
    reset: "\x1b[0m",
    level: |level| match level {
        Level::Error => "\x1b[31m",
        Level::Warn => "\x1b[33m",
        Level::Info => "\x1b[32m",
        Level::Debug | Level::Trace => "\x1b[36m",
    },
};

fn line(record: &Record<'_>, style: &Style) -> String {
    let Style { dim, reset, level } = style;
    let mut line = format!(
        "{dim}{}{reset} {}{:<7}{reset} {dim}{:<18}{reset} {}",
        super::timestamp(),
        level(record.level()),
        super::level_name(record.level()),
        super::logger(record),
        Visible(&record.args().to_string()),
    );
    // Writing to a string cannot fail.
    let _ = record.key_values().visit(&mut Fields(&mut line, style));
    line.push('\n');
    line
}

struct Fields<'a>(&'a mut String, &'a Style);

impl<'kvs> VisitSource<'kvs> for Fields<'_> {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), Error> {
        let Style { dim, reset, .. } = self.1;
        write!(self.0, " {dim}{key}={reset}")?;
        match serde_json::to_value(&value) {
            Ok(Json::String(text)) if text.is_empty() || text.contains([' ', '"', '=']) => {
                write!(self.0, "{text:?}")?;
            }
            Ok(Json::String(text)) => write!(self.0, "{}", Visible(&text))?,
            Ok(other) => write!(self.0, "{}", Visible(&other.to_string()))?,
            Err(_) => write!(self.0, "{}", Visible(&value.to_string()))?,
        }
        Ok(())
    }
}

/// Text with its control characters written out, so that it stays on its line and cannot colour it.
struct Visible<'a>(&'a str);

impl fmt::Display for Visible<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            if super::is_unsafe(character) {
                write!(out, "{}", character.escape_default())?;
            } else {
                out.write_char(character)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(style: &Style, fields: &[(&str, Value<'_>)]) -> String {
        line(
            &Record::builder()
                .target("server.request")
                .level(Level::Info)
                .args(format_args!("a\nb"))
                .key_values(&fields)
                .build(),
            style,
        )
    }

    #[test]
    fn no_input_breaks_or_colours_a_line() {
        let hostile = "x\r\n2024 error \u{1b}[31m\u{2028}";
        let line = written(&PLAIN, &[("path", Value::from(hostile)), ("status", Value::from(200))]);
        assert_eq!(line.find('\n'), Some(line.len() - 1), "{line:?}");
        assert!(!line.contains(['\r', '\u{1b}', '\u{2028}']), "{line:?}");
        assert!(line.ends_with(" status=200\n"), "{line:?}");
    }

    #[test]
    fn colour_is_only_there_when_asked_for() {
        assert!(!written(&PLAIN, &[]).contains('\u{1b}'));
        assert!(written(&COLOUR, &[]).contains("\u{1b}[32minfo"));
    }
}
