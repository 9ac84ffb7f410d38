//! Which calls may be hedged. Pure.

use crate::{
    config::{HedgeAfter, HedgeConfig, RetryMethods},
    method::Method,
};

/// How a call is hedged.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct HedgeRules {
    pub(crate) after: HedgeAfter,
    /// The most hedges of the call.
    pub(crate) max: u32,
}

/// Where the request id of a call comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    /// The caller chose it, and so relies on the server to recognise a repetition.
    Callers,
    /// The client made it.
    Random,
}

impl HedgeRules {
    /// The rules for a call; `None` when it is never hedged.
    pub(crate) fn of(config: HedgeConfig, method: Method, key: Key, methods: RetryMethods) -> Option<Self> {
        let HedgeConfig { after, max } = config;
        let has_key = key == Key::Callers && methods == RetryMethods::All;
        let may_be_sent_twice = method.is_idempotent() || has_key;
        (after != HedgeAfter::Never && may_be_sent_twice).then_some(Self { after, max })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_hedged_that_must_not_be_sent_twice() {
        use {Key::*, RetryMethods::*};
        let config = HedgeConfig { after: HedgeAfter::Quantile(0.9), max: 2 };
        let rules = Some(HedgeRules { after: config.after, max: 2 });
        let mut may = Vec::new();
        for method in [
            Method::Get,
            Method::Head,
            Method::Options,
            Method::Put,
            Method::Delete,
            Method::Post,
            Method::Patch,
        ] {
            for key in [Callers, Random] {
                for methods in [All, IdempotentOnly] {
                    let of = HedgeRules::of(config, method, key, methods);
                    assert!(of.is_none() || of == rules);
                    if of.is_some() && !method.is_idempotent() {
                        may.push((method, key, methods));
                    }
                    assert!(of.is_some() || !method.is_idempotent(), "{method} {key:?} {methods:?}");
                    let off = HedgeConfig { after: HedgeAfter::Never, ..config };
                    assert_eq!(HedgeRules::of(off, method, key, methods), None);
                }
            }
        }
        assert_eq!(may, [(Method::Post, Callers, All), (Method::Patch, Callers, All)]);
    }
}
