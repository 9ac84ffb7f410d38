//! The settings of the client as flags. A setting without its flag comes from the environment (`RESILIENT_*`), else
//! from its default.
//!
//! * `table`: declares the settings. `arguments`: makes command line arguments of them.
//!
//! The library checks the ranges; here its fields get the names of their flags.

mod arguments;
mod table;

use resilient_client::{ClientConfig, Error, LogLevel, ResilientClient};

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
    /// The configuration: flags over the environment over the defaults. All are in range.
    pub(crate) fn config(&self) -> Result<ClientConfig, Failure> {
        let mut config = ClientConfig::from_env().map_err(|error| in_environment(&error))?;
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
        config.validate().map_err(|error| self.named(&error))?;
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

    /// Starts a client, and the log with `-v`.
    pub(crate) fn start(&self, config: ClientConfig) -> Result<ResilientClient, Failure> {
        if self.verbose {
            crate::log::start(&config.logging.target);
        }
        ResilientClient::start(config).map_err(|error| self.named(&error))
    }

    /// The failure for an error of the library. An error about a field names its flag.
    fn named(&self, error: &Error) -> Failure {
        let Some((field, flag)) = error.field().and_then(|field| Some((field, flag(field.field())?))) else {
            return Failure::new(error.kind().into(), error.to_string());
        };
        if !self.typed.iter().any(|typed| typed.setting.flag == flag) {
            return in_environment(error);
        }
        let rule = field.rule(|other| flag_or(other).to_owned());
        let got =
            field.got().map(str::to_owned).or_else(|| Some(format!("{:?}", self.value(field.field())?)));
        let got = got.map(|got| format!(", got {got}")).unwrap_or_default();
        Failure::usage(format!("{flag} {rule}{got}"))
    }
}

/// The failure for an error of the environment, which names the variable in place of the field.
fn in_environment(error: &Error) -> Failure {
    let Some(field) = error.field() else { return Failure::new(error.kind().into(), error.to_string()) };
    let variable = |name: &str| match name.contains("RESILIENT_") {
        true => name.to_owned(),
        false => format!("RESILIENT_{}", name.replace('.', "_").to_uppercase()),
    };
    let got = field.got().map(|got| format!(", got {got}")).unwrap_or_default();
    Failure::usage(format!("{} {}{got}", variable(field.field()), field.rule(variable)))
}

/// The flag of a field.
fn flag(field: &str) -> Option<&'static str> {
    SETTINGS.iter().find(|setting| setting.field == field).map(|setting| setting.flag)
}

/// The flag of a field, or the field itself if it has no flag.
fn flag_or(field: &str) -> &str {
    flag(field).unwrap_or(field)
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
