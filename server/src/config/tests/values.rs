//! Which values each kind of setting takes, as tables, and any value for any setting.

use super::*;

#[test]
fn the_bounds_of_every_range_are_valid_and_values_beyond_them_are_refused() {
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
        let mut refused = vec![beyond, "-1", "ten", "1.5", "99999999999999999999"];
        if lowest == "1" {
            refused.push("0");
        }
        for value in refused {
            let message = from_environment(variable, value).unwrap_err().to_string();
            assert!(message.contains(variable) && message.contains(&format!("{value:?}")), "{message}");
            assert!(message.contains(&setting(variable).expected()) && !message.contains('\n'), "{message}");
        }
    }
}

#[test]
fn words_are_taken_in_any_case_and_others_refused() {
    assert_eq!(from_environment("SERVER_LOG_LEVEL", "wArNiNg").unwrap().log_level, LogLevel::Warning);
    assert_eq!(from_environment("SERVER_LOG_FORMAT", "Console").unwrap().log_format, LogFormat::Console);
    for (variable, value) in
        [("SERVER_LOG_LEVEL", "TRACE"), ("SERVER_LOG_FORMAT", "xml"), ("SERVER_ENABLE_DOCS", "maybe")]
    {
        assert!(from_environment(variable, value).is_err(), "{variable}={value}");
    }
}

#[test]
fn booleans_are_the_words_that_pydantic_reads() {
    for (words, expected) in
        [("1 yes on t y true YES On T Y True", true), ("0 no off f n false NO Off F N False", false)]
    {
        for word in words.split(' ') {
            assert_eq!(from_environment("SERVER_ENABLE_DOCS", word).unwrap().enable_docs, expected, "{word}");
        }
    }
    for word in ["2", "-", "ja", "enable", "tru", "yes no"] {
        assert!(from_environment("SERVER_ENABLE_DOCS", word).is_err(), "{word}");
    }
}

#[test]
fn hosts_are_addresses_or_names() {
    let valid = ["127.0.0.1", "::", "[::1]", "localhost", "a-b.example.com", "my_service"];
    let refused = ["1.2.3", "256.0.0.1", "a b", "-a", "a..b", "http://x", "x:80", "x\ny"];
    for host in valid {
        assert!(from_environment("SERVER_HOST", host).is_ok(), "{host}");
    }
    for host in refused {
        let message = from_environment("SERVER_HOST", host).unwrap_err().to_string();
        assert!(!message.contains('\n'), "{message}");
    }
}

fn cors(origins: &str) -> Result<Cors, ConfigError> {
    let environment = [("SERVER_CORS_ENABLED", "yes"), ("SERVER_CORS_ORIGINS", origins)];
    load(&[], &environment, "").map(|loaded| loaded.config.cors())
}

#[test]
fn no_origins_and_a_star_and_null_mean_any_origin() {
    for any in ["", " ", "*", "null", " * ", ",", "http://a.example, *"] {
        assert_eq!(cors(any), Ok(Cors::AnyOrigin), "{any:?}");
    }
    assert_eq!(from_environment("SERVER_CORS_ORIGINS", "http://a").unwrap().cors(), Cors::Off);
    let overridden = load(&[("cors-origins", "")], &[("SERVER_CORS_ORIGINS", "http://a")], "").unwrap();
    assert_eq!(overridden.config.cors_origins, None);
    assert_eq!(source_of(&overridden, "SERVER_CORS_ORIGINS"), Source::CommandLine);
}

#[test]
fn origins_are_normalised_to_what_browsers_send() {
    for (origin, expected) in [
        ("http://localhost:3000", "http://localhost:3000"),
        ("HTTPS://App.Example.COM", "https://app.example.com"),
        ("http://x:80", "http://x"),
        ("https://x:443", "https://x"),
        ("https://x:80", "https://x:80"),
        ("http://x:0080/", "http://x"),
        ("https://x.com/", "https://x.com"),
        ("http://[0:0::1]:80", "http://[::1]"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://bücher.example", "http://xn--bcher-kva.example"),
    ] {
        assert_eq!(cors(origin), Ok(Cors::Origins(vec![expected.to_owned()])), "{origin}");
    }
    let two = vec!["http://localhost:3000".to_owned(), "http://localhost:5173".to_owned()];
    assert_eq!(cors("http://localhost:3000, http://localhost:5173,"), Ok(Cors::Origins(two)));
}

#[test]
fn what_cannot_be_an_origin_is_refused() {
    for refused in [
        "example.com",
        "http://",
        "http:///",
        "http://:80",
        "http://a:",
        "http://a/b",
        "http://a//",
        "http://a?b",
        "http://a#b",
        "http://a\\b",
        "http://user@a",
        "http://a:99999",
        "http://a b",
        "http://a\tb",
        "ftp://a",
        "file://",
        "http:a",
        "http://a, null",
        "http://*.example.com",
    ] {
        let error = cors(refused).expect_err(refused).to_string();
        assert!(
            error.contains("SERVER_CORS_ORIGINS") && error.contains("https://example.com:8443"),
            "{error}"
        );
    }
}

/// Texts that are glued together to odd values.
const PIECES: [&str; 24] = [
    "",
    "0",
    "1",
    "8000",
    "-",
    "+",
    ".",
    "e3",
    " ",
    "\n",
    "\r\n",
    "\t",
    "\u{1b}[31m",
    "\u{2028}",
    "\u{85}",
    "\u{0}",
    "\"",
    "'",
    "#",
    "${A}",
    "http://",
    "é",
    "*",
    "true",
];

#[test]
fn any_value_for_any_setting_is_taken_or_refused_with_one_line() {
    let seed =
        std::env::var("SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(|| fastrand::u64(..));
    println!("SEED={seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    for _ in 0..20_000 {
        let value: String = (0..random.usize(..6))
            .map(|_| match random.choice(PIECES) {
                Some(piece) if random.u8(..) > 40 => piece.to_owned(),
                _ => random.char(..).to_string(),
            })
            .collect();
        let setting = random.choice(SETTINGS).unwrap();
        let result = match random.u8(..3) {
            0 => load(&[(setting.flag, &value)], &[], ""),
            1 => load(&[], &[(setting.variable, &value)], ""),
            _ => load(&[], &[], &format!("{}={value}", setting.variable)),
        };
        if let Err(error) = result {
            let line = error.to_string();
            assert!(
                !line.contains(|c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')),
                "{line:?}"
            );
            assert!(
                line.contains(setting.variable) && line.contains(&setting.expected()),
                "{value:?}: {line}"
            );
        }
    }
}
