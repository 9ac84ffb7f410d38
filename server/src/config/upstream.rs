//! The kinds of the settings that concern the upstream.

use serde_json::Value as Json;

use super::kind::Kind;
use crate::upstream::{UpstreamAddress, address};

/// The address of the upstream. Its credentials are masked wherever it is shown.
pub(super) struct Upstream;

impl Kind for Upstream {
    type Value = UpstreamAddress;

    fn parse(&self, text: &str) -> Option<UpstreamAddress> {
        UpstreamAddress::parse(text)
    }

    fn expected(&self) -> String {
        "an address like http://localhost:3000 (http, without query and fragment)".to_owned()
    }

    fn masked(&self, text: String) -> String {
        address::masked(&text)
    }

    fn json(&self, value: &UpstreamAddress) -> Json {
        value.shown().into()
    }
}

/// The prefix of own paths.
pub(super) struct ControlPrefix;

impl Kind for ControlPrefix {
    type Value = String;

    fn parse(&self, text: &str) -> Option<String> {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()+,;=:@".contains(&byte);
        let is_segment = |segment: &str| {
            !segment.is_empty() && segment != "." && segment != ".." && segment.bytes().all(is_allowed)
        };
        let is_prefix = text.strip_prefix('/').is_some_and(|rest| rest.split('/').all(is_segment));
        (is_prefix && text.len() <= 255).then(|| text.to_owned())
    }

    fn expected(&self) -> String {
        "a path that begins with / and does not end with it, like /__test, without wildcards".to_owned()
    }

    fn json(&self, value: &String) -> Json {
        value.as_str().into()
    }
}
