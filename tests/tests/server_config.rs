//! Settings: where they come from, what they are when nobody sets them, and which are refused and how.

use serde_json::Value;
use workspace_tests::{Outcome, Program, TestServer};

/// Every setting: its variable, values that it must refuse, and what the refusal must tell of the range.
const SETTINGS: [(&str, &[&str], &[&str]); 16] = [
    ("SERVER_HOST", &["999.1.1.1", "two words", "1.2.3.4:80", "http://x"], &["address"]),
    ("SERVER_PORT", &["65536", "-1", "x", "80.5", "1e3"], &["0", "65535"]),
    ("SERVER_MAX_CONCURRENCY", &["0", "100001", "-1", "x", "1e3", "0x10", "1_000"], &["1", "100000"]),
    ("SERVER_REQUEST_TIMEOUT", &["0", "301", "1.5", "30s", "NaN"], &["1", "300"]),
    ("SERVER_CACHE_MAX_SIZE", &["0", "1000001", "x"], &["1", "1000000"]),
    ("SERVER_CACHE_TTL_SECONDS", &["0", "86401", "inf"], &["1", "86400"]),
    ("SERVER_LOG_LEVEL", &["LOUD", "WARN", "1", "DEBUG,INFO"], &["DEBUG", "INFO", "WARNING", "ERROR"]),
    ("SERVER_LOG_FORMAT", &["xml", "text"], &["json", "console"]),
    ("SERVER_ENABLE_DOCS", &["maybe", "2", "truee"], &["true", "false"]),
    ("SERVER_CORS_ENABLED", &["maybe", "-"], &["true", "false"]),
    (
        "SERVER_CORS_ORIGINS",
        &["not an origin", "example.com", "https://x.com/path", "https://x.com,y"],
        &["origin"],
    ),
    ("SERVER_WORKERS", &["0", "1025", "x"], &["1", "1024"]),
    ("SERVER_SHUTDOWN_TIMEOUT", &["301", "-1", "x"], &["0", "300"]),
    ("SERVER_HEADER_TIMEOUT", &["0", "301", "x"], &["1", "300"]),
    ("SERVER_KEEP_ALIVE", &["3601", "-1", "x"], &["0", "3600"]),
    (
        "SERVER_MAX_CONNECTIONS",
        &["0", "1000001", "x", "99999999999999999999999999999999999999999"],
        &["1", "1000000"],
    ),
];

/// The flag of the setting `variable`.
fn flag_of(variable: &str) -> String {
    format!("--{}", variable.trim_start_matches("SERVER_").to_lowercase().replace('_', "-"))
}

/// Asserts a refusal of `value`: exit code 2, and one line that names setting, value and range.
#[track_caller]
fn assert_refused(outcome: &Outcome, variable: &str, value: &str, range: &[&str]) {
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(2), ""), "{variable}={value}: {outcome:#?}");
    let line = outcome.only_error_line();
    assert!(line.contains(variable) || line.contains(&flag_of(variable)), "names {variable}: {line}");
    assert!(line.contains(value), "tells the value {value:?}: {line}");
    let told = line.replacen(value, "", 1).to_lowercase();
    assert!(range.iter().all(|bound| told.contains(&bound.to_lowercase())), "tells {range:?}: {line}");
}

/// The setting `variable` of the output of `config-info --json`: its value as text, and its source.
fn setting(outcome: &Outcome, variable: &str) -> (String, String) {
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""), "{outcome:#?}");
    let all: Value =
        serde_json::from_str(&outcome.stdout).unwrap_or_else(|error| panic!("{error}: {outcome:#?}"));
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    (text(&all[variable]["value"]), text(&all[variable]["source"]))
}

fn config_info() -> Program {
    Program::test_server().argument("config-info").argument("--json")
}

#[tokio::test]
async fn a_bad_value_in_the_environment_stops_the_start_with_one_line() {
    for (variable, bad, range) in SETTINGS {
        for value in bad {
            let outcome = Program::test_server().env("SERVER_PORT", "0").env(variable, value).run().await;
            assert_refused(&outcome, variable, value, range);
        }
    }
}

