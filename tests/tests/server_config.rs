//! The settings: their sources, their defaults, and how an invalid value is refused.

use serde_json::Value;
use workspace_tests::{Outcome, Program, TestServer};

/// Every setting: its variable, values that it must refuse, and what the refusal must say about the range.
const SETTINGS: [(&str, &[&str], &[&str]); 24] = [
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
    ("SERVER_SESSION_TTL", &["0", "86401", "x"], &["1", "86400"]),
    ("SERVER_MAX_SESSIONS", &["0", "100001", "x"], &["1", "100000"]),
    ("SERVER_SEED", &["-1", "9007199254740992", "x"], &["0", "9007199254740991"]),
    ("SERVER_UPSTREAM", &["https://x", "localhost:3000", "http://", "http://x/?q", "x y"], &["http"]),
    ("SERVER_CONTROL_PREFIX", &["own", "/own/", "/", "//", "/a*b", "/a/../b"], &["path"]),
    ("SERVER_JOURNAL_SIZE", &["-1", "1000001", "x"], &["0", "1000000"]),
    ("SERVER_JOURNAL_BYTES", &["0", "65535", "63KiB", "2TiB", "64XB", "MiB", "x"], &["64KiB", "1TiB"]),
    ("SERVER_FAULT_HEADER", &["maybe", "2"], &["true", "false"]),
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
    let rest = line.replacen(value, "", 1).to_lowercase();
    assert!(range.iter().all(|bound| rest.contains(&bound.to_lowercase())), "tells {range:?}: {line}");
}

/// The setting `variable` of the output of `config-info --json`: its value as text, and its source.
fn setting(outcome: &Outcome, variable: &str) -> (String, String) {
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""), "{outcome:#?}");
    let all: Value =
        serde_json::from_str(&outcome.stdout).unwrap_or_else(|error| panic!("{error}: {outcome:#?}"));
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    (text(&all[variable]["value"]), text(&all[variable]["source"]))
}

