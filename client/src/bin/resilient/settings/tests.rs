//! Flags: what they set, and what they refuse.

use structopt::StructOpt;

use super::*;

/// Flags whose value is text for which the library has more rules than a range.
const FREE_TEXT: [&str; 4] = ["--user-agent", "--ca-file", "--proxy", "--proxy-bypass"];

/// What the program would say to these flags.
fn refusal(arguments: &[&str]) -> String {
    let settings = Settings::from_iter_safe([&["resilient"], arguments].concat()).unwrap();
    let system = actix_rt::System::new();
    let refused = system.block_on(async { settings.config().and_then(|config| settings.start(config)) });
    let failure = refused.expect_err(&format!("{arguments:?} is accepted"));
    assert_eq!(failure.exit, crate::exit::Exit::Usage, "{arguments:?}");
    failure.line
}

/// The settings whose flags take a value, each with what its value must be.
fn values() -> impl Iterator<Item = (&'static Setting, &'static str)> {
    SETTINGS.iter().filter_map(|setting| match setting.kind {
        Kind::Value { must_be, .. } => Some((setting, must_be)),
        Kind::Switch(_) => None,
    })
}

#[test]
fn every_flag_refuses_a_malformed_value_by_name_value_and_range() {
    for (setting, must_be) in values().filter(|(setting, _)| !FREE_TEXT.contains(&setting.flag)) {
        for bad in ["", " ", "x", "NaN", "inf", "-inf", "-1", "1e999", "0x10", "1,5", "१", "--report"] {
            let line = refusal(&[setting.flag, bad]);
            assert!(line.starts_with(&format!("{} must be ", setting.flag)), "{bad:?}: {line}");
            assert!(line.contains(must_be), "{bad:?}: {line}");
            assert!(line.contains(&format!("got {bad}")) || line.contains(&format!("got {bad:?}")), "{line}");
        }
    }
}

#[test]
fn the_ranges_of_the_table_are_those_of_the_library() {
    for (setting, must_be) in values() {
        let range = must_be.trim_end_matches(" seconds");
        let Some((least, most)) = range.split_once(" to ") else { continue };
        let (least, most): (f64, f64) = (least.parse().unwrap(), most.parse().unwrap());
        let below = if least == 0.0 { None } else { Some((least - 1.0).max(0.0)) };
        for outside in below.into_iter().chain([most + 1.0]) {
            let line = refusal(&[setting.flag, &outside.to_string()]);
            assert!(line.contains(&format!("{} must be ", setting.flag)), "{line}");
            assert!(line.contains(must_be), "{line}");
            assert!(line.contains(&format!("got {outside}")), "{line}");
        }
        for inside in [least, most] {
            let typed = Settings::from_iter_safe(["resilient", setting.flag, &inside.to_string()]).unwrap();
            let started = actix_rt::System::new()
                .block_on(async { typed.config().and_then(|config| typed.start(config)).map(drop) });
            assert!(started.is_ok(), "{} {inside}: {started:?}", setting.flag);
        }
    }
}

#[test]
fn the_defaults_of_the_table_are_those_of_the_library() {
    // The defaults of these come from variables that other programs know too.
    let elsewhere = ["--ca-file", "--proxy", "--proxy-bypass"];
    for (setting, _) in values().filter(|(setting, _)| !elsewhere.contains(&setting.flag)) {
        let default = setting.help.rsplit_once("[default: ").and_then(|(_, rest)| rest.strip_suffix(']'));
        let mut config = ClientConfig::default();
        let value = default.expect("every value has a default").to_owned();
        Typed { setting, value }.apply(&mut config).unwrap();
        assert_eq!(config, ClientConfig::default(), "{}", setting.flag);
    }
}

#[test]
fn one_end_of_the_range_of_waits_moves_the_other_and_both_must_agree() {
    let waits = |arguments: &[&str]| {
        let typed = Settings::from_iter_safe([&["resilient"], arguments].concat()).unwrap();
        let retry = typed.config().unwrap().retry;
        (retry.min_wait.as_secs_f64(), retry.max_wait.as_secs_f64())
    };
    assert_eq!(waits(&["--max-wait", "0.25"]), (0.25, 0.25));
    assert_eq!(waits(&["--min-wait", "90"]), (90.0, 90.0));
    assert_eq!(waits(&["--min-wait", "0.5"]), (0.5, 60.0));
    let line = refusal(&["--min-wait", "5", "--max-wait", "1"]);
    assert_eq!(line, "--min-wait must be at most --max-wait (1 s), got 5 s");
}

#[test]
fn a_user_agent_that_cannot_be_a_header_is_refused() {
    assert!(refusal(&["--user-agent", "a\nb"]).starts_with("--user-agent must be"));
    assert!(refusal(&["--user-agent", ""]).ends_with(r#", got """#));
}

#[test]
fn a_proxy_that_is_none_is_refused_without_its_password() {
    for (value, why) in [
        ("socks5://user:hidden@h:1", "a SOCKS proxy is not supported"),
        ("http://user:hidden@", "--proxy must be http://[user:password@]host[:port]"),
        ("", "--proxy must be http://[user:password@]host[:port]"),
    ] {
        let line = refusal(&["--proxy", value]);
        assert!(line.contains(why) && !line.contains("hidden"), "{line}");
    }
    let line = refusal(&["--proxy-bypass", "a,10.0.0.0/40"]);
    assert!(line.starts_with("--proxy-bypass must be a list") && line.contains("10.0.0.0/40"), "{line}");
}

#[test]
fn no_proxy_switches_every_proxy_off() {
    let typed = ["resilient", "--no-proxy", "--proxy", "http://h:1", "--proxy-bypass", "*"];
    let proxy = Settings::from_iter_safe(typed).unwrap().config().unwrap().proxy;
    assert!(proxy.url.is_none() && proxy.no_proxy.is_none() && !proxy.from_env);
}

#[test]
fn switches_change_the_field_that_they_name() {
    let typed = Settings::from_iter_safe([
        "resilient",
        "--no-jitter",
        "--no-compression",
        "--cookies",
        "--no-redirects",
        "--insecure",
        "--adaptive-concurrency",
    ])
    .unwrap();
    let config = typed.config().unwrap();
    assert!(
        !config.retry.jitter
            && !config.compression
            && config.cookies
            && !config.follow_redirects
            && !config.verify_ssl
            && config.bulkhead.adaptive
    );
}
