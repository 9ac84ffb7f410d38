//! Checks that the settings are in range. Every error names the field, the rule and the value. Pure.

use std::{fmt::Display, time::Duration};

use super::{
    BreakerWindow, BulkheadConfig, CircuitBreakerConfig, ClientConfig, HedgeAfter, HedgeConfig, RetryConfig,
    TimeoutConfig,
};
use crate::{
    error::{Error, FieldError},
    proxy, url,
};

const DAY: Duration = Duration::from_secs(86_400);
/// The most calls that the window of a breaker keeps.
const MOST_CALLS: u32 = 100_000;
const SHORTEST: Duration = Duration::from_millis(1);

/// The range of a setting, both ends included.
type Range<T> = std::ops::RangeInclusive<T>;

impl ClientConfig {
    /// Checks that every setting is in its range. Starting a client does the same.
    ///
    /// # Errors
    ///
    /// [`Config`](crate::ErrorKind::Config) for the first setting that is not; [`Error::field`] says which, as values.
    ///
    /// ```
    /// use resilient_client::ClientConfig;
    ///
    /// let mut config = ClientConfig::new("http://localhost:8000");
    /// config.validate()?;
    /// config.retry.max_attempts = 0;
    /// let error = config.validate().unwrap_err();
    /// assert_eq!(error.field().map(|field| field.field()), Some("retry.max_attempts"));
    /// # Ok::<(), resilient_client::Error>(())
    /// ```
    pub fn validate(&self) -> Result<(), Error> {
        check(self)
    }
}

fn check(config: &ClientConfig) -> Result<(), Error> {
    if !config.base_url.is_empty() {
        url::check_base(&config.base_url).map_err(|why| Error::config("base_url", why))?;
    }
    check_timeout(&config.timeout)?;
    check_deadline(config.deadline)?;
    check_retry(&config.retry)?;
    check_hedge(&config.hedge)?;
    check_breaker(&config.circuit_breaker)?;
    check_bulkhead(&config.bulkhead)?;
    in_range("max_body_bytes", config.max_body_bytes, 1..=1 << 40)?;
    if http::HeaderValue::from_str(&config.user_agent).is_err() || config.user_agent.is_empty() {
        return Err(Error::config(
            "user_agent",
            "must be one or more visible characters, as a header has them",
        ));
    }
    proxy::check(&config.proxy)?;
    config.observers.check()?;
    if config.ca_file.as_ref().is_some_and(|path| path.as_os_str().is_empty()) {
        return Err(Error::config("ca_file", "must not be empty"));
    }
    if config.logging.target.is_empty() {
        return Err(Error::config("logging.target", "must not be empty"));
    }
    Ok(())
}

fn check_bulkhead(bulkhead: &BulkheadConfig) -> Result<(), Error> {
    let BulkheadConfig { max_concurrency, acquisition_timeout, adaptive, min_concurrency } = *bulkhead;
    in_range("bulkhead.max_concurrency", max_concurrency, 1..=100_000)?;
    duration("bulkhead.acquisition_timeout", acquisition_timeout, Duration::ZERO..=DAY)?;
    in_range("bulkhead.min_concurrency", min_concurrency, 1..=100_000)?;
    // Without an adaptive limit, the least number means nothing.
    if adaptive && min_concurrency > max_concurrency {
        let most = "bulkhead.max_concurrency";
        let error = FieldError::at_most("bulkhead.min_concurrency", most, max_concurrency.to_string());
        return Err(error.with_value(min_concurrency).into());
    }
    Ok(())
}

