//! Precedence, defaults and refusals, as tables.

use std::ffi::OsString;

use super::parse::example_line;
use super::*;

type Pairs<'a> = &'a [(&'a str, &'a str)];

fn load(flags: Pairs<'_>, environment: Pairs<'_>, dot_env: &str) -> Result<Loaded, ConfigError> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(".env");
    std::fs::write(&path, dot_env).unwrap();
    let find = |pairs: Pairs<'_>, name: &str| {
        pairs.iter().find(|(found, _)| *found == name).map(|(_, value)| (*value).to_owned())
    };
    Config::load(&Layers {
        flag: &|name| find(flags, name),
        environment: &|name| find(environment, name).map(OsString::from),
        dot_env: &DotEnv::read(&path)?,
        cores: 3,
    })
}

fn from_environment(variable: &str, value: &str) -> Result<Config, ConfigError> {
    load(&[], &[(variable, value)], "").map(|loaded| loaded.config)
}

#[test]
fn the_defaults_are_those_of_the_documentation() {
    let expected = Config {
        host: "0.0.0.0".into(),
        port: 8000,
        max_concurrency: 50,
        request_timeout: Duration::from_secs(30),
        cache_max_size: NonZeroUsize::new(1000).unwrap(),
        cache_ttl: Duration::from_secs(300),
        log_level: LogLevel::Info,
        log_format: LogFormat::Json,
        enable_docs: true,
        cors: Cors::Off,
        workers: 3,
        shutdown_timeout: Duration::from_secs(10),
        header_timeout: Duration::from_secs(5),
        keep_alive: Duration::from_secs(75),
        max_connections: 25_000,
    };
    assert_eq!(load(&[], &[], "").unwrap().config, expected);
}

#[test]
fn flags_beat_the_environment_which_beats_the_file_which_beats_the_default() {
    let cases: [(Pairs<'_>, Pairs<'_>, &str, u16, Source); 4] = [
        (&[("port", "1")], &[("SERVER_PORT", "2")], "SERVER_PORT=3", 1, Source::CommandLine),
        (&[], &[("SERVER_PORT", "2")], "SERVER_PORT=3", 2, Source::Environment),
        (&[], &[], "SERVER_PORT=3", 3, Source::DotEnv),
        (&[], &[], "", 8000, Source::Default),
    ];
    for (flags, environment, dot_env, port, source) in cases {
        let loaded = load(flags, environment, dot_env).unwrap();
        assert_eq!(loaded.config.port, port);
        let shown = loaded.values.iter().find(|value| value.variable == "SERVER_PORT").unwrap();
        assert_eq!((shown.value.clone(), shown.source), (port.to_string(), source));
    }
}

#[test]
fn the_ends_of_every_range_are_valid_and_what_lies_beyond_is_refused() {
    let ranges = [
        ("SERVER_PORT", "0", "65535", "65536"),
        ("SERVER_MAX_CONCURRENCY", "1", "100000", "100001"),
        ("SERVER_REQUEST_TIMEOUT", "1", "300", "301"),
        ("SERVER_CACHE_MAX_SIZE", "1", "1000000", "1000001"),
        ("SERVER_CACHE_TTL_SECONDS", "1", "86400", "86401"),
        ("SERVER_WORKERS", "1", "1024", "1025"),
        ("SERVER_SHUTDOWN_TIMEOUT", "0", "300", "301"),
        ("SERVER_HEADER_TIMEOUT", "1", "300", "301"),
        ("SERVER_KEEP_ALIVE", "0", "3600", "3601"),
        ("SERVER_MAX_CONNECTIONS", "1", "1000000", "1000001"),
    ];
    for (variable, lowest, highest, beyond) in ranges {
        for valid in [lowest, highest] {
            assert!(from_environment(variable, valid).is_ok(), "{variable}={valid}");
        }
        let mut refused = vec![beyond, "-1", "", "ten", "1.5", "99999999999999999999"];
        if lowest == "1" {
            refused.push("0");
        }
        for value in refused {
            let message = from_environment(variable, value).unwrap_err().to_string();
            let range = s::ALL.iter().find(|setting| setting.variable == variable).unwrap().range;
            assert!(message.contains(variable) && message.contains(&format!("{value:?}")), "{message}");
            assert!(message.contains(range) && !message.contains('\n'), "{message}");
        }
    }
}

#[test]
fn words_are_taken_in_any_case_and_others_refused() {
    assert_eq!(from_environment("SERVER_LOG_LEVEL", "wArNiNg").unwrap().log_level, LogLevel::Warning);
    assert_eq!(from_environment("SERVER_LOG_FORMAT", "Console").unwrap().log_format, LogFormat::Console);
    assert!(!from_environment("SERVER_ENABLE_DOCS", "False").unwrap().enable_docs);
    for (variable, value) in
        [("SERVER_LOG_LEVEL", "TRACE"), ("SERVER_LOG_FORMAT", "xml"), ("SERVER_ENABLE_DOCS", "maybe")]
    {
        assert!(from_environment(variable, value).is_err(), "{variable}={value}");
    }
}

#[test]
fn hosts_are_addresses_or_names() {
    let valid = ["127.0.0.1", "::", "[::1]", "localhost", "a-b.example.com", "my_service"];
    let refused = ["", "1.2.3", "256.0.0.1", "a b", "-a", "a..b", "http://x", "x:80", "x\ny"];
    for host in valid {
        assert!(from_environment("SERVER_HOST", host).is_ok(), "{host}");
    }
    for host in refused {
        let message = from_environment("SERVER_HOST", host).unwrap_err().to_string();
        assert!(!message.contains('\n'), "{message}");
    }
}

#[test]
fn origins_matter_once_cors_is_on_and_none_means_any() {
    let cors = |origins: &str| {
        load(&[], &[("SERVER_CORS_ENABLED", "true"), ("SERVER_CORS_ORIGINS", origins)], "")
            .map(|loaded| loaded.config.cors)
    };
    assert_eq!(cors("").unwrap(), Cors::AnyOrigin);
    let two = vec!["http://localhost:3000".to_owned(), "https://example.com".to_owned()];
    assert_eq!(cors("http://localhost:3000, https://Example.com").unwrap(), Cors::Origins(two));
    assert!(cors("http://[::1]:80").is_ok());
    for refused in ["*", "example.com", "http://", "http://a/b", "ftp://a", "http://a:99999"] {
        assert!(cors(refused).is_err(), "{refused}");
    }
    assert_eq!(from_environment("SERVER_CORS_ORIGINS", "http://a").unwrap().cors, Cors::Off);
}

#[test]
fn a_broken_env_file_is_one_clear_line() {
    let message = load(&[], &[], "SERVER_PORT 'x\n").unwrap_err().to_string();
    assert!(message.starts_with(".env cannot be read") && !message.contains('\n'), "{message}");
}

#[test]
fn the_example_file_lists_every_setting_with_its_default() {
    let example = include_str!("../../../.env.example");
    for setting in s::ALL {
        let line = example_line(setting);
        assert!(example.lines().any(|found| found == line), ".env.example lacks {line:?}");
    }
}
