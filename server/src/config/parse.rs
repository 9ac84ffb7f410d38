//! From a setting's text to its value, or to one line that says what is wrong with it.

use std::net::IpAddr;
use std::ops::RangeInclusive;

use derive_more::{Display, Error};

use super::Value;
use super::layers::{Layers, Source};
use super::setting::Setting;

/// Why the configuration cannot be used. Shown as one line.
#[derive(Debug, Clone, PartialEq, Eq, Display, Error)]
pub enum ConfigError {
    /// A setting's value does not parse or is out of range.
    #[display("{variable} (--{flag}) is {value:?} ({source_of_value}), expected {range}")]
    Invalid {
        /// The setting's environment variable.
        variable: &'static str,
        /// The setting's flag.
        flag: &'static str,
        /// What was found.
        value: String,
        /// Where it was found.
        source_of_value: Source,
        /// What it may be.
        range: &'static str,
    },
    /// The file `.env` cannot be read.
    #[display(".env cannot be read: {_0}")]
    DotEnv(#[error(not(source))] String),
}

impl ConfigError {
    pub(super) fn invalid(setting: &'static Setting, value: &str, source_of_value: Source) -> Self {
        let Setting { variable, flag, range, .. } = *setting;
        Self::Invalid { variable, flag, value: value.to_owned(), source_of_value, range }
    }
}

impl Layers<'_> {
    pub(super) fn whole(
        &self,
        setting: &'static Setting,
        range: RangeInclusive<u64>,
    ) -> Result<u64, ConfigError> {
        self.parsed(setting, |text| text.parse().ok().filter(|value| range.contains(value)))
    }

    pub(super) fn port(&self, setting: &'static Setting) -> Result<u16, ConfigError> {
        self.parsed(setting, |text| text.parse().ok())
    }

    pub(super) fn one_of<T: Copy>(
        &self,
        setting: &'static Setting,
        choices: &[(&str, T)],
    ) -> Result<T, ConfigError> {
        self.parsed(setting, |text| {
            choices.iter().find(|(name, _)| name.eq_ignore_ascii_case(text)).map(|(_, value)| *value)
        })
    }

    pub(super) fn host(&self, setting: &'static Setting) -> Result<String, ConfigError> {
        self.parsed(setting, |text| {
            let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
            (bare.parse::<IpAddr>().is_ok() || is_host_name(bare)).then(|| bare.to_owned())
        })
    }

    /// Nothing is no origin, and so is an empty list.
    pub(super) fn origins(&self, setting: &'static Setting) -> Result<Vec<String>, ConfigError> {
        if self.find(setting)?.0.is_none() {
            return Ok(Vec::new());
        }
        self.parsed(setting, |text| {
            let origins = text.split(',').map(str::trim).filter(|origin| !origin.is_empty());
            origins.map(|origin| is_origin(origin).then(|| origin.to_ascii_lowercase())).collect()
        })
    }

    /// How a setting is shown to people.
    pub(super) fn shown(&self, setting: &'static Setting) -> Result<Value, ConfigError> {
        let (value, source) = self.find(setting)?;
        Ok(Value { variable: setting.variable, value: value.unwrap_or_default(), source })
    }

    fn parsed<T>(
        &self,
        setting: &'static Setting,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<T, ConfigError> {
        let (value, source) = self.find(setting)?;
        let value = value.unwrap_or_default();
        parse(value.trim()).ok_or_else(|| ConfigError::invalid(setting, &value, source))
    }
}

/// RFC 1123: labels of letters, digits and hyphens, separated by dots; 253 characters at most. A name whose last
/// label is all digits would be a mistyped address.
fn is_host_name(text: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let numeric = |label: &str| label.bytes().all(|byte| byte.is_ascii_digit());
    text.len() <= 253 && text.split('.').all(label) && !text.split('.').next_back().is_some_and(numeric)
}

/// A scheme and a host, and a port perhaps; no path (RFC 6454, section 6.2).
fn is_origin(text: &str) -> bool {
    let Some(authority) = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")) else {
        return false;
    };
    let host = authority
        .rsplit_once(':')
        .map_or(authority, |(host, port)| if port.parse::<u16>().is_ok() { host } else { authority });
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    match bare {
        Some(bare) => bare.parse::<std::net::Ipv6Addr>().is_ok(),
        None => host.parse::<std::net::Ipv4Addr>().is_ok() || is_host_name(host),
    }
}

/// `.env.example` must list each setting; this is the line it has for one.
#[cfg(test)]
pub(super) fn example_line(setting: &Setting) -> String {
    match setting.default {
        Some(default) => format!("{}={default}", setting.variable),
        None => format!("# {}=", setting.variable),
    }
}
