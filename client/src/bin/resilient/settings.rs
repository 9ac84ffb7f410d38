//! The client's settings as flags. What is not typed comes from the environment (`RESILIENT_*`), else from the
//! defaults. Ranges are the library's to check; here its fields get the names of their flags.

use std::time::Duration;

use resilient_client::{ClientConfig, Error, ErrorKind, LogLevel, ResilientClient};
use structopt::StructOpt;

use crate::exit::Failure;

// The values as they were typed.
#[derive(Clone, Debug, Default, StructOpt)]
pub(crate) struct Settings {
    /// Attempts in all, 1 to 10000 [default: 3]
    #[structopt(long, value_name = "N", allow_hyphen_values = true)]
    max_attempts: Option<String>,
    /// Shortest wait before a retry, in seconds, 0 to 86400 [default: 1, or --max-wait if that is less]
    #[structopt(long, value_name = "SECONDS", allow_hyphen_values = true)]
    min_wait: Option<String>,
    /// Longest wait before a retry, in seconds, 0 to 86400 [default: 60, or --min-wait if that is more]
    #[structopt(long, value_name = "SECONDS", allow_hyphen_values = true)]
    max_wait: Option<String>,
    /// What the wait is multiplied by from retry to retry, 1 to 1000 [default: 2]
    #[structopt(long, value_name = "FACTOR", allow_hyphen_values = true)]
    multiplier: Option<String>,
    /// Wait exactly as long as the backoff says, not a random part of it
    #[structopt(long)]
    no_jitter: bool,
    /// Which methods are retried: all, or idempotent ones alone [default: all]
    #[structopt(long, value_name = "all|idempotent", allow_hyphen_values = true)]
    retry_methods: Option<String>,
    /// Longest Retry-After that is waited for, in seconds, 0 to 86400 [default: 60]
    #[structopt(long, value_name = "SECONDS", allow_hyphen_values = true)]
    retry_after_max: Option<String>,
    /// Retries that each call pays for, over all calls, 0 to 100 [default: 0.2]
    #[structopt(long, value_name = "RATIO", allow_hyphen_values = true)]
    retry_budget_ratio: Option<String>,
    /// Retries that each second pays for, over all calls, 0 to 1000000 [default: 10]
    #[structopt(long, value_name = "N", allow_hyphen_values = true)]
    retry_budget_per_second: Option<String>,
    /// Failed calls in a row that open the circuit breaker, 1 to 1000000 [default: 5]
    #[structopt(long, value_name = "N", allow_hyphen_values = true)]
    failure_threshold: Option<String>,
    /// How long the breaker stays open, in seconds, 0.001 to 86400 [default: 30]
    #[structopt(long, value_name = "SECONDS", allow_hyphen_values = true)]
    recovery_timeout: Option<String>,
    /// Probes at once while the breaker is half-open, 1 to 1000 [default: 1]
    #[structopt(long, value_name = "N", allow_hyphen_values = true)]
    half_open_max_calls: Option<String>,
    /// Slots of the bulkhead: attempts under way at once, 1 to 100000 [default: 50]
    #[structopt(long, value_name = "N", allow_hyphen_values = true)]
    max_concurrency: Option<String>,
    /// Longest wait for a slot, in seconds, 0 to 86400 [default: 30]
    #[structopt(long, value_name = "SECONDS", allow_hyphen_values = true)]
    acquisition_timeout: Option<String>,
    /// To resolve the name, connect and shake hands, in seconds, 0.001 to 86400 [default: 5]
    #[structopt(long, value_name = "SECONDS", allow_hyphen_values = true)]
    connect_timeout: Option<String>,
    /// Longest silence while waiting for the reply, in seconds, 0.001 to 86400 [default: 15]
    #[structopt(long, value_name = "SECONDS", allow_hyphen_values = true)]
    read_timeout: Option<String>,
    /// Longest time in which the server takes no byte, in seconds, 0.001 to 86400 [default: 15]
    #[structopt(long, value_name = "SECONDS", allow_hyphen_values = true)]
    write_timeout: Option<String>,
    /// To hand a call over to the client's own thread, in seconds, 0.001 to 86400 [default: 5]
    #[structopt(long, value_name = "SECONDS", allow_hyphen_values = true)]
    pool_timeout: Option<String>,
    /// Bound on a whole call: queue, attempts, waits and body, in seconds, 0.001 to 604800 [default: 60]
    #[structopt(long, value_name = "SECONDS", allow_hyphen_values = true)]
    deadline: Option<String>,
    /// Take a redirect for an answer
    #[structopt(long)]
    no_redirects: bool,
    /// Trust any certificate: for tests alone
    #[structopt(long)]
    insecure: bool,
    /// The User-Agent header [default: resilient-client/VERSION]
    #[structopt(long, value_name = "TEXT", allow_hyphen_values = true)]
    user_agent: Option<String>,
    /// Longest body of a reply, in bytes, 1 to 1099511627776 [default: 8388608]
    #[structopt(long, value_name = "BYTES", allow_hyphen_values = true)]
    max_body_bytes: Option<String>,
    /// Log what happens to standard error
    #[structopt(short, long)]
    pub(crate) verbose: bool,
}

