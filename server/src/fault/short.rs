//! The short form of a step: `503`, `delay:200`, `reset:40`, `lose:close`.

use std::ops::RangeInclusive;
use std::time::Duration;

use derive_more::{Display, Error};
use resilience_actors::fault::{Delay, Step};

use super::kind::{Fault, Framing, Loss, Pace};

/// The status of an injected answer.
pub const STATUS: RangeInclusive<u64> = 200..=599;
/// A delay in milliseconds.
pub const DELAY_MS: RangeInclusive<u64> = 0..=30_000;
/// A hang in milliseconds.
pub const HANG_MS: RangeInclusive<u64> = 0..=300_000;
/// A number of bytes.
pub const BYTES: RangeInclusive<u64> = 0..=crate::json::reader::MAX_INTEGER;
/// A speed in bytes a second.
pub const SPEED: RangeInclusive<u64> = 1..=1_000_000_000;

/// Why a text is not the short form of a step.
#[derive(Clone, Debug, PartialEq, Eq, Display, Error)]
pub enum Unreadable {
    /// No fault has this name.
    #[display(
        "there is no fault {_0:?}; faults are ok, a status from 200 to 599, delay:MS, hang, reset, close, truncate, \
         malformed_chunk, garbage, extra, early, http10, drip, interim, stale and lose"
    )]
    Unknown(#[error(not(source))] String),
    /// The fault takes no parameter, or not this one.
    #[display("{name} takes {takes}, got {found:?}")]
    Parameter {
        /// The fault.
        name: &'static str,
        /// What it takes.
        takes: String,
        /// What it was given.
        found: String,
    },
}

/// Reads the short form of a step.
///
/// # Errors
/// [`Unreadable`] says what is wrong with it.
pub fn read(text: &str) -> Result<Step<Fault>, Unreadable> {
    let (name, parameter) = match text.split_once(':') {
        Some((name, parameter)) => (name, Some(parameter)),
        None => (text, None),
    };
    let fault = match (name, parameter) {
        ("ok", None) => return Ok(Step { delay: None, fault: None }),
        ("delay", _) => {
            let millis = number("delay", parameter.unwrap_or_default(), &DELAY_MS)?;
            #[expect(clippy::cast_precision_loss, reason = "30,000 is exact in an f64")]
            return Ok(Step { delay: Some(Delay::Fixed(millis as f64)), fault: None });
        }
        ("hang", Some(millis)) => {
            Fault::Hang { lasts: Some(Duration::from_millis(number("hang", millis, &HANG_MS)?)) }
        }
        ("reset", Some(bytes)) => Fault::Reset { after_bytes: Some(number("reset", bytes, &BYTES)?) },
        ("truncate", Some(bytes)) => Fault::Truncate {
            after_bytes: Some(number("truncate", bytes, &BYTES)?),
            framing: Framing::Length,
        },
        ("early", Some(status)) => Fault::Early { status: narrow(number("early", status, &STATUS)?) },
        ("drip", Some(speed)) => Fault::Drip(Pace::BytesPerSecond(narrow(number("drip", speed, &SPEED)?))),
        ("stale", Some(status)) => Fault::Stale { status: Some(narrow(number("stale", status, &STATUS)?)) },
        ("lose", Some(how)) => Fault::Lose(loss(how)?),
        (name, None) => named(name).ok_or_else(|| Unreadable::Unknown(text.to_owned()))?,
        (name, Some(parameter)) => return Err(with_parameter(name, parameter, text)),
    };
    Ok(Step { delay: None, fault: Some(fault) })
}

/// A fault with its default parameters, by its name; a status is the name of its answer.
pub(super) fn named(name: &str) -> Option<Fault> {
    Some(match name {
        "hang" => Fault::HANG,
        "reset" => Fault::RESET,
        "close" => Fault::Close,
        "truncate" => Fault::TRUNCATE,
        "malformed_chunk" => Fault::MalformedChunk,
        "garbage" => Fault::Garbage,
        "extra" => Fault::EXTRA,
        "early" => Fault::EARLY,
        "http10" => Fault::Http10,
        "drip" => Fault::DRIP,
        "interim" => Fault::INTERIM,
        "stale" => Fault::STALE,
        "lose" => Fault::Lose(Loss::Reset),
        status => Fault::status(narrow(digits(status).filter(|status| STATUS.contains(status))?)),
    })
}