#[tokio::test]
async fn a_bad_value_of_a_flag_stops_the_start_with_one_line() {
    for (variable, bad, range) in SETTINGS {
        let argument = format!("{}={}", flag_of(variable), bad[0]);
        let outcome = Program::test_server().argument("serve").argument(argument).run().await;
        assert_refused(&outcome, variable, bad[0], range);
    }
}

#[tokio::test]
async fn a_bad_value_in_the_dotenv_file_stops_the_start_with_one_line() {
    for (variable, bad, range) in SETTINGS {
        let value = bad.last().unwrap();
        let outcome = Program::test_server().dotenv(format!("{variable}=\"{value}\"\n")).run().await;
        assert_refused(&outcome, variable, value, range);
    }
}

#[tokio::test]
async fn every_command_that_reads_the_configuration_refuses_a_bad_one() {
    for command in ["serve", "config-info"] {
        let outcome = Program::test_server().argument(command).env("SERVER_WORKERS", "0").run().await;
        assert_refused(&outcome, "SERVER_WORKERS", "0", &["1", "1024"]);
    }
}

#[tokio::test]
async fn a_value_of_many_lines_or_of_no_text_is_still_one_line() {
    use std::os::unix::ffi::OsStrExt;
    let odd: [&[u8]; 6] = [
        b"5\nINJECTED",
        b"5\r\nINJECTED",
        b"\xff\xfe",
        b"\x1b[31mred",
        b"5\xc2\x85next",
        "5\u{2028}next".as_bytes(),
    ];
    for value in odd {
        let value = std::ffi::OsStr::from_bytes(value);
        for program in [
            Program::test_server().env("SERVER_CACHE_MAX_SIZE", value),
            Program::test_server().argument("serve").argument("--cache-max-size").argument(value),
        ] {
            let outcome = program.run().await;
            assert_eq!(outcome.code, Some(2), "{value:?}: {outcome:#?}");
            let line = outcome.only_error_line();
            assert!(!line.contains(|c: char| c.is_control() || c == '\u{2028}'), "{line:?}");
            assert!(line.to_lowercase().replace('-', "_").contains("cache_max_size"), "{line:?}");
        }
    }
}

#[tokio::test]
async fn an_empty_value_is_never_a_panic() {
    for (variable, _, _) in SETTINGS {
        let outcome = config_info().env(variable, "").run().await;
        assert!([Some(0), Some(2)].contains(&outcome.code), "{variable}: {outcome:#?}");
        assert!(outcome.stderr.lines().count() <= 1, "{variable}: {outcome:#?}");
    }
    // No origins is how people say: none.
    assert_eq!(config_info().env("SERVER_CORS_ORIGINS", "").run().await.code, Some(0));
}

#[tokio::test]
async fn a_dotenv_file_that_cannot_be_read_stops_the_start() {
    let garbage: [&[u8]; 2] = [b"this is no assignment\n", b"SERVER_HOST=\xff\xfe\n"];
    for contents in garbage {
        let outcome = Program::test_server().dotenv(contents).run().await;
        assert_eq!(outcome.code, Some(2), "{outcome:#?}");
        assert!(outcome.only_error_line().contains(".env"), "{outcome:#?}");
    }
    let program = Program::test_server();
    std::fs::create_dir(program.directory().join(".env")).unwrap();
    let outcome = program.run().await;
    assert_eq!(outcome.code, Some(2), "{outcome:#?}");
    assert!(outcome.only_error_line().contains(".env"), "{outcome:#?}");
}