/// A setting that has a flag with a value.
struct Setting {
    flag: &'static str,
    /// What the library calls it.
    field: &'static str,
    /// What its value must be.
    must_be: &'static str,
    typed: fn(&Settings) -> &Option<String>,
    /// Sets it; `None` when the text cannot be such a value at all.
    set: fn(&mut ClientConfig, &str) -> Option<()>,
}

macro_rules! setting {
    ($flag:literal, $typed:ident, $($field:ident).+, $parse:expr, $must_be:literal) => {
        Setting {
            flag: $flag,
            field: stringify!($($field).+),
            must_be: $must_be,
            typed: |settings| &settings.$typed,
            set: |config, text| {
                config.$($field).+ = $parse(text)?;
                Some(())
            },
        }
    };
}

#[rustfmt::skip]
const SETTINGS: &[Setting] = &[
    setting!("--max-attempts", max_attempts, retry.max_attempts, parse, "1 to 10000"),
    setting!("--min-wait", min_wait, retry.min_wait, seconds, "0 to 86400 seconds"),
    setting!("--max-wait", max_wait, retry.max_wait, seconds, "0 to 86400 seconds"),
    setting!("--multiplier", multiplier, retry.multiplier, finite, "1 to 1000"),
    setting!("--retry-methods", retry_methods, retry.methods, parse, "all or idempotent"),
    setting!("--retry-after-max", retry_after_max, retry.retry_after_max, seconds, "0 to 86400 seconds"),
    setting!("--retry-budget-ratio", retry_budget_ratio, retry.budget.ratio, finite, "0 to 100"),
    setting!("--retry-budget-per-second", retry_budget_per_second, retry.budget.per_second, finite, "0 to 1000000"),
    setting!("--failure-threshold", failure_threshold, circuit_breaker.failure_threshold, parse, "1 to 1000000"),
    setting!("--recovery-timeout", recovery_timeout, circuit_breaker.recovery_timeout, seconds, "0.001 to 86400 seconds"),
    setting!("--half-open-max-calls", half_open_max_calls, circuit_breaker.half_open_max_calls, parse, "1 to 1000"),
    setting!("--max-concurrency", max_concurrency, bulkhead.max_concurrency, parse, "1 to 100000"),
    setting!("--acquisition-timeout", acquisition_timeout, bulkhead.acquisition_timeout, seconds, "0 to 86400 seconds"),
    setting!("--connect-timeout", connect_timeout, timeout.connect, seconds, "0.001 to 86400 seconds"),
    setting!("--read-timeout", read_timeout, timeout.read, seconds, "0.001 to 86400 seconds"),
    setting!("--write-timeout", write_timeout, timeout.write, seconds, "0.001 to 86400 seconds"),
    setting!("--pool-timeout", pool_timeout, timeout.pool, seconds, "0.001 to 86400 seconds"),
    setting!("--deadline", deadline, deadline, seconds, "0.001 to 604800 seconds"),
    setting!("--user-agent", user_agent, user_agent, parse, "one or more visible characters"),
    setting!("--max-body-bytes", max_body_bytes, max_body_bytes, parse, "1 to 1099511627776"),
];

fn parse<T: std::str::FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}

fn finite(text: &str) -> Option<f64> {
    parse(text).filter(|number: &f64| number.is_finite())
}

fn seconds(text: &str) -> Option<Duration> {
    Duration::try_from_secs_f64(text.parse().ok()?).ok()
}

impl Settings {
    /// The configuration: flags over the environment over the defaults. Ranges are checked by [`start`](Self::start).
    pub(crate) fn config(&self) -> Result<ClientConfig, Failure> {
        let mut config = ClientConfig::from_env()?;
        for setting in SETTINGS {
            let Some(text) = (setting.typed)(self) else { continue };
            (setting.set)(&mut config, text).ok_or_else(|| {
                Failure::usage(format!("{} must be {}, got {text:?}", setting.flag, setting.must_be))
            })?;
        }
        // Whoever types one end of the range of waits means both, unless they type the other as well.
        let retry = &mut config.retry;
        match (&self.min_wait, &self.max_wait) {
            (Some(_), None) => retry.max_wait = retry.max_wait.max(retry.min_wait),
            (None, Some(_)) => retry.min_wait = retry.min_wait.min(retry.max_wait),
            _ => {}
        }
        retry.jitter &= !self.no_jitter;
        config.follow_redirects &= !self.no_redirects;
        config.verify_ssl &= !self.insecure;
        if self.verbose {
            config.logging.level = LogLevel::Debug;
        }
        Ok(config)
    }