fn loss(how: &str) -> Result<Loss, Unreadable> {
    let found = Loss::ALL.iter().find(|(name, _)| *name == how);
    found.map(|(_, loss)| *loss).ok_or_else(|| Unreadable::Parameter {
        name: "lose",
        takes: "reset, close, truncate or hang".to_owned(),
        found: how.to_owned(),
    })
}

fn with_parameter(name: &str, parameter: &str, text: &str) -> Unreadable {
    let known = ["ok", "close", "malformed_chunk", "garbage", "extra", "http10", "interim"];
    match known.iter().find(|known| **known == name) {
        Some(name) => Unreadable::Parameter {
            name,
            takes: "no parameter in its short form".to_owned(),
            found: parameter.to_owned(),
        },
        None => Unreadable::Unknown(text.to_owned()),
    }
}

fn number(name: &'static str, text: &str, range: &RangeInclusive<u64>) -> Result<u64, Unreadable> {
    digits(text).filter(|number| range.contains(number)).ok_or_else(|| Unreadable::Parameter {
        name,
        takes: format!("a whole number from {} to {}", range.start(), range.end()),
        found: text.to_owned(),
    })
}

fn digits(text: &str) -> Option<u64> {
    let all_digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    all_digits.then(|| text.parse().ok())?
}

/// A number whose range has been checked.
pub(super) fn narrow<T: TryFrom<u64> + Default>(number: u64) -> T {
    T::try_from(number).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_form_is_read_and_written_as_it_was() {
        let texts = [
            "200",
            "503",
            "599",
            "hang",
            "hang:500",
            "hang:0",
            "reset",
            "reset:40",
            "close",
            "truncate",
            "truncate:5",
            "malformed_chunk",
            "garbage",
            "extra",
            "early",
            "early:401",
            "http10",
            "drip",
            "drip:1",
            "interim",
            "stale",
            "stale:503",
            "lose",
            "lose:close",
            "lose:truncate",
            "lose:hang",
        ];
        for text in texts {
            let step = read(text).unwrap();
            assert_eq!((step.delay, step.fault.unwrap().to_string()), (None, text.to_owned()));
        }
        assert_eq!(read("ok").unwrap(), Step { delay: None, fault: None });
        assert_eq!(read("delay:200").unwrap(), Step { delay: Some(Delay::Fixed(200.0)), fault: None });
        for (long, short) in [("early:413", "early"), ("drip:64", "drip"), ("lose:reset", "lose")] {
            assert_eq!(read(long).unwrap().fault.unwrap().to_string(), short);
        }
    }

    #[test]
    fn the_short_form_of_each_kind_is_its_name() {
        for kind in Fault::KINDS.into_iter().filter(|kind| *kind != "status") {
            let fault = named(kind).unwrap();
            assert_eq!((fault.kind(), fault.to_string()), (kind, kind.to_owned()));
        }
        assert_eq!(named("503").unwrap().kind(), Fault::KINDS[0]);
    }

    #[test]
    fn what_is_no_short_form_is_refused_with_a_reason() {
        let table = [
            ("", "there is no fault \"\""),
            ("199", "there is no fault \"199\""),
            ("600", "a status from 200 to 599"),
            ("+503", "there is no fault"),
            ("Reset", "there is no fault"),
            ("delay", "delay takes a whole number from 0 to 30000, got \"\""),
            ("delay:30001", "delay takes a whole number from 0 to 30000, got \"30001\""),
            ("delay:-1", "got \"-1\""),
            ("hang:300001", "hang takes a whole number from 0 to 300000"),
            ("reset:99999999999999999999", "reset takes a whole number"),
            ("ok:1", "ok takes no parameter in its short form, got \"1\""),
            ("close:", "close takes no parameter"),
            ("503:1", "there is no fault \"503:1\""),
            ("drip:0", "drip takes a whole number from 1 to"),
            ("stale:1", "stale takes a whole number from 200 to 599"),
            ("early:199", "early takes a whole number from 200 to 599"),
            ("lose:drip", "lose takes reset, close, truncate or hang, got \"drip\""),
        ];
        for (text, expected) in table {
            let why = read(text).unwrap_err().to_string();
            assert!(why.contains(expected), "{text:?}: {why}");
        }
    }
}
