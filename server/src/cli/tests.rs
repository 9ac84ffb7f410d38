//! Which command lines are understood, and what the help says.

use super::*;
use crate::config::SETTINGS;

fn parsed(arguments: &[&str]) -> Result<Command, Unparsed> {
    let arguments = std::iter::once("test-server").chain(arguments.iter().copied());
    parse(arguments.map(OsString::from)).map(|cli| cli.command)
}

fn help_of(arguments: &[&str]) -> String {
    match parsed(arguments) {
        Err(Unparsed::Asked(help)) => help.split_whitespace().collect::<Vec<_>>().join(" "),
        other => panic!("no help: {other:?}"),
    }
}

#[test]
fn without_a_command_the_server_serves() {
    assert!(matches!(parsed(&[]), Ok(Command::Serve { reload: None, .. })));
    let Ok(Command::Serve { flags, reload: Some(None) }) = parsed(&["--reload", "--port", "9000"]) else {
        panic!("flags without a command belong to serve");
    };
    assert_eq!(flags.0["port"], "9000");
}

#[test]
fn reload_takes_a_boolean_behind_an_equals_sign() {
    for (argument, expected) in [("--reload=false", false), ("--reload=Off", false), ("--reload=1", true)] {
        let Ok(Command::Serve { reload, .. }) = parsed(&["serve", argument]) else { panic!("{argument}") };
        assert_eq!(reload, Some(Some(Switch(expected))), "{argument}");
    }
    for argument in ["--reload=", "--reload=maybe"] {
        let Err(Unparsed::Invalid(line)) = parsed(&["serve", argument]) else {
            panic!("{argument} is accepted")
        };
        assert!(line.contains("--reload") && line.contains("true"), "{line}");
    }
    assert!(parsed(&["serve", "--reload", "false"]).is_err(), "an argument that belongs to nothing");
}

#[test]
fn every_setting_has_its_flag() {
    for setting in SETTINGS {
        let flag = format!("--{}", setting.flag);
        let Ok(Command::Serve { flags, .. }) = parsed(&["serve", &flag, "-1"]) else {
            panic!("{flag} is not understood");
        };
        assert_eq!(flags.0[setting.flag], "-1", "{flag}");
    }
}

#[test]
fn the_help_names_the_variable_the_range_and_the_default_of_every_setting() {
    for command in ["serve", "config-info"] {
        let help = help_of(&[command, "--help"]);
        for setting in SETTINGS {
            let expected = format!(
                "--{} <VALUE> {}: {} [{}, default: {}]",
                setting.flag,
                setting.help,
                setting.expected(),
                setting.variable,
                setting.default
            );
            assert!(help.contains(&expected), "{expected:?} is missing: {help}");
        }
    }
}

#[test]
fn the_help_of_the_program_says_what_it_is_and_how_it_is_configured() {
    let help = help_of(&["--help"]);
    assert!(
        help.starts_with("test-server ") && help.contains(" An HTTP server that misbehaves on command"),
        "{help}"
    );
    assert!(help.contains("environment variable") && help.contains(".env"), "{help}");
}

#[test]
fn the_help_of_a_command_begins_with_its_own_description() {
    for (command, about) in [
        ("serve", "Serve until SIGTERM or SIGINT arrives."),
        ("config-info", "Print the configuration in force"),
        ("health", "Ask a running server"),
        ("openapi", "Print the OpenAPI document"),
        ("completions", "Print a script"),
    ] {
        let help = help_of(&[command, "--help"]);
        let description = help.split(" USAGE:").next().unwrap_or_default();
        assert!(description.contains(about), "{help}");
        assert!(!help.contains('`'), "a comment for developers: {help}");
    }
}

#[test]
fn an_invalid_command_line_is_one_line() {
    for arguments in [
        &["serve", "--bogus"][..],
        &["dance"],
        &["serve", "--port"],
        &["health", "extra"],
        &["completions"],
        &["completions", "tcsh"],
    ] {
        let Err(Unparsed::Invalid(line)) = parsed(arguments) else { panic!("{arguments:?} is understood") };
        assert!(!line.contains('\n') && !line.is_empty(), "{line}");
    }
    let Err(Unparsed::Invalid(line)) = parsed(&["completions", "tcsh"]) else { panic!("accepted") };
    assert!(["tcsh", "bash", "zsh", "fish"].iter().all(|shell| line.contains(shell)), "{line}");
}

#[test]
fn help_and_version_are_not_errors() {
    for flag in ["--help", "-h", "--version", "-V", "help"] {
        assert!(matches!(parsed(&[flag]), Err(Unparsed::Asked(_))), "{flag}");
    }
}
