//! Defaults, ranges, serde and the environment.

use std::collections::HashMap;

use super::*;
use crate::error::{Error, ErrorKind};

fn valid() -> ClientConfig {
    ClientConfig::new("http://localhost:8000")
}

#[test]
fn the_defaults_are_the_documented_ones_and_valid() {
    let config = valid();
    config.validate().unwrap();
    let seconds = Duration::from_secs;
    assert_eq!(config.timeout.connect, seconds(5));
    assert_eq!(
        (config.timeout.read, config.timeout.write, config.timeout.pool),
        (seconds(15), seconds(15), seconds(5))
    );
    assert_eq!(config.deadline, seconds(60));
    assert_eq!(
        (config.retry.max_attempts, config.retry.min_wait, config.retry.max_wait),
        (3, seconds(1), seconds(60))
    );
    assert_eq!((config.retry.methods, config.retry.jitter), (RetryMethods::All, true));
    assert_eq!(config.circuit_breaker.failure_threshold, 5);
    assert_eq!(config.circuit_breaker.recovery_timeout, seconds(30));
    assert_eq!(config.circuit_breaker.half_open_max_calls, 1);
    assert_eq!((config.bulkhead.max_concurrency, config.bulkhead.acquisition_timeout), (50, seconds(30)));
    assert_eq!(config.user_agent, "resilient-client/0.1.0");
    assert_eq!(config.logging.target, "resilient_client");
    assert_eq!(config.max_body_bytes, 8 * 1024 * 1024);
}

#[test]
fn each_value_out_of_range_is_refused_by_the_name_of_its_field() {
    type Spoil = fn(&mut ClientConfig);
    let zero = Duration::ZERO;
    assert_eq!(zero, Duration::default());
    let table: [(&str, Spoil); 27] = [
        ("base_url", |c| c.base_url = "localhost:8000".into()),
        ("base_url", |c| c.base_url = "ftp://host".into()),
        ("base_url", |c| c.base_url = "http://".into()),
        ("base_url", |c| c.base_url = "http://host:99999".into()),
        ("base_url", |c| c.base_url = "http://host/?x=1".into()),
        ("base_url", |c| c.base_url = "http://me:secret@host/".into()),
        ("timeout.connect", |c| c.timeout.connect = Duration::ZERO),
        ("timeout.read", |c| c.timeout.read = Duration::ZERO),
        ("timeout.write", |c| c.timeout.write = Duration::ZERO),
        ("timeout.pool", |c| c.timeout.pool = Duration::MAX),
        ("deadline", |c| c.deadline = Duration::ZERO),
        ("retry.max_attempts", |c| c.retry.max_attempts = 0),
        ("retry.min_wait", |c| c.retry.min_wait = Duration::from_secs(61)),
        ("retry.max_wait", |c| c.retry.max_wait = Duration::MAX),
        ("retry.multiplier", |c| c.retry.multiplier = f64::NAN),
        ("retry.multiplier", |c| c.retry.multiplier = f64::INFINITY),
        ("retry.multiplier", |c| c.retry.multiplier = 0.0),
        ("retry.retry_after_max", |c| c.retry.retry_after_max = Duration::MAX),
        ("retry.budget.ratio", |c| c.retry.budget.ratio = f64::NAN),
        ("retry.budget.per_second", |c| c.retry.budget.per_second = -1.0),
        ("circuit_breaker.failure_threshold", |c| c.circuit_breaker.failure_threshold = 0),
        ("circuit_breaker.recovery_timeout", |c| c.circuit_breaker.recovery_timeout = Duration::ZERO),
        ("circuit_breaker.half_open_max_calls", |c| c.circuit_breaker.half_open_max_calls = 0),
        ("bulkhead.max_concurrency", |c| c.bulkhead.max_concurrency = 0),
        ("user_agent", |c| c.user_agent = "two\r\nlines".into()),
        ("logging.target", |c| c.logging.target.clear()),
        ("max_body_bytes", |c| c.max_body_bytes = 0),
    ];
    for (field, spoil) in table {
        let mut config = valid();
        spoil(&mut config);
        let error = config.validate().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{field}");
        assert!(error.message().starts_with(&format!("{field}: ")), "{field}: {}", error.message());
        assert!(!error.message().contains("secret"), "{}", error.message());
    }
}

#[test]
fn serde_reads_seconds_with_fractions_and_refuses_what_it_does_not_know() {
    let config: ClientConfig = serde_json::from_str(
        r#"{"base_url":"http://h","retry":{"min_wait":0.25,"methods":"idempotent_only"},"logging":{"level":"debug"}}"#,
    )
    .unwrap();
    assert_eq!(config.retry.min_wait, Duration::from_millis(250));
    assert_eq!(config.retry.methods, RetryMethods::IdempotentOnly);
    assert_eq!(config.logging.level, LogLevel::Debug);
    assert_eq!(config.retry.max_attempts, 3);

    for bad in [r#"{"bas_url":"http://h"}"#, r#"{"retry":{"min_wait":-1}}"#, r#"{"retry":{"mn_wait":1}}"#] {
        serde_json::from_str::<ClientConfig>(bad).unwrap_err();
    }
}

#[test]
fn a_configuration_survives_the_way_through_json() {
    let config = valid();
    let json = serde_json::to_string(&config).unwrap();
    assert_eq!(serde_json::from_str::<ClientConfig>(&json).unwrap(), config);
}

fn from(pairs: &[(&str, &str)]) -> Result<ClientConfig, Error> {
    let map: HashMap<String, String> =
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    ClientConfig::from_lookup(|name| Ok(map.get(name).cloned()))
}

#[test]
fn the_environment_sets_what_it_names_and_leaves_the_rest() {
    let config = from(&[
        ("RESILIENT_BASE_URL", "http://host:1/api"),
        ("RESILIENT_RETRY_MIN_WAIT", "0.5"),
        ("RESILIENT_RETRY_JITTER", "false"),
        ("RESILIENT_RETRY_METHODS", "idempotent"),
        ("RESILIENT_BULKHEAD_MAX_CONCURRENCY", "7"),
        ("RESILIENT_LOGGING_LEVEL", "warning"),
        ("RESILIENT_SERVICE_HOST", "10.0.0.1"),
    ])
    .unwrap();
    assert_eq!(config.base_url, "http://host:1/api");
    assert_eq!(config.retry.min_wait, Duration::from_millis(500));
    assert!(!config.retry.jitter);
    assert_eq!(config.bulkhead.max_concurrency, 7);
    assert_eq!(config.logging.level, LogLevel::Warning);
    assert_eq!(config.retry.max_attempts, 3);
}

#[test]
fn a_bad_variable_is_refused_by_its_name() {
    for (name, value) in [
        ("RESILIENT_DEADLINE", "soon"),
        ("RESILIENT_DEADLINE", "-1"),
        ("RESILIENT_DEADLINE", "NaN"),
        ("RESILIENT_RETRY_MAX_ATTEMPTS", "3.5"),
        ("RESILIENT_RETRY_JITTER", "maybe"),
        ("RESILIENT_RETRY_METHODS", "some"),
        ("RESILIENT_LOGGING_LEVEL", "loud"),
        ("RESILIENT_RETRY_MULTIPLIER", "twice"),
    ] {
        let error = from(&[(name, value)]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.message().starts_with(name), "{}", error.message());
    }
    let error = from(&[("RESILIENT_RETRY_MAX_ATTEMPTS", "0")]).unwrap_err();
    assert!(
        error.message().starts_with("retry.max_attempts: must be 1 to 10000, got 0"),
        "{}",
        error.message()
    );
}
