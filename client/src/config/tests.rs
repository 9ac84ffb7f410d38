//! Defaults, ranges, serde and the environment.

use super::*;
use crate::error::{Error, ErrorKind};

/// An observer that does nothing.
struct Deaf;

impl crate::observe::Observer for Deaf {
    fn on(&self, _: &crate::observe::Event<'_>) {}
}

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
fn a_value_out_of_range_is_rejected_with_its_field_as_a_value() {
    type Spoil = fn(&mut ClientConfig);
    let table: &[(&str, Spoil)] = &[
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
        ("hedge.after", |c| c.hedge.after = HedgeAfter::Delay(Duration::ZERO)),
        ("hedge.after", |c| c.hedge.after = HedgeAfter::Quantile(0.49)),
        ("hedge.after", |c| c.hedge.after = HedgeAfter::Quantile(f64::NAN)),
        ("hedge.max", |c| c.hedge.max = 0),
        ("circuit_breaker.failure_threshold", |c| c.circuit_breaker.failure_threshold = 0),
        ("circuit_breaker.recovery_timeout", |c| c.circuit_breaker.recovery_timeout = Duration::ZERO),
        ("circuit_breaker.half_open_max_calls", |c| c.circuit_breaker.half_open_max_calls = 0),
        ("circuit_breaker.failure_rate", |c| c.circuit_breaker.failure_rate = f64::NAN),
        ("circuit_breaker.failure_rate", |c| c.circuit_breaker.failure_rate = 1.5),
        ("circuit_breaker.slow_call_rate", |c| c.circuit_breaker.slow_call_rate = -0.1),
        ("circuit_breaker.slow_call_duration", |c| c.circuit_breaker.slow_call_duration = Duration::ZERO),
        ("circuit_breaker.minimum_calls", |c| c.circuit_breaker.minimum_calls = 0),
        ("circuit_breaker.minimum_calls", |c| {
            c.circuit_breaker.failure_rate = 0.5;
            c.circuit_breaker.window = BreakerWindow::Calls(9);
        }),
        ("circuit_breaker.window", |c| c.circuit_breaker.window = BreakerWindow::Calls(0)),
        ("circuit_breaker.window", |c| c.circuit_breaker.window = BreakerWindow::Seconds(Duration::ZERO)),
        ("bulkhead.max_concurrency", |c| c.bulkhead.max_concurrency = 0),
        ("bulkhead.min_concurrency", |c| c.bulkhead.min_concurrency = 0),
        ("bulkhead.min_concurrency", |c| {
            (c.bulkhead.adaptive, c.bulkhead.min_concurrency) = (true, 51);
        }),
        ("user_agent", |c| c.user_agent = "two\r\nlines".into()),
        ("logging.target", |c| c.logging.target.clear()),
        ("max_body_bytes", |c| c.max_body_bytes = 0),
        ("ca_file", |c| c.ca_file = Some("".into())),
        ("observers", |c| {
            for _ in 0..9 {
                c.observers.push(std::sync::Arc::new(Deaf));
            }
        }),
        ("proxy.url", |c| c.proxy.url = Some("socks5://me:secret@h:1".into())),
        ("proxy.no_proxy", |c| c.proxy.no_proxy = Some("h:x".into())),
    ];
    for (field, spoil) in table {
        let mut config = valid();
        spoil(&mut config);
        let error = config.validate().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{field}");
        assert_eq!(error.field().unwrap().field(), *field);
        assert!(error.message().starts_with(&format!("{field}: ")), "{field}: {}", error.message());
        assert!(!error.message().contains("secret"), "{}", error.message());
    }
}

#[test]
fn serde_reads_seconds_with_fractions_and_rejects_unknown_fields() {
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
fn a_configuration_is_the_same_after_serialising_and_deserialising_it() {
    let config = ClientConfig {
        ca_file: Some("/etc/ca.pem".into()),
        compression: false,
        proxy: ProxyConfig { url: Some("http://h:1".into()), no_proxy: Some("*".into()), from_env: false },
        deadline: Duration::from_millis(1_500),
        hedge: HedgeConfig { after: HedgeAfter::Quantile(0.999), max: 3 },
        retry: RetryConfig {
            methods: RetryMethods::IdempotentOnly,
            multiplier: 1.5,
            ..RetryConfig::default()
        },
        logging: LoggingConfig { level: LogLevel::Warning, ..LoggingConfig::default() },
        ..valid()
    };
    let json = serde_json::to_string(&config).unwrap();
    assert_eq!(serde_json::from_str::<ClientConfig>(&json).unwrap(), config);
}

fn from(pairs: &[(&str, &str)]) -> Result<ClientConfig, Error> {
    ClientConfig::from_variables(
        pairs.iter().map(|(name, value)| ((*name).to_owned(), value.into())).collect(),
    )
}

#[test]
fn the_environment_sets_what_it_names_and_leaves_the_rest() {
    let config = from(&[
        ("RESILIENT_BASE_URL", "http://host:1/api"),
        ("RESILIENT_RETRY_MIN_WAIT", "0.5"),
        ("RESILIENT_RETRY_JITTER", "false"),
        ("RESILIENT_RETRY_METHODS", "idempotent"),
        ("RESILIENT_HEDGE_AFTER", "p97"),
        ("RESILIENT_HEDGE_MAX", "2"),
        ("RESILIENT_BULKHEAD_MAX_CONCURRENCY", "7"),
        ("RESILIENT_BULKHEAD_ADAPTIVE", "true"),
        ("RESILIENT_BULKHEAD_MIN_CONCURRENCY", "3"),
        ("RESILIENT_LOGGING_LEVEL", "warning"),
        ("RESILIENT_CA_FILE", "/etc/ca.pem"),
        ("RESILIENT_COMPRESSION", "false"),
        ("RESILIENT_COOKIES", "true"),
        ("RESILIENT_PROXY_URL", "http://proxy:1"),
        ("RESILIENT_PROXY_NO_PROXY", "localhost"),
        ("RESILIENT_PROXY_FROM_ENV", "false"),
        ("RESILIENT_DEADLINE", ""),
        ("SSL_CERT_FILE", "/etc/other.pem"),
    ])
    .unwrap();
    assert_eq!(config.base_url, "http://host:1/api");
    assert_eq!(config.retry.min_wait, Duration::from_millis(500));
    assert!(config.cookies && !config.retry.jitter && !config.compression && !config.proxy.from_env);
    assert_eq!(config.proxy.url.as_deref(), Some("http://proxy:1"));
    assert_eq!(config.proxy.no_proxy.as_deref(), Some("localhost"));
    assert_eq!(config.hedge, HedgeConfig { after: HedgeAfter::Quantile(0.97), max: 2 });
    assert_eq!(config.bulkhead.max_concurrency, 7);
    assert_eq!((config.bulkhead.adaptive, config.bulkhead.min_concurrency), (true, 3));
    assert_eq!(config.logging.level, LogLevel::Warning);
    assert_eq!(config.ca_file.as_deref(), Some(std::path::Path::new("/etc/ca.pem")));
    assert_eq!((config.retry.max_attempts, config.deadline), (3, Duration::from_secs(60)));
    let other = from(&[("SSL_CERT_FILE", "/etc/other.pem")]).unwrap();
    assert_eq!(other.ca_file.as_deref(), Some(std::path::Path::new("/etc/other.pem")));
}

#[test]
fn a_variable_that_does_not_exist_is_rejected_with_the_nearest_one_that_does() {
    for (name, nearest) in [
        ("RESILIENT_RETRY_MAX_ATTEMPT", "RESILIENT_RETRY_MAX_ATTEMPTS"),
        ("RESILIENT_MAX_ATTEMPTS", "RESILIENT_RETRY_MAX_ATTEMPTS"),
        ("RESILIENT_TIMEOUT_CONNET", "RESILIENT_TIMEOUT_CONNECT"),
        ("RESILIENT_BASEURL", "RESILIENT_BASE_URL"),
        ("RESILIENT_CIRCUIT_BREAKER_TRESHOLD", "RESILIENT_CIRCUIT_BREAKER_FAILURE_THRESHOLD"),
        ("RESILIENT_CIRCUIT_BREAKER_TIMEOUT", "RESILIENT_CIRCUIT_BREAKER_RECOVERY_TIMEOUT"),
        ("RESILIENT_BREAKER_WINDOW", "RESILIENT_CIRCUIT_BREAKER_WINDOW"),
        ("RESILIENT_CIRCUIT_BREAKER_SLOW_RATE", "RESILIENT_CIRCUIT_BREAKER_SLOW_CALL_RATE"),
        ("RESILIENT_DEADLNIE", "RESILIENT_DEADLINE"),
    ] {
        let error = from(&[("RESILIENT_DEADLINE", "5"), (name, "the secret")]).unwrap_err();
        assert_eq!((error.kind(), error.field().unwrap().field()), (ErrorKind::Config, name));
        assert_eq!(error.to_string(), format!("{name}: does not exist; did you mean {nearest}?"));
    }
}

#[test]
fn what_kubernetes_sets_for_a_service_is_passed_over() {
    let config = from(&[
        ("RESILIENT_SERVICE_HOST", "10.0.0.1"),
        ("RESILIENT_SERVICE_PORT", "80"),
        ("RESILIENT_SERVICE_PORT_HTTP", "80"),
        ("RESILIENT_PORT", "tcp://10.0.0.1:80"),
        ("RESILIENT_PORT_80_TCP", "tcp://10.0.0.1:80"),
        ("RESILIENT_PORT_80_TCP_ADDR", "10.0.0.1"),
        ("RESILIENT_PORT_80_TCP_PORT", "80"),
        ("RESILIENT_API_PORT_80_TCP_PROTO", "tcp"),
    ]);
    assert_eq!(config.unwrap(), ClientConfig::default());
    for written in ["RESILIENT_PORT", "RESILIENT_PORT_NUMBER"] {
        from(&[(written, "8000")]).unwrap_err();
    }
}

#[test]
fn a_variable_with_a_bad_value_is_rejected_by_its_name() {
    for (name, value) in [
        ("RESILIENT_DEADLINE", "soon"),
        ("RESILIENT_HEDGE_AFTER", "soon"),
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

#[test]
fn the_scope_of_a_breaker_is_the_client_or_an_origin() {
    for (text, expected) in [("client", BreakerScope::Client), ("Origin", BreakerScope::Origin)] {
        let breaker = from(&[("RESILIENT_CIRCUIT_BREAKER_SCOPE", text)]).unwrap().circuit_breaker;
        assert_eq!(breaker.scope, expected);
        let json = serde_json::to_string(&breaker).unwrap();
        assert_eq!(serde_json::from_str::<CircuitBreakerConfig>(&json).unwrap(), breaker);
    }
    for bad in ["host", "client,origin", "1"] {
        from(&[("RESILIENT_CIRCUIT_BREAKER_SCOPE", bad)]).unwrap_err();
    }
}

#[test]
fn the_window_of_a_breaker_is_a_number_of_calls_or_of_seconds() {
    for (text, expected) in [
        ("100", BreakerWindow::Calls(100)),
        ("10s", BreakerWindow::Seconds(Duration::from_secs(10))),
        ("0.5s", BreakerWindow::Seconds(Duration::from_millis(500))),
    ] {
        let config = from(&[
            ("RESILIENT_CIRCUIT_BREAKER_WINDOW", text),
            ("RESILIENT_CIRCUIT_BREAKER_FAILURE_RATE", "0.5"),
        ]);
        let breaker = config.unwrap().circuit_breaker;
        assert_eq!((breaker.window, breaker.failure_rate), (expected, 0.5));
        let json = serde_json::to_string(&breaker).unwrap();
        assert_eq!(serde_json::from_str::<CircuitBreakerConfig>(&json).unwrap(), breaker);
    }
    let window = |text: &str| serde_json::from_str::<CircuitBreakerConfig>(text);
    assert_eq!(window(r#"{"window":50}"#).unwrap().window, BreakerWindow::Calls(50));
    assert_eq!(window(r#"{"window":"50"}"#).unwrap().window, BreakerWindow::Calls(50));
    for bad in ["-1", "1.5", r#""10m""#, "null", "true", r#"{"calls":5}"#] {
        window(&format!(r#"{{"window":{bad}}}"#)).unwrap_err();
    }
    for bad in ["s", "-1", "-1s", "NaNs", "1.5", "10 s", "10m"] {
        from(&[("RESILIENT_CIRCUIT_BREAKER_WINDOW", bad)]).unwrap_err();
    }
}