    /// Whether the retry budget was set by a flag.
    pub(crate) fn has_budget(&self) -> bool {
        self.retry_budget_ratio.is_some() || self.retry_budget_per_second.is_some()
    }

    /// Starts a client, and the log if it is wanted.
    pub(crate) fn start(&self, config: ClientConfig) -> Result<ResilientClient, Failure> {
        if self.verbose {
            crate::log::start(&config.logging.target);
        }
        ResilientClient::start(config).map_err(|error| self.named(&error))
    }

    /// The library's complaint about a field, in terms of what was typed.
    fn named(&self, error: &Error) -> Failure {
        let known = error.message().split_once(": ").and_then(|(field, why)| {
            let setting = SETTINGS.iter().find(|setting| setting.field == field)?;
            Some((setting, why))
        });
        let Some((setting, why)) = known.filter(|_| error.kind() == ErrorKind::Config) else {
            return Failure::new(error.kind().into(), error.to_string());
        };
        let why = SETTINGS
            .iter()
            .filter(|other| other.field.contains('.'))
            .fold(why.to_owned(), |why, other| why.replace(other.field, other.flag));
        match (setting.typed)(self) {
            Some(text) if !why.contains(", got ") => {
                Failure::usage(format!("{} {why}, got {text:?}", setting.flag))
            }
            _ => Failure::usage(format!("{} {why}", setting.flag)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the program would say to these flags.
    fn refusal(arguments: &[&str]) -> String {
        let settings = Settings::from_iter_safe([&["resilient"], arguments].concat()).unwrap();
        let system = actix_rt::System::new();
        let refused = system.block_on(async { settings.config().and_then(|config| settings.start(config)) });
        let failure = refused.expect_err(&format!("{arguments:?} is accepted"));
        assert_eq!(failure.exit, crate::exit::Exit::Usage, "{arguments:?}");
        failure.line
    }

    #[test]
    fn every_flag_refuses_what_is_no_value_by_name_value_and_range() {
        for setting in SETTINGS.iter().filter(|setting| setting.flag != "--user-agent") {
            for bad in ["", " ", "x", "NaN", "inf", "-inf", "-1", "1e999", "0x10", "1,5", "१", "--report"] {
                let line = refusal(&[setting.flag, bad]);
                assert!(line.starts_with(&format!("{} must be ", setting.flag)), "{bad:?}: {line}");
                assert!(line.contains(setting.must_be), "{bad:?}: {line}");
                assert!(
                    line.contains(&format!("got {bad}")) || line.contains(&format!("got {bad:?}")),
                    "{line}"
                );
            }
        }
    }

    #[test]
    fn the_ranges_that_flags_name_are_those_that_the_library_has() {
        for setting in SETTINGS {
            let range = setting.must_be.trim_end_matches(" seconds");
            let Some((least, most)) = range.split_once(" to ") else { continue };
            let (least, most): (f64, f64) = (least.parse().unwrap(), most.parse().unwrap());
            let below = if least == 0.0 { None } else { Some((least - 1.0).max(0.0)) };
            for outside in below.into_iter().chain([most + 1.0]) {
                let line = refusal(&[setting.flag, &outside.to_string()]);
                assert!(line.contains(&format!("{} must be ", setting.flag)), "{line}");
                assert!(line.contains(setting.must_be), "{line}");
                assert!(line.contains(&format!("got {outside}")), "{line}");
            }
            for inside in [least, most] {
                let typed =
                    Settings::from_iter_safe(["resilient", setting.flag, &inside.to_string()]).unwrap();
                let started = actix_rt::System::new()
                    .block_on(async { typed.config().and_then(|config| typed.start(config)).map(drop) });
                assert!(started.is_ok(), "{} {inside}: {started:?}", setting.flag);
            }
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
    fn a_user_agent_that_is_no_header_is_refused() {
        assert!(refusal(&["--user-agent", "a\nb"]).starts_with("--user-agent must be"));
        assert!(refusal(&["--user-agent", ""]).ends_with(r#", got """#));
    }

    #[test]
    fn flags_that_say_no_change_what_they_name() {
        let typed =
            Settings::from_iter_safe(["resilient", "--no-jitter", "--no-redirects", "--insecure"]).unwrap();
        let config = typed.config().unwrap();
        assert!(!config.retry.jitter && !config.follow_redirects && !config.verify_ssl);
    }
}