fn check_breaker(breaker: &CircuitBreakerConfig) -> Result<(), Error> {
    in_range("circuit_breaker.failure_threshold", breaker.failure_threshold, 1..=1_000_000)?;
    duration("circuit_breaker.recovery_timeout", breaker.recovery_timeout, SHORTEST..=DAY)?;
    in_range("circuit_breaker.half_open_max_calls", breaker.half_open_max_calls, 1..=1_000)?;
    in_range("circuit_breaker.failure_rate", breaker.failure_rate, 0.0..=1.0)?;
    duration("circuit_breaker.slow_call_duration", breaker.slow_call_duration, SHORTEST..=DAY)?;
    in_range("circuit_breaker.slow_call_rate", breaker.slow_call_rate, 0.0..=1.0)?;
    in_range("circuit_breaker.minimum_calls", breaker.minimum_calls, 1..=MOST_CALLS)?;
    match breaker.window {
        BreakerWindow::Calls(calls) => {
            in_range("circuit_breaker.window", calls, 1..=MOST_CALLS)?;
            // Without a share to look at, the number means nothing.
            let looks = breaker.failure_rate > 0.0 || breaker.slow_call_rate > 0.0;
            if looks && breaker.minimum_calls > calls {
                let most = "circuit_breaker.window";
                let error = FieldError::at_most("circuit_breaker.minimum_calls", most, calls.to_string());
                return Err(error.with_value(breaker.minimum_calls).into());
            }
            Ok(())
        }
        BreakerWindow::Seconds(time) => {
            duration("circuit_breaker.window", time, Duration::from_millis(10)..=DAY)
        }
    }
}

/// Checks the deadline, which a call can override.
pub(crate) fn check_deadline(deadline: Duration) -> Result<(), Error> {
    duration("deadline", deadline, SHORTEST..=DAY * 7)
}

/// Checks the timeouts, which a call can override.
pub(crate) fn check_timeout(timeout: &TimeoutConfig) -> Result<(), Error> {
    duration("timeout.connect", timeout.connect, SHORTEST..=DAY)?;
    duration("timeout.read", timeout.read, SHORTEST..=DAY)?;
    duration("timeout.write", timeout.write, SHORTEST..=DAY)?;
    duration("timeout.pool", timeout.pool, SHORTEST..=DAY)
}

/// Checks the retry settings, which a call can override.
pub(crate) fn check_retry(retry: &RetryConfig) -> Result<(), Error> {
    in_range("retry.max_attempts", retry.max_attempts, 1..=10_000)?;
    duration("retry.min_wait", retry.min_wait, Duration::ZERO..=DAY)?;
    duration("retry.max_wait", retry.max_wait, Duration::ZERO..=DAY)?;
    if retry.min_wait > retry.max_wait {
        let seconds = |duration: Duration| format!("{} s", duration.as_secs_f64());
        let error = FieldError::at_most("retry.min_wait", "retry.max_wait", seconds(retry.max_wait));
        return Err(error.with_value(seconds(retry.min_wait)).into());
    }
    in_range("retry.multiplier", retry.multiplier, 1.0..=1_000.0)?;
    duration("retry.retry_after_max", retry.retry_after_max, Duration::ZERO..=DAY)?;
    in_range("retry.budget.ratio", retry.budget.ratio, 0.0..=100.0)?;
    in_range("retry.budget.per_second", retry.budget.per_second, 0.0..=1_000_000.0)
}

/// Checks the settings of hedging, which a call can override.
pub(crate) fn check_hedge(hedge: &HedgeConfig) -> Result<(), Error> {
    match hedge.after {
        HedgeAfter::Never => {}
        HedgeAfter::Delay(delay) => duration("hedge.after", delay, SHORTEST..=DAY)?,
        HedgeAfter::Quantile(quantile) => {
            if !(0.5..=0.999).contains(&quantile) {
                let error = FieldError::new("hedge.after", "must be p50 to p99.9, as a quantile");
                return Err(error.with_value(hedge.after).into());
            }
        }
    }
    in_range("hedge.max", hedge.max, 1..=10)
}

/// Checks that a number is in its range; NaN never is.
fn in_range<T: PartialOrd + Display + Copy>(
    field: &'static str,
    value: T,
    range: Range<T>,
) -> Result<(), Error> {
    if range.contains(&value) {
        return Ok(());
    }
    let rule = format!("must be {} to {}", range.start(), range.end());
    Err(FieldError::new(field, rule).with_value(value).into())
}

fn duration(field: &'static str, value: Duration, range: Range<Duration>) -> Result<(), Error> {
    if range.contains(&value) {
        return Ok(());
    }
    let (least, most) = (range.start().as_secs_f64(), range.end().as_secs_f64());
    let rule = format!("must be {least} to {most} seconds");
    Err(FieldError::new(field, rule).with_value(value.as_secs_f64()).into())
}
