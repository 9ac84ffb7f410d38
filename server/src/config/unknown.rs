//! Variables that begin with `SERVER_` and are no settings: most likely typing errors, so each causes a warning.

use std::fmt;

use super::declare::Setting;
use super::layers::{Layers, Place, Source};
use super::settings::{PREFIX, SETTINGS};

/// A variable that begins with `SERVER_` and is no setting. Shown as one line, without its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownVariable {
    /// The variable's name as it was found.
    pub variable: String,
    /// Where it was found.
    pub place: Place,
    /// The setting whose variable has the most similar name.
    pub nearest: &'static str,
}

impl fmt::Display for UnknownVariable {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { variable, place, nearest } = self;
        write!(out, "{} ({place}) is unknown and ignored; did you mean {nearest}?", variable.escape_debug())
    }
}

impl Layers {
    /// The variables of the environment and of `.env` that begin with `SERVER_` and are no setting, by their names.
    #[must_use]
    pub fn unknown(&self) -> Vec<UnknownVariable> {
        let environment = self.environment.iter().map(|(name, value)| {
            (name.to_string_lossy(), value.to_string_lossy(), Place::from(Source::Environment))
        });
        let dot_env = self.dot_env.entries().iter().map(|entry| {
            let value = entry.value.as_ref().ok().and_then(Option::as_deref).unwrap_or_default();
            (
                entry.name.as_str().into(),
                value.into(),
                Place { source: Source::DotEnv, line: Some(entry.line) },
            )
        });
        let mut unknown: Vec<_> = environment
            .chain(dot_env)
            .filter(|(name, value, _)| is_ours(name) && find(name).is_none() && !is_service_link(name, value))
            .map(|(name, _, place)| UnknownVariable {
                nearest: nearest(&name),
                variable: name.into_owned(),
                place,
            })
            .collect();
        unknown.sort_by(|one, other| one.variable.cmp(&other.variable));
        unknown
    }
}

fn is_ours(name: &str) -> bool {
    name.get(..PREFIX.len()).is_some_and(|prefix| prefix.eq_ignore_ascii_case(PREFIX))
}

fn find(name: &str) -> Option<&'static Setting> {
    SETTINGS.iter().copied().find(|setting| setting.variable.eq_ignore_ascii_case(name))
}

fn nearest(name: &str) -> &'static str {
    let name = name.to_ascii_uppercase();
    let distance = |setting: &&&Setting| strsim::osa_distance(setting.variable, &name);
    SETTINGS.iter().min_by_key(distance).map_or(PREFIX, |setting| setting.variable)
}

/// Whether Kubernetes has set the variable for a service whose name begins with `server`. It sets many of them in
/// every container, and the user can do nothing about a warning.
fn is_service_link(name: &str, value: &str) -> bool {
    let name = name.to_ascii_uppercase();
    name.ends_with("_SERVICE_HOST")
        || name.contains("_SERVICE_PORT")
        || (name.ends_with("_PORT") && is_link(value))
        || ["_TCP", "_UDP", "_SCTP"].iter().any(|protocol| {
            name.split_once(protocol).is_some_and(|(before, after)| {
                before.rsplit_once("_PORT_").is_some_and(|(_, port)| port.parse::<u16>().is_ok())
                    && ["", "_PROTO", "_PORT", "_ADDR"].contains(&after)
            })
        })
}

/// Whether the value is one that Kubernetes gives to the variable `..._PORT` of a service.
pub(super) fn is_link(value: &str) -> bool {
    ["tcp://", "udp://", "sctp://"].iter().any(|scheme| value.starts_with(scheme))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::DotEnv;

    fn unknown(environment: &[(&str, &str)], dot_env: &str) -> Vec<String> {
        let environment = environment.iter().map(|(name, value)| (name.into(), value.into())).collect();
        let layers = Layers { environment, dot_env: DotEnv::from_text(dot_env), ..Layers::default() };
        layers.unknown().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn an_unknown_variable_is_named_with_its_place_and_the_nearest_setting() {
        let lines = unknown(
            &[("SERVER_PROT", "secret"), ("server_workers", "3")],
            "A=1\nserver_log_levle=x\nSERVER_X",
        );
        assert_eq!(
            lines,
            [
                "SERVER_PROT (environment) is unknown and ignored; did you mean SERVER_PORT?",
                "SERVER_X (.env, line 3) is unknown and ignored; did you mean SERVER_HOST?",
                "server_log_levle (.env, line 2) is unknown and ignored; did you mean SERVER_LOG_LEVEL?",
            ]
        );
    }

    #[test]
    fn the_service_links_of_kubernetes_are_passed_over() {
        let links = [
            ("SERVER_SERVICE_HOST", "10.0.0.1"),
            ("SERVER_SERVICE_PORT", "80"),
            ("SERVER_SERVICE_PORT_HTTP", "80"),
            ("SERVER_PORT_8000_TCP", "tcp://10.0.0.1:8000"),
            ("SERVER_PORT_8000_TCP_PROTO", "tcp"),
            ("SERVER_PORT_8000_TCP_PORT", "8000"),
            ("SERVER_PORT_8000_TCP_ADDR", "10.0.0.1"),
            ("SERVER_V2_PORT", "tcp://10.0.0.1:8000"),
            ("SERVERS", "not ours"),
            ("SERVE", "not ours"),
        ];
        assert_eq!(unknown(&links, ""), [""; 0]);
        assert_eq!(unknown(&[("SERVER_V2_PORT", "8000"), ("SERVER_PORT_X_TCP", "1")], "").len(), 2);
    }

    #[test]
    fn a_name_cannot_forge_a_second_line() {
        let lines = unknown(&[("SERVER_A\nERROR\u{1b}[31m\u{2028}", "x")], "");
        assert!(!lines[0].contains(|c: char| c.is_control() || c == '\u{2028}'), "{lines:?}");
    }
}
