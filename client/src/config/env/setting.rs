//! The types that a setting can have, read from text.

use std::{path::PathBuf, str::FromStr, time::Duration};

use crate::config::{BreakerScope, BreakerWindow, HedgeAfter, LogLevel, RetryMethods, seconds};

/// A value that can be read from a variable.
pub(super) trait Setting: Sized {
    fn parse(text: &str) -> Result<Self, String>;
}

impl Setting for String {
    fn parse(text: &str) -> Result<Self, String> {
        Ok(text.to_owned())
    }
}

impl Setting for Option<String> {
    fn parse(text: &str) -> Result<Self, String> {
        Ok(Some(text.to_owned()))
    }
}

impl Setting for Option<PathBuf> {
    fn parse(text: &str) -> Result<Self, String> {
        Ok(Some(PathBuf::from(text)))
    }
}

impl Setting for Duration {
    fn parse(text: &str) -> Result<Self, String> {
        let number: f64 = text.parse().map_err(|_| format!("must be a number of seconds, got {text:?}"))?;
        seconds::parse(number)
    }
}

impl Setting for bool {
    fn parse(text: &str) -> Result<Self, String> {
        match text.to_ascii_lowercase().as_str() {
            "true" | "1" => Ok(true),
            "false" | "0" => Ok(false),
            _ => Err(format!("must be true or false, got {text:?}")),
        }
    }
}

impl Setting for u32 {
    fn parse(text: &str) -> Result<Self, String> {
        whole(text)
    }
}

impl Setting for u64 {
    fn parse(text: &str) -> Result<Self, String> {
        whole(text)
    }
}

impl Setting for f64 {
    fn parse(text: &str) -> Result<Self, String> {
        text.parse().map_err(|_| format!("must be a number, got {text:?}"))
    }
}

impl Setting for RetryMethods {
    fn parse(text: &str) -> Result<Self, String> {
        text.parse()
    }
}

impl Setting for BreakerScope {
    fn parse(text: &str) -> Result<Self, String> {
        text.parse()
    }
}

impl Setting for BreakerWindow {
    fn parse(text: &str) -> Result<Self, String> {
        text.parse()
    }
}

impl Setting for HedgeAfter {
    fn parse(text: &str) -> Result<Self, String> {
        text.parse()
    }
}

impl Setting for LogLevel {
    fn parse(text: &str) -> Result<Self, String> {
        text.parse()
    }
}

fn whole<T: FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("must be a whole number in its range, got {text:?}"))
}
