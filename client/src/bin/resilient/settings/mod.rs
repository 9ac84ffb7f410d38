//! The settings of the client as flags. A setting without its flag comes from the environment (`RESILIENT_*`), else
//! from its default.
//!
//! * `table`: declares the settings. `arguments`: makes command line arguments of them.
//!
//! The library checks the ranges; here its fields get the names of their flags.

mod arguments;
mod table;

use resilient_client::{ClientConfig, Error, ErrorKind, LogLevel, ResilientClient};

use self::table::{Kind, SETTINGS, Setting};
use crate::exit::Failure;

/// The flags that were typed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    typed: Vec<Typed>,
    pub(crate) verbose: bool,
}

/// A flag that was typed.
#[derive(Clone, Debug)]
struct Typed {
    setting: &'static Setting,
    /// Empty for a switch.
    value: String,
}

impl Settings {
    /// The configuration: flags over the environment over the defaults. [`start`](Self::start) checks the ranges.
    pub(crate) fn config(&self) -> Result<ClientConfig, Failure> {
        let mut config = ClientConfig::from_env()?;
        for typed in &self.typed {
            typed.apply(&mut config)?;
        }
        // A single bound of the waits moves the other one; two bounds must agree.
        let retry = &mut config.retry;
        match (self.value("retry.min_wait"), self.value("retry.max_wait")) {
            (Some(_), None) => retry.max_wait = retry.max_wait.max(retry.min_wait),
            (None, Some(_)) => retry.min_wait = retry.min_wait.min(retry.max_wait),
            _ => {}
        }
        if self.verbose {
            config.logging.level = LogLevel::Debug;
        }
        Ok(config)
    }

    /// Whether a flag sets the retry budget.
    pub(crate) fn has_budget(&self) -> bool {
        self.typed.iter().any(|typed| typed.setting.field.starts_with("retry.budget."))
    }

    /// The value that was typed for a field.
    fn value(&self, field: &str) -> Option<&str> {
        self.typed.iter().find(|typed| typed.setting.field == field).map(|typed| typed.value.as_str())
    }

    /// Starts a client, and the log if it is wanted.
    pub(crate) fn start(&self, config: ClientConfig) -> Result<ResilientClient, Failure> {
        if self.verbose {
            crate::log::start(&config.logging.target);
        }
        ResilientClient::start(config).map_err(|error| self.named(&error))
    }

    /// The error of the library about a field, with the flag in place of the field.
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
        match self.value(setting.field) {
            Some(text) if !why.contains(", got ") => {
                Failure::usage(format!("{} {why}, got {text:?}", setting.flag))
            }
            _ => Failure::usage(format!("{} {why}", setting.flag)),
        }
    }
}

impl Typed {
    fn apply(&self, config: &mut ClientConfig) -> Result<(), Failure> {
        match self.setting.kind {
            Kind::Switch(switch) => switch(config),
            Kind::Value { must_be, set, .. } => set(config, &self.value).ok_or_else(|| {
                Failure::usage(format!("{} must be {must_be}, got {:?}", self.setting.flag, self.value))
            })?,
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
