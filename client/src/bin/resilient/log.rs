//! The log of `-v`: what the client does, on standard error, for people.
//!
//! Lines begin with the time since the start, which shows how long the client waited.

use std::{fmt::Write as _, io::Write as _, time::Instant};

use ::log::{
    Level, LevelFilter,
    kv::{Error, Key, Value, VisitSource},
};
use env_logger::Builder;

use crate::out::one_line;

/// Writes the records of this target, from level DEBUG up.
pub(crate) fn start(target: &str) {
    let started = Instant::now();
    let mut builder = Builder::new();
    builder.filter_level(LevelFilter::Off).filter_module(target, LevelFilter::Debug);
    builder.format(move |to, record| {
        let seconds = started.elapsed().as_secs_f64();
        let mut text = format!("{seconds:9.3}s {:5} {}", record.level(), record.args());
        // A field that cannot be formatted is left out.
        let _ = record.key_values().visit(&mut Fields(&mut text));
        writeln!(to, "{}", painted(record.level(), &one_line(&text)))
    });
    // An error means that a logger is set already, which happens only in tests.
    let _ = builder.try_init();
}

/// Colours a line by its level, if standard error is a terminal that shows colours.
fn painted(level: Level, line: &str) -> String {
    let style = console::Style::new().for_stderr();
    let style = match level {
        Level::Error => style.red(),
        Level::Warn => style.yellow(),
        Level::Info => style,
        Level::Debug | Level::Trace => style.dim(),
    };
    style.apply_to(line).to_string()
}

/// Appends the fields of a record, each as ` key=value`.
struct Fields<'a>(&'a mut String);

impl<'kvs> VisitSource<'kvs> for Fields<'_> {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), Error> {
        write!(self.0, " {key}={value}")?;
        Ok(())
    }
}
