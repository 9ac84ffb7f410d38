//! Whether a configuration makes sense. Every fault names the field, the value and the range. Pure.

use std::{fmt::Display, time::Duration};

use super::{ClientConfig, RetryConfig, TimeoutConfig};
use crate::{error::Error, url};

const DAY: Duration = Duration::from_secs(86_400);
const SHORTEST: Duration = Duration::from_millis(1);

/// The values that a setting may have, both ends included.
type Range<T> = std::ops::RangeInclusive<T>;

/// The first setting that is out of its range.
pub(crate) fn check(config: &ClientConfig) -> Result<(), Error> {
    if !config.base_url.is_empty() {
        url::check_base(&config.base_url).map_err(|why| Error::config("base_url", &why))?;
    }
    check_timeout(&config.timeout)?;
    check_deadline(config.deadline)?;
    check_retry(&config.retry)?;
    let breaker = &config.circuit_breaker;
    in_range("circuit_breaker.failure_threshold", breaker.failure_threshold, 1..=1_000_000)?;
    duration("circuit_breaker.recovery_timeout", breaker.recovery_timeout, SHORTEST..=DAY)?;
    in_range("circuit_breaker.half_open_max_calls", breaker.half_open_max_calls, 1..=1_000)?;
    in_range("bulkhead.max_concurrency", config.bulkhead.max_concurrency, 1..=100_000)?;
    duration("bulkhead.acquisition_timeout", config.bulkhead.acquisition_timeout, Duration::ZERO..=DAY)?;
    in_range("max_body_bytes", config.max_body_bytes, 1..=1 << 40)?;
    if http::HeaderValue::from_str(&config.user_agent).is_err() || config.user_agent.is_empty() {
        return Err(Error::config(
            "user_agent",
            "must be one or more visible characters, as a header has them",
        ));
    }
    if config.logging.target.is_empty() {
        return Err(Error::config("logging.target", "must not be empty"));
    }
    Ok(())
}

/// The part that a call can override.
pub(crate) fn check_deadline(deadline: Duration) -> Result<(), Error> {
    duration("deadline", deadline, SHORTEST..=DAY * 7)
}

/// The part that a call can override.
pub(crate) fn check_timeout(timeout: &TimeoutConfig) -> Result<(), Error> {
    duration("timeout.connect", timeout.connect, SHORTEST..=DAY)?;
    duration("timeout.read", timeout.read, SHORTEST..=DAY)?;
    duration("timeout.write", timeout.write, SHORTEST..=DAY)?;
    duration("timeout.pool", timeout.pool, SHORTEST..=DAY)
}

/// The part that a call can override.
pub(crate) fn check_retry(retry: &RetryConfig) -> Result<(), Error> {
    in_range("retry.max_attempts", retry.max_attempts, 1..=10_000)?;
    duration("retry.min_wait", retry.min_wait, Duration::ZERO..=DAY)?;
    duration("retry.max_wait", retry.max_wait, Duration::ZERO..=DAY)?;
    if retry.min_wait > retry.max_wait {
        let why = format!(
            "must be at most retry.max_wait ({} s), got {} s",
            retry.max_wait.as_secs_f64(),
            retry.min_wait.as_secs_f64()
        );
        return Err(Error::config("retry.min_wait", &why));
    }
    in_range("retry.multiplier", retry.multiplier, 1.0..=1_000.0)?;
    duration("retry.retry_after_max", retry.retry_after_max, Duration::ZERO..=DAY)?;
    in_range("retry.budget.ratio", retry.budget.ratio, 0.0..=100.0)?;
    in_range("retry.budget.per_second", retry.budget.per_second, 0.0..=1_000_000.0)
}

/// Whether a number is in its range; NaN never is.
fn in_range<T: PartialOrd + Display + Copy>(field: &str, value: T, range: Range<T>) -> Result<(), Error> {
    if range.contains(&value) {
        return Ok(());
    }
    let why = format!("must be {} to {}, got {value}", range.start(), range.end());
    Err(Error::config(field, &why))
}

fn duration(field: &str, value: Duration, range: Range<Duration>) -> Result<(), Error> {
    if range.contains(&value) {
        return Ok(());
    }
    let (least, most, got) = (range.start().as_secs_f64(), range.end().as_secs_f64(), value.as_secs_f64());
    Err(Error::config(field, &format!("must be {least} to {most} seconds, got {got}")))
}
