//! Precedence, defaults, refusals, and the documents that follow from the declarations.

use super::*;

mod documents;
mod values;

type Pairs<'a> = &'a [(&'static str, &'a str)];

fn load(flags: Pairs<'_>, environment: Pairs<'_>, dot_env: &str) -> Result<Loaded, ConfigError> {
    Config::load(&Layers {
        flags: flags.iter().map(|(name, value)| (*name, (*value).to_owned())).collect(),
        environment: environment.iter().map(|(name, value)| (name.into(), value.into())).collect(),
        dot_env: DotEnv::from_text(dot_env),
        cores: 3,
    })
}

fn from_environment(variable: &'static str, value: &str) -> Result<Config, ConfigError> {
    load(&[], &[(variable, value)], "").map(|loaded| loaded.config)
}

fn setting(variable: &str) -> &'static Setting {
    SETTINGS.iter().find(|setting| setting.variable == variable).unwrap()
}

/// The source of a setting's value.
fn source_of(loaded: &Loaded, variable: &str) -> Source {
    let index = SETTINGS.iter().position(|setting| setting.variable == variable).unwrap();
    loaded.sources[index]
}

#[test]
fn every_default_is_valid_and_is_the_value_that_is_declared() {
    let loaded = load(&[], &[], "").unwrap();
    for (setting, value) in SETTINGS.iter().zip(loaded.config.values()) {
        let shown = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let declared = match setting.default {
            Fallback::Fixed(text) => text.to_owned(),
            Fallback::Cores => "3".to_owned(),
            Fallback::Unset => "null".to_owned(),
        };
        assert_eq!(shown, declared, "{}", setting.variable);
        assert_eq!(source_of(&loaded, setting.variable), Source::Default);
    }
}

#[test]
fn a_machine_with_more_cores_than_workers_are_allowed_can_start() {
    let workers = |cores| Config::load(&Layers { cores, ..Layers::default() }).unwrap().config.workers;
    assert_eq!((workers(1), workers(1024), workers(4096)), (1, 1024, 1024));
}

#[test]
fn the_flag_and_the_variable_of_a_setting_have_one_name() {
    for setting in SETTINGS {
        assert_eq!(setting.flag.replace('-', "_"), setting.name(), "{}", setting.variable);
    }
}

#[test]
fn flags_beat_the_environment_which_beats_the_file_which_beats_the_default() {
    let cases: [(Pairs<'_>, Pairs<'_>, &str, u16, Source); 7] = [
        (&[("port", "1")], &[("SERVER_PORT", "2")], "SERVER_PORT=3", 1, Source::CommandLine),
        (&[], &[("SERVER_PORT", "2")], "SERVER_PORT=3", 2, Source::Environment),
        (&[], &[("server_Port", "2")], "SERVER_PORT=3", 2, Source::Environment),
        (&[], &[("server_port", "1"), ("SERVER_PORT", "2")], "", 2, Source::Environment),
        (&[], &[("SERVER_PORT", "")], "SERVER_PORT=3", 3, Source::DotEnv),
        (&[], &[], "SERVER_PORT=2\nserver_port=3", 3, Source::DotEnv),
        (&[], &[("SERVER_PORT", " ")], "SERVER_PORT=", 8000, Source::Default),
    ];
    for (flags, environment, dot_env, port, source) in cases {
        let loaded = load(flags, environment, dot_env).unwrap();
        assert_eq!(
            (loaded.config.port, source_of(&loaded, "SERVER_PORT")),
            (port, source),
            "{environment:?} {dot_env}"
        );
    }
}

#[test]
fn a_reference_to_another_variable_is_replaced_and_an_error_shows_the_reference() {
    let config =
        load(&[], &[("PORT", "7000")], "SERVER_PORT=${PORT:-1}\nSERVER_WORKERS=${CORES:-2}").unwrap().config;
    assert_eq!((config.port, config.workers), (7000, 2));
    let error = load(&[], &[], "DB_PASSWORD=hunter2\nSERVER_HOST=${DB_PASSWORD}/x").unwrap_err().to_string();
    assert!(error.contains("${DB_PASSWORD}/x") && !error.contains("hunter2"), "{error}");
}

#[test]
fn a_bad_value_in_the_file_is_reported_with_its_line() {
    let error = load(&[], &[], "A=1\n\nserver_workers=many").unwrap_err().to_string();
    let expected =
        "SERVER_WORKERS (--workers) is \"many\" (.env, line 3), expected a whole number from 1 to 1024";
    assert_eq!(error, expected);
    for (line, fault) in [
        ("SERVER_HOST=\"x", "the closing quotation mark is missing"),
        ("SERVER_HOST 'x'", "the equals sign is missing"),
        ("SERVER_HOST='x' y", "there is text after the closing quotation mark"),
    ] {
        let error = load(&[], &[], &format!("A=b\n{line}\nC=\"d\"")).unwrap_err().to_string();
        assert!(
            error.starts_with(&format!("SERVER_HOST (.env, line 2): {fault}; expected SERVER_HOST=")),
            "{error}"
        );
    }
}

#[test]
fn a_value_that_kubernetes_has_set_is_explained() {
    let error = from_environment("SERVER_PORT", "tcp://10.0.0.1:80").unwrap_err().to_string();
    assert!(error.contains("enableServiceLinks: false") && !error.contains('\n'), "{error}");
}

#[test]
fn a_long_value_is_cut_in_its_error() {
    let error = from_environment("SERVER_PORT", &"9".repeat(100_000)).unwrap_err().to_string();
    assert!(error.len() < 500, "{}", error.len());
}
