//! Which value of a setting is in force, and where it came from. The environment is a parameter, so that the
//! precedence is a table in a test.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::Path;

use derive_more::Display;
use serde::Serialize;

use super::parse::ConfigError;
use super::setting::{Setting, WORKERS};

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
    /// Nobody set it.
    #[display("default")]
    Default,
}

/// The layers that a setting is looked up in.
pub struct Layers<'a> {
    /// The value of a flag, by the flag's name.
    pub flag: &'a dyn Fn(&str) -> Option<String>,
    /// The value of an environment variable.
    pub environment: &'a dyn Fn(&str) -> Option<OsString>,
    /// The file `.env`.
    pub dot_env: &'a DotEnv,
    /// How many cores the machine has: the default number of workers.
    pub cores: usize,
}

/// What the file `.env` says.
#[derive(Debug, Default)]
pub struct DotEnv(HashMap<String, String>);

impl DotEnv {
    /// Reads a file in dotenv format; one that does not exist is empty.
    ///
    /// # Errors
    /// The file cannot be read, or has a line that is no assignment.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let unreadable =
            |error: &dyn std::fmt::Display| ConfigError::DotEnv(error.to_string().replace('\n', " "));
        match dotenvy::from_path_iter(path) {
            Ok(pairs) => pairs.collect::<Result<_, _>>().map(Self).map_err(|error| unreadable(&error)),
            Err(error) if error.not_found() => Ok(Self::default()),
            Err(error) => Err(unreadable(&error)),
        }
    }
}

impl Layers<'_> {
    /// The text that is in force; `None` when nobody set it and it has no default.
    pub(super) fn find(&self, setting: &'static Setting) -> Result<(Option<String>, Source), ConfigError> {
        if let Some(value) = (self.flag)(setting.flag) {
            return Ok((Some(value), Source::CommandLine));
        }
        if let Some(value) = (self.environment)(setting.variable) {
            return match value.into_string() {
                Ok(value) => Ok((Some(value), Source::Environment)),
                Err(value) => {
                    Err(ConfigError::invalid(setting, &value.to_string_lossy(), Source::Environment))
                }
            };
        }
        if let Some(value) = self.dot_env.0.get(setting.variable) {
            return Ok((Some(value.clone()), Source::DotEnv));
        }
        let default = match setting.default {
            None if *setting == WORKERS => Some(self.cores.to_string()),
            default => default.map(str::to_owned),
        };
        Ok((default, Source::Default))
    }
}
