//! What the declaration of a setting consists of, and the macro that turns the declarations into [`Config`].
//!
//! [`Config`]: super::Config

use derive_more::Display;

/// One setting: its names, its default, its range and its help text.
#[derive(Debug)]
pub struct Setting {
    /// The environment variable.
    pub variable: &'static str,
    /// The flag of the command line, without its hyphens.
    pub flag: &'static str,
    /// The value when the setting is not set anywhere.
    pub default: Fallback,
    /// What the setting is for, as one phrase: help text, comment in `.env.example`, documentation of the field.
    pub help: &'static str,
    pub(super) expected: fn() -> String,
    pub(super) masked: fn(String) -> String,
}

/// The value of a setting that is not set anywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Display)]
pub enum Fallback {
    /// A fixed value, written as `config-info` shows it.
    Fixed(&'static str),
    /// The number of cores of the machine, up to the largest number of workers.
    #[display("number of cores")]
    Cores,
    /// No value.
    #[display("none")]
    Unset,
}

impl Setting {
    /// The valid values, in words that follow "expected".
    #[must_use]
    pub fn expected(&self) -> String {
        (self.expected)()
    }

    /// Text that was given as a value, as it may be shown.
    pub(super) fn shown(&self, text: String) -> String {
        (self.masked)(text)
    }

    /// The setting's name in JSON.
    #[must_use]
    pub fn name(&self) -> String {
        self.variable.trim_start_matches(super::PREFIX).to_ascii_lowercase()
    }
}

/// Declares the settings: for each a field of `Config`, a row of `SETTINGS`, and its part of loading and showing.
macro_rules! settings {
    ($(
        $field:ident: $type:ty = $kind:expr;
        $variable:literal, $flag:literal, $default:expr, $help:literal;
    )+) => {
        /// The value of every setting, checked at the start and read-only from then on.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct Config {
            $(
                #[doc = concat!($help, " (`", $variable, "`).")]
                pub $field: $type,
            )+
        }

        #[expect(non_upper_case_globals, reason = "each is named as its field of Config")]
        mod declared {
            use super::*;
            $(
                pub(super) static $field: Setting = Setting {
                    variable: $variable,
                    flag: $flag,
                    default: $default,
                    help: $help,
                    expected: || $kind.expected(),
                    masked: |text| $kind.masked(text),
                };
            )+
        }

        /// Every setting, in the order in which people read them.
        pub static SETTINGS: &[&Setting] = &[$(&declared::$field),+];

        impl Config {
            /// Takes each setting from the first layer that has it, and checks them all.
            ///
            /// # Errors
            /// The first setting whose value is invalid, with its range.
            pub fn load(layers: &Layers) -> Result<Loaded, ConfigError> {
                let mut sources = Vec::with_capacity(SETTINGS.len());
                let config = Self {
                    $($field: {
                        let (value, source) = layers.read(&declared::$field, &$kind)?;
                        sources.push(source);
                        value
                    },)+
                };
                Ok(Loaded { config, sources })
            }

            /// The value of every setting as JSON, in the order of `SETTINGS`.
            pub(super) fn values(&self) -> Vec<serde_json::Value> {
                vec![$($kind.json(&self.$field)),+]
            }
        }
    };
}

pub(super) use settings;
