//! The configuration from the environment: `RESILIENT_` and the path of the field, `RESILIENT_RETRY_MIN_WAIT=0.5`.
//!
//! A variable that is not set, or is empty, leaves the default. Durations are seconds with fractions, flags are `true`
//! and `false`.

mod setting;
mod unknown;

use std::{cell::RefCell, collections::BTreeMap, env, ffi::OsString, path::PathBuf};

use self::setting::Setting;
use super::ClientConfig;
use crate::error::Error;

const PREFIX: &str = "RESILIENT_";
/// The variable that names a file of trusted certificates for many programs; read when `RESILIENT_CA_FILE` is not set.
const SSL_CERT_FILE: &str = "SSL_CERT_FILE";

impl ClientConfig {
    /// Reads the configuration from the environment, starting from the defaults, and checks it.
    ///
    /// The variables are `RESILIENT_BASE_URL`, `RESILIENT_DEADLINE`, `RESILIENT_TIMEOUT_{CONNECT, READ, WRITE,
    /// POOL}`, `RESILIENT_RETRY_{MAX_ATTEMPTS, MIN_WAIT, MAX_WAIT, MULTIPLIER, JITTER, METHODS, RETRY_AFTER_MAX,
    /// BUDGET_RATIO, BUDGET_PER_SECOND}`, `RESILIENT_HEDGE_{AFTER, MAX}`,
    /// `RESILIENT_CIRCUIT_BREAKER_{FAILURE_THRESHOLD, RECOVERY_TIMEOUT, HALF_OPEN_MAX_CALLS, SCOPE, WINDOW,
    /// FAILURE_RATE, SLOW_CALL_DURATION, SLOW_CALL_RATE, MINIMUM_CALLS}`,
    /// `RESILIENT_BULKHEAD_{MAX_CONCURRENCY, ACQUISITION_TIMEOUT, ADAPTIVE, MIN_CONCURRENCY}`,
    /// `RESILIENT_COMPRESSION`, `RESILIENT_COOKIES`,
    /// `RESILIENT_PROXY_{URL, NO_PROXY, FROM_ENV}`, `RESILIENT_FOLLOW_REDIRECTS`, `RESILIENT_VERIFY_SSL`,
    /// `RESILIENT_CA_FILE` (else `SSL_CERT_FILE`), `RESILIENT_USER_AGENT`, `RESILIENT_LOGGING_{LEVEL,
    /// INCLUDE_REQUEST_ID, TARGET}` and `RESILIENT_MAX_BODY_BYTES`.
    ///
    /// # Errors
    ///
    /// [`Config`](crate::ErrorKind::Config) for a value that does not parse or is out of range, and for a variable
    /// that begins with `RESILIENT_` and does not exist; [`Error::field`] names the variable or the field.
    ///
    /// ```
    /// let config = resilient_client::ClientConfig::from_env()?;
    /// assert!(config.retry.max_attempts >= 1);
    /// # Ok::<(), resilient_client::Error>(())
    /// ```
    pub fn from_env() -> Result<Self, Error> {
        // A name that is not UTF-8 is not one of ours.
        let named = env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
        Self::from_variables(
            named.filter(|(name, _)| name.starts_with(PREFIX) || name == SSL_CERT_FILE).collect(),
        )
    }

    /// [`from_env`](Self::from_env) with the variables as a parameter.
    pub(super) fn from_variables(variables: BTreeMap<String, OsString>) -> Result<Self, Error> {
        let mut config = Self::default();
        let from = Variables { all: variables, known: RefCell::default() };
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
        from.read("HEDGE_AFTER", &mut config.hedge.after)?;
        from.read("HEDGE_MAX", &mut config.hedge.max)?;
        from.read("CIRCUIT_BREAKER_FAILURE_THRESHOLD", &mut config.circuit_breaker.failure_threshold)?;
        from.read("CIRCUIT_BREAKER_RECOVERY_TIMEOUT", &mut config.circuit_breaker.recovery_timeout)?;
        from.read("CIRCUIT_BREAKER_HALF_OPEN_MAX_CALLS", &mut config.circuit_breaker.half_open_max_calls)?;
        from.read("CIRCUIT_BREAKER_SCOPE", &mut config.circuit_breaker.scope)?;
        from.read("CIRCUIT_BREAKER_WINDOW", &mut config.circuit_breaker.window)?;
        from.read("CIRCUIT_BREAKER_FAILURE_RATE", &mut config.circuit_breaker.failure_rate)?;
        from.read("CIRCUIT_BREAKER_SLOW_CALL_DURATION", &mut config.circuit_breaker.slow_call_duration)?;
        from.read("CIRCUIT_BREAKER_SLOW_CALL_RATE", &mut config.circuit_breaker.slow_call_rate)?;
        from.read("CIRCUIT_BREAKER_MINIMUM_CALLS", &mut config.circuit_breaker.minimum_calls)?;
        from.read("BULKHEAD_MAX_CONCURRENCY", &mut config.bulkhead.max_concurrency)?;
        from.read("BULKHEAD_ACQUISITION_TIMEOUT", &mut config.bulkhead.acquisition_timeout)?;
        from.read("BULKHEAD_ADAPTIVE", &mut config.bulkhead.adaptive)?;
        from.read("BULKHEAD_MIN_CONCURRENCY", &mut config.bulkhead.min_concurrency)?;
        from.read("COMPRESSION", &mut config.compression)?;
        from.read("COOKIES", &mut config.cookies)?;
        from.read("PROXY_URL", &mut config.proxy.url)?;
        from.read("PROXY_NO_PROXY", &mut config.proxy.no_proxy)?;
        from.read("PROXY_FROM_ENV", &mut config.proxy.from_env)?;
        from.read("FOLLOW_REDIRECTS", &mut config.follow_redirects)?;
        from.read("VERIFY_SSL", &mut config.verify_ssl)?;
        from.read("CA_FILE", &mut config.ca_file)?;
        if config.ca_file.is_none() {
            config.ca_file = from.all.get(SSL_CERT_FILE).filter(|path| !path.is_empty()).map(PathBuf::from);
        }
        from.read("USER_AGENT", &mut config.user_agent)?;
        from.read("LOGGING_LEVEL", &mut config.logging.level)?;
        from.read("LOGGING_INCLUDE_REQUEST_ID", &mut config.logging.include_request_id)?;
        from.read("LOGGING_TARGET", &mut config.logging.target)?;
        from.read("MAX_BODY_BYTES", &mut config.max_body_bytes)?;
        unknown::refuse(&from.all, &from.known.into_inner())?;
        config.validate()?;
        Ok(config)
    }
}

/// The variables that are set, and the names of those that exist.
struct Variables {
    all: BTreeMap<String, OsString>,
    known: RefCell<Vec<String>>,
}

impl Variables {
    /// Sets the field if its variable is set and not empty.
    fn read<T: Setting>(&self, name: &str, field: &mut T) -> Result<(), Error> {
        let name = format!("{PREFIX}{name}");
        let value = self.all.get(&name).filter(|value| !value.is_empty());
        self.known.borrow_mut().push(name.clone());
        let Some(value) = value else { return Ok(()) };
        let text = value.to_str().ok_or_else(|| Error::config(name.clone(), "must be UTF-8"))?;
        *field = T::parse(text.trim()).map_err(|why| Error::config(name, why))?;
        Ok(())
    }
}
