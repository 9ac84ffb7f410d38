//! The settings of hedging.

use std::{fmt, str::FromStr, time::Duration};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use super::seconds;

/// When a second request is sent beside a slow one (a hedge). The first good answer is the answer of the call; the other
/// requests are cancelled.
///
/// Only what may be sent twice is hedged: GET, HEAD, OPTIONS, PUT and DELETE; POST and PATCH only with a request id of
/// the caller and [`RetryMethods::All`](super::RetryMethods::All). A hedge is taken from the retry budget. None is sent
/// without a free slot, while a `Retry-After` runs, or as long as the circuit breaker is not closed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HedgeConfig {
    /// How long an attempt is in flight before a hedge is sent beside it, and again before the next one. Default never.
    pub after: HedgeAfter,
    /// The most hedges of one call, over all its attempts. They do not count as attempts of
    /// [`max_attempts`](super::RetryConfig::max_attempts). Default 1; 1 to 10.
    pub max: u32,
}

impl Default for HedgeConfig {
    fn default() -> Self {
        Self { after: HedgeAfter::Never, max: 1 }
    }
}

/// How long an attempt is in flight before a hedge is sent.
///
/// As text it is `never`, a number of seconds, or a quantile such as `p95`; in a file it may be a number as well.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum HedgeAfter {
    /// No hedge is sent.
    #[default]
    Never,
    /// This long: 1 ms to a day.
    Delay(Duration),
    /// As long as this share of the calls that may be hedged took: 0.5 to 0.999. It is estimated from the last 1,024 to
    /// 2,048 of them, to 5 % upwards; no hedge is sent before there are 20.
    Quantile(f64),
}

impl FromStr for HedgeAfter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refused =
            || format!("must be never, a number of seconds, or a quantile such as p95, got {text:?}");
        if text.eq_ignore_ascii_case("never") {
            return Ok(Self::Never);
        }
        if let Some(percent) = text.strip_prefix(['p', 'P']) {
            let percent: f64 = percent.parse().map_err(|_| refused())?;
            // 99.9 / 100 is not 0.999, so the last digits are rounded away, here and in writing.
            let quantile = (percent * 1e7).round() / 1e9;
            return if quantile.is_finite() { Ok(Self::Quantile(quantile)) } else { Err(refused()) };
        }
        let number = text.parse().map_err(|_| refused())?;
        seconds::parse(number).map(Self::Delay).map_err(|_| refused())
    }
}

impl fmt::Display for HedgeAfter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Never => f.write_str("never"),
            Self::Delay(delay) => write!(f, "{}", delay.as_secs_f64()),
            Self::Quantile(quantile) => write!(f, "p{}", (quantile * 1e9).round() / 1e7),
        }
    }
}

impl Serialize for HedgeAfter {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Delay(delay) => seconds::serialize(delay, to),
            Self::Never | Self::Quantile(_) => to.collect_str(self),
        }
    }
}

impl<'de> Deserialize<'de> for HedgeAfter {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Seconds(f64),
            Text(String),
        }
        match Written::deserialize(from)? {
            Written::Seconds(number) => seconds::parse(number).map(Self::Delay).map_err(D::Error::custom),
            Written::Text(text) => text.parse().map_err(D::Error::custom),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_a_hedge_is_never_or_seconds_or_a_quantile_and_the_same_after_writing_it() {
        for (text, expected) in [
            ("never", HedgeAfter::Never),
            ("0.25", HedgeAfter::Delay(Duration::from_millis(250))),
            ("p95", HedgeAfter::Quantile(0.95)),
            ("p99.9", HedgeAfter::Quantile(0.999)),
        ] {
            let parsed: HedgeAfter = text.parse().unwrap();
            assert_eq!((parsed, parsed.to_string().as_str()), (expected, text));
            let json = serde_json::to_string(&parsed).unwrap();
            assert_eq!(serde_json::from_str::<HedgeAfter>(&json).unwrap(), expected, "{json}");
        }
        assert_eq!(serde_json::to_string(&HedgeAfter::Delay(Duration::from_secs(2))).unwrap(), "2.0");
    }

    #[test]
    fn an_invalid_time_of_a_hedge_is_refused() {
        for text in ["", "p", "pNaN", "pinf", "-1", "NaN", "soon", "95%", "1e999"] {
            let why = text.parse::<HedgeAfter>().unwrap_err();
            assert!(why.ends_with(&format!("got {text:?}")), "{why}");
        }
        for json in ["-1", "true", "null", "{}", "\"soon\""] {
            serde_json::from_str::<HedgeAfter>(json).unwrap_err();
        }
    }
}
