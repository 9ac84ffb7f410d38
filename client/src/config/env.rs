//! The configuration from the environment: `RESILIENT_` and the field's path, `RESILIENT_RETRY_MIN_WAIT=0.5`.
//!
//! What is not set keeps its default. Durations are seconds with fractions, truths are `true` and `false`.

use std::{env, path::PathBuf, str::FromStr, time::Duration};

use super::{ClientConfig, LogLevel, RetryMethods, seconds};
use crate::error::Error;

const PREFIX: &str = "RESILIENT_";

impl ClientConfig {
    /// The defaults with what the environment says, checked.
    ///
    /// The variables are `RESILIENT_BASE_URL`, `RESILIENT_DEADLINE`, `RESILIENT_TIMEOUT_{CONNECT, READ, WRITE,
    /// POOL}`, `RESILIENT_RETRY_{MAX_ATTEMPTS, MIN_WAIT, MAX_WAIT, MULTIPLIER, JITTER, METHODS, RETRY_AFTER_MAX,
    /// BUDGET_RATIO, BUDGET_PER_SECOND}`, `RESILIENT_CIRCUIT_BREAKER_{FAILURE_THRESHOLD, RECOVERY_TIMEOUT,
    /// HALF_OPEN_MAX_CALLS}`, `RESILIENT_BULKHEAD_{MAX_CONCURRENCY, ACQUISITION_TIMEOUT}`,
    /// `RESILIENT_FOLLOW_REDIRECTS`, `RESILIENT_VERIFY_SSL`, `RESILIENT_CA_FILE` (else `SSL_CERT_FILE`), `RESILIENT_USER_AGENT`, `RESILIENT_LOGGING_{LEVEL,
    /// INCLUDE_REQUEST_ID, TARGET}` and `RESILIENT_MAX_BODY_BYTES`.
    ///
    /// # Errors
    ///
    /// [`Config`](crate::ErrorKind::Config) for a value that does not parse or is out of range, with the name of
    /// its variable or field.
    ///
    /// ```
    /// let config = resilient_client::ClientConfig::from_env()?;
    /// assert!(config.retry.max_attempts >= 1);
    /// # Ok::<(), resilient_client::Error>(())
    /// ```
    pub fn from_env() -> Result<Self, Error> {
        Self::from_lookup(|name| match env::var(name) {
            Ok(value) => Ok(Some(value)),
            Err(env::VarError::NotPresent) => Ok(None),
            Err(env::VarError::NotUnicode(_)) => Err(Error::config(name.to_owned(), "must be UTF-8")),
        })
    }