#[tokio::test]
async fn the_command_line_beats_the_environment_beats_dotenv_beats_the_default() {
    let values = ["11", "12", "13"];
    for (variable, default) in [("SERVER_MAX_CONCURRENCY", "50"), ("SERVER_KEEP_ALIVE", "75")] {
        let of = |outcome: Outcome| setting(&outcome, variable);
        let sourced = |value: &str, source: &str| (value.to_owned(), source.to_owned());
        let file = format!("{variable}={}\n", values[0]);
        let flag = flag_of(variable);
        assert_eq!(of(config_info().run().await), sourced(default, "default"));
        assert_eq!(of(config_info().dotenv(&file).run().await), sourced(values[0], ".env"));
        let program = config_info().dotenv(&file).env(variable, values[1]);
        assert_eq!(of(program.run().await), sourced(values[1], "environment"));
        let program = config_info().dotenv(&file).env(variable, values[1]).flag(&flag, values[2]);
        assert_eq!(of(program.run().await), sourced(values[2], "command-line"));
        let program = config_info().dotenv(&file).flag(&flag, values[2]);
        assert_eq!(of(program.run().await), sourced(values[2], "command-line"));
    }
}

#[tokio::test]
async fn the_server_obeys_the_strongest_layer() {
    let file = "SERVER_MAX_CONCURRENCY=11\nSERVER_CACHE_MAX_SIZE=11\nSERVER_KEEP_ALIVE=11\n";
    let builder = TestServer::builder()
        .dotenv(file)
        .env("SERVER_MAX_CONCURRENCY", "12")
        .env("SERVER_CACHE_MAX_SIZE", "12");
    let server = builder.flag("--max-concurrency", 13).start().await;
    let start = server.wait_for_log("the start", |line| line.event["config"].is_object()).await;
    let config = &start.event["config"];
    assert_eq!(
        (&config["max_concurrency"], &config["cache_max_size"], &config["keep_alive"]),
        (&13.into(), &12.into(), &11.into())
    );
}

#[tokio::test]
async fn the_defaults_are_the_documented_ones() {
    let outcome = config_info().run().await;
    let defaults = [
        ("SERVER_HOST", "0.0.0.0"),
        ("SERVER_PORT", "8000"),
        ("SERVER_MAX_CONCURRENCY", "50"),
        ("SERVER_REQUEST_TIMEOUT", "30"),
        ("SERVER_CACHE_MAX_SIZE", "1000"),
        ("SERVER_CACHE_TTL_SECONDS", "300"),
        ("SERVER_LOG_LEVEL", "INFO"),
        ("SERVER_LOG_FORMAT", "json"),
        ("SERVER_ENABLE_DOCS", "true"),
        ("SERVER_CORS_ENABLED", "false"),
        ("SERVER_SHUTDOWN_TIMEOUT", "10"),
        ("SERVER_HEADER_TIMEOUT", "5"),
        ("SERVER_KEEP_ALIVE", "75"),
        ("SERVER_MAX_CONNECTIONS", "25000"),
    ];
    for (variable, default) in defaults {
        assert_eq!(setting(&outcome, variable), (default.to_owned(), "default".to_owned()), "{variable}");
    }
    let cores = std::thread::available_parallelism().unwrap().to_string();
    assert_eq!(setting(&outcome, "SERVER_WORKERS"), (cores, "default".to_owned()));
    assert_eq!(setting(&outcome, "SERVER_CORS_ORIGINS").1, "default");
}

