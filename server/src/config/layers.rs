//! The layers that a setting is looked up in. All of them are values, so that the precedence is a table in a test.

use std::collections::HashMap;
use std::ffi::OsString;

use derive_more::Display;
use serde::Serialize;

use super::ConfigError;
use super::declare::{Fallback, Setting};
use super::dotenv::{DotEnv, Entry};
use super::kind::Kind;
use super::settings::MAX_WORKERS;

/// Where a value came from, the strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Display, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// A flag.
    #[display("command line")]
    CommandLine,
    /// A variable of the process.
    #[display("environment")]
    Environment,
    /// The file `.env` in the working directory.
    #[display(".env")]
    #[serde(rename = ".env")]
    DotEnv,
    /// The setting is not set anywhere.
    #[display("default")]
    Default,
}

/// Where a value was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The layer.
    pub source: Source,
    /// The line of `.env`.
    pub line: Option<usize>,
}

/// The layers that a setting is looked up in, the strongest first.
#[derive(Debug)]
pub struct Layers {
    /// The values of the flags that were given, by the flag's name.
    pub flags: HashMap<&'static str, String>,
    /// The variables of the process.
    pub environment: Vec<(OsString, OsString)>,
    /// The file `.env`.
    pub dot_env: DotEnv,
    /// How many cores the machine has.
    pub cores: usize,
}

impl Default for Layers {
    /// Nothing is set; the machine has one core.
    fn default() -> Self {
        Self { flags: HashMap::new(), environment: Vec::new(), dot_env: DotEnv::default(), cores: 1 }
    }
}

/// A value as text.
struct Found {
    text: String,
    /// The text to quote in an error; it differs where `.env` refers to other variables.
    written: String,
    place: Place,
}

impl Layers {
    /// Reads a setting from the first layer that has it.
    pub(super) fn read<K: Kind>(
        &self,
        setting: &Setting,
        kind: &K,
    ) -> Result<(K::Value, Source), ConfigError> {
        let Found { text, written, place } = self.find(setting)?;
        match kind.parse(text.trim()) {
            Some(value) => Ok((value, place.source)),
            None => Err(ConfigError::invalid(setting, written, place)),
        }
    }

    fn find(&self, setting: &Setting) -> Result<Found, ConfigError> {
        let found =
            |text: String, source: Source| Found { written: text.clone(), text, place: source.into() };
        if let Some(text) = self.flags.get(setting.flag) {
            return Ok(found(text.clone(), Source::CommandLine));
        }
        if let Some(text) = self.variable(setting.variable) {
            return Ok(found(text, Source::Environment));
        }
        if let Some(found) = self.entry(setting)? {
            return Ok(found);
        }
        let default = match setting.default {
            Fallback::Fixed(text) => text.to_owned(),
            Fallback::Cores => self.cores.min(MAX_WORKERS).to_string(),
            Fallback::Unset => String::new(),
        };
        Ok(found(default, Source::Default))
    }

    /// The value of an environment variable, unless it is blank. Its name may be in any case; if several match,
    /// the exact one wins. What is not UTF-8 is replaced by U+FFFD, which no setting accepts.
    fn variable(&self, variable: &str) -> Option<String> {
        let set = || {
            let pairs = self.environment.iter().filter(|(name, _)| name.eq_ignore_ascii_case(variable));
            pairs
                .map(|(name, value)| (name, value.to_string_lossy()))
                .filter(|(_, value)| !value.trim().is_empty())
        };
        let value = set().find(|(name, _)| *name == variable).or_else(|| set().next());
        value.map(|(_, value)| value.into_owned())
    }

    /// The last entry of `.env` for a setting, unless it is blank.
    fn entry(&self, setting: &Setting) -> Result<Option<Found>, ConfigError> {
        let Some(Entry { line, value, .. }) = self.dot_env.last(setting.variable) else { return Ok(None) };
        let place = Place { source: Source::DotEnv, line: Some(*line) };
        match value {
            Ok(Some(written)) => {
                let text = self.dot_env.expanded(setting.variable, &self.environment).unwrap_or_default();
                Ok((!text.trim().is_empty()).then(|| Found { text, written: written.clone(), place }))
            }
            Ok(None) => Ok(None),
            Err(fault) => {
                let expected = setting.expected();
                Err(ConfigError::Line { variable: setting.variable, place, fault: *fault, expected })
            }
        }
    }
}
