//! The plan of a load: how many requests, how many at the same time, and when each is due. Pure.

use std::{fmt::Display, ops::RangeInclusive, str::FromStr, time::Duration};

use resilient_client::Method;

use crate::exit::Failure;

/// How late a timer may fire. Its resolution is a millisecond, and a busy machine adds a little.
const TICK: Duration = Duration::from_millis(2);

/// A load to be made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Plan {
    pub(super) requests: u64,
    pub(super) concurrency: u32,
    /// Requests to start each second; with `None` each starts when another ends.
    pub(super) rate: Option<f64>,
}

impl Plan {
    /// Parses the values of the flags.
    pub(super) fn typed(requests: &str, concurrency: &str, rate: Option<&str>) -> Result<Self, Failure> {
        Ok(Self {
            requests: number("--requests", requests, 1..=1_000_000_000)?,
            concurrency: number("--concurrency", concurrency, 1..=100_000)?,
            rate: rate.map(|rate| number("--rate", rate, 0.001..=1_000_000.0)).transpose()?,
        })
    }

    /// Returns when request `n`, counted from zero, is due after the start; `None` when it is due at once.
    pub(super) fn due(&self, n: u64) -> Option<Duration> {
        #[expect(clippy::cast_precision_loss, reason = "requests are far fewer than 2^52")]
        self.rate.map(|rate| Duration::from_secs_f64(n as f64 / rate))
    }

    /// Returns the largest number of requests in flight.
    pub(super) fn workers(&self) -> u64 {
        u64::from(self.concurrency).min(self.requests)
    }
}

/// Returns the moment from which the latency of a request counts: when it was due, unless only a timer made it late.
pub(super) fn counts_from(due: Duration, started: Duration, waited: Waited) -> Duration {
    match waited {
        Waited::NotDue if started.saturating_sub(due) <= TICK => started,
        _ => due,
    }
}

/// Why a request waited before it started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Waited {
    /// It was not due yet.
    NotDue,
    /// All workers were busy when it was due.
    Busy,
}

/// Parses the value of `--method`.
pub(super) fn method(text: &str) -> Result<Method, Failure> {
    Ok(match text.to_ascii_lowercase().as_str() {
        "get" => Method::Get,
        "post" => Method::Post,
        "put" => Method::Put,
        "patch" => Method::Patch,
        "delete" => Method::Delete,
        "head" => Method::Head,
        _ => {
            let line = format!("--method must be get, post, put, patch, delete or head, got {text:?}");
            return Err(Failure::usage(line));
        }
    })
}

fn number<T: FromStr + PartialOrd + Display>(
    flag: &str,
    text: &str,
    range: RangeInclusive<T>,
) -> Result<T, Failure> {
    text.parse().ok().filter(|number| range.contains(number)).ok_or_else(|| {
        Failure::usage(format!("{flag} must be {} to {}, got {text:?}", range.start(), range.end()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_out_of_range_are_refused_by_name() {
        for (plan, line) in [
            (Plan::typed("0", "1", None), r#"--requests must be 1 to 1000000000, got "0""#),
            (Plan::typed("1e3", "1", None), r#"--requests must be 1 to 1000000000, got "1e3""#),
            (Plan::typed("1", "-1", None), r#"--concurrency must be 1 to 100000, got "-1""#),
            (Plan::typed("1", "100001", None), r#"--concurrency must be 1 to 100000, got "100001""#),
            (Plan::typed("1", "1", Some("0")), r#"--rate must be 0.001 to 1000000, got "0""#),
            (Plan::typed("1", "1", Some("NaN")), r#"--rate must be 0.001 to 1000000, got "NaN""#),
            (Plan::typed("1", "1", Some("inf")), r#"--rate must be 0.001 to 1000000, got "inf""#),
        ] {
            assert_eq!(plan.unwrap_err().line, line);
        }
        assert!(method("trace").is_err() && method("PUT").is_ok());
    }

    #[test]
    fn with_a_rate_requests_are_due_evenly_spaced_and_without_one_at_once() {
        let plan = Plan { requests: 10, concurrency: 4, rate: Some(4.0) };
        assert_eq!(plan.due(0), Some(Duration::ZERO));
        assert_eq!(plan.due(9), Some(Duration::from_millis(2_250)));
        assert_eq!(Plan { rate: None, ..plan }.due(9), None);
        assert_eq!(Plan { requests: 2, ..plan }.workers(), 2);
        assert_eq!(plan.workers(), 4);
        // The slowest rate and the most requests still make a duration.
        assert!(Plan { rate: Some(0.001), ..plan }.due(1_000_000_000).is_some());
    }

    #[test]
    fn latency_counts_from_when_a_request_was_due_unless_a_timer_alone_made_it_late() {
        let ms = Duration::from_millis;
        assert_eq!(counts_from(ms(10), ms(11), Waited::NotDue), ms(11));
        assert_eq!(counts_from(ms(10), ms(50), Waited::NotDue), ms(10), "the client itself was stalled");
        assert_eq!(counts_from(ms(10), ms(11), Waited::Busy), ms(10));
    }
}