#[tokio::test]
async fn every_value_in_range_is_taken_from_every_layer() {
    let good = [
        ("SERVER_HOST", ["127.0.0.1", "::1", "localhost"]),
        ("SERVER_PORT", ["0", "1", "65535"]),
        ("SERVER_MAX_CONCURRENCY", ["1", "50", "100000"]),
        ("SERVER_REQUEST_TIMEOUT", ["1", "30", "300"]),
        ("SERVER_CACHE_MAX_SIZE", ["1", "2", "1000000"]),
        ("SERVER_CACHE_TTL_SECONDS", ["1", "2", "86400"]),
        ("SERVER_LOG_LEVEL", ["debug", "Warning", "ERROR"]),
        ("SERVER_LOG_FORMAT", ["json", "console", "json"]),
        ("SERVER_ENABLE_DOCS", ["true", "false", "true"]),
        ("SERVER_CORS_ENABLED", ["true", "false", "true"]),
        (
            "SERVER_CORS_ORIGINS",
            ["https://a.example", "http://localhost:3000, https://b.example", "http://127.0.0.1"],
        ),
        ("SERVER_WORKERS", ["1", "2", "1024"]),
        ("SERVER_SHUTDOWN_TIMEOUT", ["0", "1", "300"]),
        ("SERVER_HEADER_TIMEOUT", ["1", "2", "300"]),
        ("SERVER_KEEP_ALIVE", ["0", "1", "3600"]),
        ("SERVER_MAX_CONNECTIONS", ["1", "2", "1000000"]),
    ];
    let file: String =
        good.iter().map(|(variable, [value, ..])| format!("{variable}=\"{value}\"\n")).collect();
    let from_file = config_info().dotenv(file).run().await;
    let from_environment =
        good.iter().fold(config_info(), |program, (variable, [_, value, _])| program.env(variable, value));
    let from_environment = from_environment.run().await;
    let from_flags = good
        .iter()
        .fold(config_info(), |program, (variable, [_, _, value])| program.flag(&flag_of(variable), value));
    let from_flags = from_flags.run().await;
    for (variable, _) in good {
        assert_eq!(setting(&from_file, variable).1, ".env", "{variable}");
        assert_eq!(setting(&from_environment, variable).1, "environment", "{variable}");
        assert_eq!(setting(&from_flags, variable).1, "command-line", "{variable}");
    }
}

#[tokio::test]
async fn a_dotenv_file_may_look_as_people_write_it() {
    let file = "# a comment\r\n\r\nexport SERVER_WORKERS=3\r\nSERVER_KEEP_ALIVE = 9 # why\r\nSERVER_HOST='127.0.0.1'\r\nOTHER=x\r\n";
    let outcome = config_info().dotenv(file).run().await;
    for (variable, value) in
        [("SERVER_WORKERS", "3"), ("SERVER_KEEP_ALIVE", "9"), ("SERVER_HOST", "127.0.0.1")]
    {
        assert_eq!(setting(&outcome, variable), (value.to_owned(), ".env".to_owned()));
    }
}

#[tokio::test]
async fn a_dotenv_file_above_the_working_directory_is_not_ours() {
    let program = config_info().dotenv("SERVER_WORKERS=bad\n");
    let below = program.directory().join("below");
    std::fs::create_dir(&below).unwrap();
    let output = program.command().current_dir(below).output().await.unwrap();
    assert!(output.status.success(), "{output:?}");
}

#[tokio::test]
async fn config_info_is_readable_and_lists_every_setting() {
    let outcome = Program::test_server().argument("config-info").env("SERVER_WORKERS", "3").run().await;
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
    for (variable, _, _) in SETTINGS {
        assert!(outcome.stdout.contains(variable), "{variable}: {}", outcome.stdout);
    }
    let line = outcome.stdout.lines().find(|line| line.contains("SERVER_WORKERS")).unwrap();
    assert!(line.contains('3') && line.contains("environment"), "{line}");
}

#[tokio::test]
async fn the_example_file_lists_every_setting_and_can_be_used_as_it_is() {
    let example = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../.env.example")).unwrap();
    for (variable, _, _) in SETTINGS {
        assert!(example.contains(&format!("{variable}=")), "{variable}");
    }
    let (with, without) = (config_info().dotenv(&example).run().await, config_info().run().await);
    for (variable, _, _) in SETTINGS {
        assert_eq!(setting(&with, variable).0, setting(&without, variable).0, "{variable}");
    }
}

#[tokio::test]
async fn help_lists_the_flag_of_every_setting() {
    for arguments in [["serve", "--help"], ["serve", "-h"]] {
        let help = Program::test_server().argument(arguments[0]).argument(arguments[1]).run().await;
        assert_eq!((help.code, help.stderr.as_str()), (Some(0), ""));
        for (variable, _, _) in SETTINGS {
            assert!(help.stdout.contains(&flag_of(variable)), "{variable}: {}", help.stdout);
        }
        assert!(help.stdout.contains("--reload"));
    }
}