#[tokio::test]
async fn the_table_of_this_file_has_every_setting() {
    let outcome = config_info().run().await;
    let shown: Value = serde_json::from_str(&outcome.stdout).expect("JSON");
    let mut listed = SETTINGS.map(|(variable, _, _)| variable);
    listed.sort_unstable();
    let mut shown: Vec<_> = shown.as_object().expect("an object").keys().collect();
    shown.sort_unstable();
    assert_eq!(shown, listed);
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
    for command in ["serve", "config-info", "health"] {
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
async fn an_empty_variable_counts_as_not_set() {
    let empty = SETTINGS.iter().fold(config_info(), |program, (variable, _, _)| program.env(variable, ""));
    let lines: String = SETTINGS.iter().map(|(variable, _, _)| format!("{variable}=\n")).collect();
    let (empty, set_empty) = (empty.run().await, config_info().dotenv(lines).run().await);
    for (variable, _, _) in SETTINGS {
        assert_eq!(setting(&empty, variable).1, "default", "{variable}");
        assert_eq!(setting(&set_empty, variable).1, "default", "{variable}");
    }
    let outcome = config_info().dotenv("SERVER_WORKERS=3\n").env("SERVER_WORKERS", "").run().await;
    assert_eq!(setting(&outcome, "SERVER_WORKERS"), ("3".to_owned(), ".env".to_owned()));
}

#[tokio::test]
async fn a_variable_is_read_in_any_case() {
    let outcome = config_info()
        .env("server_port", "9001")
        .dotenv("Server_Workers=3\nexport server_keep_alive=4")
        .run()
        .await;
    for (variable, value, source) in [
        ("SERVER_PORT", "9001", "environment"),
        ("SERVER_WORKERS", "3", ".env"),
        ("SERVER_KEEP_ALIVE", "4", ".env"),
    ] {
        assert_eq!(setting(&outcome, variable), (value.to_owned(), source.to_owned()));
    }
}

#[tokio::test]
async fn a_boolean_is_read_in_the_words_of_pydantic() {
    for (word, value) in [("yes", "true"), ("0", "false"), ("ON", "true"), ("f", "false")] {
        let outcome = config_info().env("SERVER_CORS_ENABLED", word).run().await;
        assert_eq!(setting(&outcome, "SERVER_CORS_ENABLED").0, value, "{word}");
    }
}

/// A `.env` of other programs: of every line that follows, no word may be printed.
const FOREIGN: &[u8] = b"\xef\xbb\xbfDB_PASSWORD=correct horse battery
CONF={\"a\": 1, \"b\": 2}
MSG=don't
my-key=1
DEBUG
this is no assignment
=nothing
'half a key
LATIN=\xe9\xff\xfe
CERTIFICATE=\"-----BEGIN
SERVER_PORT=1
-----END\"
UNTERMINATED=\"secret
ALSO_UNTERMINATED='secret
SERVERS=9
";

#[tokio::test]
async fn a_dotenv_file_of_other_programs_is_passed_over() {
    let ours = "SERVER_WORKERS=3\nSERVER_CORS_ORIGINS=http://localhost:3000, http://localhost:5173 # ours\n";
    for file in
        [[FOREIGN, ours.as_bytes()].concat(), [&FOREIGN[..3], ours.as_bytes(), &FOREIGN[3..]].concat()]
    {
        let outcome = config_info().dotenv(&file).run().await;
        assert_eq!(setting(&outcome, "SERVER_WORKERS"), ("3".to_owned(), ".env".to_owned()));
        let origins = r#"["http://localhost:3000","http://localhost:5173"]"#;
        assert_eq!(setting(&outcome, "SERVER_CORS_ORIGINS"), (origins.to_owned(), ".env".to_owned()));
        assert_eq!(setting(&outcome, "SERVER_PORT").1, "default", "a line inside another program's value");
        let server = TestServer::builder().dotenv(&file).start().await.stop().await;
        assert_eq!((server.code, server.stderr.as_str()), (Some(0), ""));
        for text in [&outcome.stdout, &server.stdout] {
            for foreign in ["horse", "BEGIN", "don't", "my-key", "secret", "UNTERMINATED", "assignment"] {
                assert!(!text.contains(foreign), "{foreign} is printed: {text}");
            }
        }
    }
}

#[tokio::test]
async fn a_fault_in_a_line_of_ours_is_reported_with_its_number_and_nothing_foreign() {
    let faults = [
        ("SERVER_PORT=80000", "80000"),
        ("server_port='80 00'", "80 00"),
        ("export SERVER_PORT=\"80\" 00", "quotation mark"),
        ("SERVER_PORT=\"80", "quotation mark"),
        ("SERVER_PORT 80", "equals sign"),
        ("SERVER_PORT=80\u{fffd}", "80"),
    ];
    for (line, expected) in faults {
        let file = [FOREIGN, line.as_bytes(), b"\nOTHER=secret\n"].concat();
        let outcome = Program::test_server().dotenv(&file).run().await;
        assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(2), ""), "{outcome:#?}");
        let error = outcome.only_error_line();
        let number = FOREIGN.iter().filter(|byte| **byte == b'\n').count() + 1;
        assert!(error.contains("SERVER_PORT") && error.contains(&format!(".env, line {number}")), "{error}");
        assert!(error.contains(expected) && error.contains("0 to 65535"), "{error}");
        assert!(!error.contains("secret") && !error.contains("horse"), "{error}");
    }
}

#[tokio::test]
async fn a_dotenv_file_that_cannot_be_read_stops_the_start() {
    let large = [b"A=1\n".repeat(300_000), b"SERVER_PORT=0\n".to_vec()].concat();
    for contents in [&b"\xff\xfeS\0E\0R\0V\0E\0R\0"[..], &large] {
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
async fn an_unknown_variable_is_a_warning_that_names_the_nearest_one() {
    let unknown = |program: Program| {
        let program = program.env("SERVER_MAX_CONCURENCY", "secret").env("SERVER_SERVICE_HOST", "10.0.0.1");
        program.dotenv("A=1\nserver_prot=secret\n")
    };
    let warnings = [
        ("SERVER_MAX_CONCURENCY", "SERVER_MAX_CONCURRENCY", "environment"),
        ("server_prot", "SERVER_PORT", ".env, line 2"),
    ];
    let outcome = unknown(config_info()).run().await;
    assert_eq!(outcome.code, Some(0), "{outcome:#?}");
    let lines: Vec<_> = outcome.stderr.lines().collect();
    assert_eq!(lines.len(), warnings.len(), "{outcome:#?}");
    let outcome = unknown(TestServer::builder()).start().await.stop().await;
    let logged: Vec<_> = outcome.stdout.lines().filter(|line| line.contains("\"warning\"")).collect();
    assert_eq!((outcome.stderr.as_str(), logged.len()), ("", warnings.len()), "{outcome:#?}");
    for (index, (variable, nearest, place)) in warnings.into_iter().enumerate() {
        for line in [lines[index], logged[index]] {
            assert!([variable, nearest, place].iter().all(|word| line.contains(word)), "{line}");
            assert!(!line.contains("secret"), "{line}");
        }
    }
}

#[tokio::test]
async fn a_variable_that_kubernetes_has_set_is_refused_with_the_remedy() {
    let outcome = Program::test_server().env("SERVER_PORT", "tcp://10.0.0.1:8000").run().await;
    assert_refused(
        &outcome,
        "SERVER_PORT",
        "tcp://10.0.0.1:8000",
        &["0", "65535", "enableServiceLinks: false"],
    );
}

#[tokio::test]
async fn origins_are_shown_also_while_cors_is_off() {
    let origins = config_info().env("SERVER_CORS_ORIGINS", "http://X:80, https://y.example/");
    let expected = (r#"["http://x","https://y.example"]"#.to_owned(), "environment".to_owned());
    let outcome = origins.run().await;
    assert_eq!(setting(&outcome, "SERVER_CORS_ENABLED").0, "false");
    assert_eq!(setting(&outcome, "SERVER_CORS_ORIGINS"), expected);
    assert_eq!(setting(&config_info().run().await, "SERVER_CORS_ORIGINS").0, "null");
    let any = config_info().flag("--cors-origins", "*").run().await;
    assert_eq!(setting(&any, "SERVER_CORS_ORIGINS").0, r#"["*"]"#);
}

/// A value of up to five odd pieces.
fn odd_value(random: &mut fastrand::Rng) -> String {
    let pieces = [
        "1",
        "-",
        "80",
        "\n",
        "\u{1b}[31m",
        " ",
        "'",
        "\"",
        "#",
        "http://",
        "é",
        "\u{2028}",
        "=",
        "${A}",
        "*",
    ];
    (0..random.usize(..6)).map(|_| pieces[random.usize(..pieces.len())]).collect()
}

#[tokio::test]
async fn any_value_for_any_setting_is_taken_or_refused_with_one_line() {
    let mut random = workspace_tests::seed::rng();
    for _ in 0..60 {
        let (variable, _, _) = random.choice(SETTINGS).unwrap();
        let value = odd_value(&mut random);
        let outcome = match random.u8(..3) {
            0 => config_info().argument(format!("{}={value}", flag_of(variable))).run().await,
            1 => config_info().env(variable, &value).run().await,
            _ => config_info().dotenv(format!("{variable}={value}\n")).run().await,
        };
        match outcome.code {
            Some(0) => assert_eq!(outcome.stderr, "", "{variable}={value:?}"),
            Some(2) => {
                let line = outcome.only_error_line();
                assert!(line.contains(variable) && line.contains("expected"), "{value:?}: {line}");
            }
            _ => panic!("{variable}={value:?}: {outcome:#?}"),
        }
    }
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
        ("SERVER_SESSION_TTL", "3600"),
        ("SERVER_MAX_SESSIONS", "1000"),
        ("SERVER_JOURNAL_SIZE", "1000"),
        ("SERVER_JOURNAL_BYTES", "64MiB"),
        ("SERVER_FAULT_HEADER", "true"),
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
        ("SERVER_SESSION_TTL", ["1", "2", "86400"]),
        ("SERVER_MAX_SESSIONS", ["1", "2", "100000"]),
        ("SERVER_SEED", ["0", "42", "9007199254740991"]),
        ("SERVER_JOURNAL_SIZE", ["0", "1", "1000000"]),
        ("SERVER_JOURNAL_BYTES", ["64KiB", "1GiB", "1TiB"]),
        ("SERVER_FAULT_HEADER", ["true", "false", "true"]),
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