    /// [`from_env`](Self::from_env) with the look-up as a parameter.
    pub(super) fn from_lookup(lookup: impl Fn(&str) -> Result<Option<String>, Error>) -> Result<Self, Error> {
        let mut config = Self::default();
        let from = Source(lookup);
        from.read("BASE_URL", &mut config.base_url)?;
        from.read("DEADLINE", &mut config.deadline)?;
        from.read("TIMEOUT_CONNECT", &mut config.timeout.connect)?;
        from.read("TIMEOUT_READ", &mut config.timeout.read)?;
        from.read("TIMEOUT_WRITE", &mut config.timeout.write)?;
        from.read("TIMEOUT_POOL", &mut config.timeout.pool)?;
        from.read("RETRY_MAX_ATTEMPTS", &mut config.retry.max_attempts)?;
        from.read("RETRY_MIN_WAIT", &mut config.retry.min_wait)?;
        from.read("RETRY_MAX_WAIT", &mut config.retry.max_wait)?;
        from.read("RETRY_MULTIPLIER", &mut config.retry.multiplier)?;
        from.read("RETRY_JITTER", &mut config.retry.jitter)?;
        from.read("RETRY_METHODS", &mut config.retry.methods)?;
        from.read("RETRY_RETRY_AFTER_MAX", &mut config.retry.retry_after_max)?;
        from.read("RETRY_BUDGET_RATIO", &mut config.retry.budget.ratio)?;
        from.read("RETRY_BUDGET_PER_SECOND", &mut config.retry.budget.per_second)?;
        from.read("CIRCUIT_BREAKER_FAILURE_THRESHOLD", &mut config.circuit_breaker.failure_threshold)?;
        from.read("CIRCUIT_BREAKER_RECOVERY_TIMEOUT", &mut config.circuit_breaker.recovery_timeout)?;
        from.read("CIRCUIT_BREAKER_HALF_OPEN_MAX_CALLS", &mut config.circuit_breaker.half_open_max_calls)?;
        from.read("BULKHEAD_MAX_CONCURRENCY", &mut config.bulkhead.max_concurrency)?;
        from.read("BULKHEAD_ACQUISITION_TIMEOUT", &mut config.bulkhead.acquisition_timeout)?;
        from.read("FOLLOW_REDIRECTS", &mut config.follow_redirects)?;
        from.read("VERIFY_SSL", &mut config.verify_ssl)?;
        from.read("CA_FILE", &mut config.ca_file)?;
        if config.ca_file.is_none() {
            config.ca_file = (from.0)("SSL_CERT_FILE")?.map(PathBuf::from);
        }
        from.read("USER_AGENT", &mut config.user_agent)?;
        from.read("LOGGING_LEVEL", &mut config.logging.level)?;
        from.read("LOGGING_INCLUDE_REQUEST_ID", &mut config.logging.include_request_id)?;
        from.read("LOGGING_TARGET", &mut config.logging.target)?;
        from.read("MAX_BODY_BYTES", &mut config.max_body_bytes)?;
        config.validate()?;
        Ok(config)
    }
}

struct Source<L>(L);

impl<L: Fn(&str) -> Result<Option<String>, Error>> Source<L> {
    /// Sets the field if its variable is set.
    fn read<T: Setting>(&self, name: &str, field: &mut T) -> Result<(), Error> {
        let name = format!("{PREFIX}{name}");
        if let Some(text) = (self.0)(&name)? {
            *field = T::parse(text.trim()).map_err(|why| Error::config(name, why))?;
        }
        Ok(())
    }
}

/// What can be read from a variable.
trait Setting: Sized {
    fn parse(text: &str) -> Result<Self, String>;
}

impl Setting for String {
    fn parse(text: &str) -> Result<Self, String> {
        Ok(text.to_owned())
    }
}

impl Setting for Option<PathBuf> {
    fn parse(text: &str) -> Result<Self, String> {
        Ok(Some(PathBuf::from(text)))
    }
}

impl Setting for Duration {
    fn parse(text: &str) -> Result<Self, String> {
        let number: f64 = text.parse().map_err(|_| format!("must be a number of seconds, got {text:?}"))?;
        seconds::parse(number)
    }
}

impl Setting for bool {
    fn parse(text: &str) -> Result<Self, String> {
        match text.to_ascii_lowercase().as_str() {
            "true" | "1" => Ok(true),
            "false" | "0" => Ok(false),
            _ => Err(format!("must be true or false, got {text:?}")),
        }
    }
}

impl Setting for u32 {
    fn parse(text: &str) -> Result<Self, String> {
        whole(text)
    }
}

impl Setting for u64 {
    fn parse(text: &str) -> Result<Self, String> {
        whole(text)
    }
}

impl Setting for f64 {
    fn parse(text: &str) -> Result<Self, String> {
        text.parse().map_err(|_| format!("must be a number, got {text:?}"))
    }
}

impl Setting for RetryMethods {
    fn parse(text: &str) -> Result<Self, String> {
        text.parse()
    }
}

impl Setting for LogLevel {
    fn parse(text: &str) -> Result<Self, String> {
        text.parse()
    }
}

fn whole<T: FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("must be a whole number in its range, got {text:?}"))
}
