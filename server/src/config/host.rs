//! The kind of setting that is a host: an IP address or a name.

use std::net::IpAddr;

use serde_json::Value as Json;

use super::kind::Kind;

/// An IP address, an IPv6 one with or without brackets, or a host name.
pub(super) struct Host;

impl Kind for Host {
    type Value = String;

    fn parse(&self, text: &str) -> Option<String> {
        let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
        (bare.parse::<IpAddr>().is_ok() || is_host_name(bare)).then(|| bare.to_owned())
    }

    fn expected(&self) -> String {
        "an IP address or a host name".to_owned()
    }

    fn json(&self, value: &String) -> Json {
        value.as_str().into()
    }
}

/// Whether the text is a host name (RFC 1123): labels of letters, digits, hyphens and underscores, separated by
/// dots, 253 characters at most. A name whose last label is a number would be a mistyped address.
pub(super) fn is_host_name(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let is_number = |label: &str| label.bytes().all(|byte| byte.is_ascii_digit());
    text.len() <= 253 && text.split('.').all(is_label) && !text.split('.').next_back().is_some_and(is_number)
}
