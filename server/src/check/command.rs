//! The command line of the client, with the address of a case in place of `{url}` and `{base_url}`. \[pure\]

use std::ffi::OsString;

/// The path of `{url}` behind the base URL.
const PATH: &str = "/echo";

/// The hosts that must not be reached through a proxy.
const LOOPBACK: &str = "127.0.0.1,localhost,::1";

/// Where a client finds its case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The base URL of the session, without a slash at its end.
    pub base_url: String,
    /// The URL to request.
    pub url: String,
}

impl Target {
    /// The target of the only client of a session.
    #[must_use]
    pub fn of(base_url: &str) -> Self {
        Self { base_url: base_url.to_owned(), url: format!("{base_url}{PATH}") }
    }

    /// The target of one of the clients that share a session.
    #[must_use]
    pub fn shared(base_url: &str, number: usize) -> Self {
        Self { base_url: base_url.to_owned(), url: format!("{base_url}{}", shared_path(number)) }
    }

    /// An argument of the command, with the addresses in their places.
    #[must_use]
    pub fn fill(&self, argument: &str) -> String {
        argument.replace("{base_url}", &self.base_url).replace("{url}", &self.url)
    }

    /// The variables that the command gets besides its own. `inherited` looks one of them up.
    #[must_use]
    pub fn environment(&self, inherited: impl Fn(&str) -> Option<OsString>) -> Vec<(&'static str, OsString)> {
        let mut variables =
            vec![("TARGET_URL", self.url.clone().into()), ("TARGET_BASE_URL", self.base_url.clone().into())];
        for (name, other) in [("NO_PROXY", "no_proxy"), ("no_proxy", "NO_PROXY")] {
            let mut value = inherited(name).or_else(|| inherited(other)).unwrap_or_default();
            if !value.is_empty() {
                value.push(",");
            }
            value.push(LOOPBACK);
            variables.push((name, value));
        }
        variables
    }
}

/// The path of one of the clients that share a session.
#[must_use]
pub fn shared_path(number: usize) -> String {
    format!("{PATH}/{number}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_addresses_are_filled_in_wherever_they_stand() {
        let target = Target::of("http://127.0.0.1:1/s/a");
        let table = [
            ("{url}", "http://127.0.0.1:1/s/a/echo"),
            ("{base_url}/orders?x={url}", "http://127.0.0.1:1/s/a/orders?x=http://127.0.0.1:1/s/a/echo"),
            ("--flag={url}{url}", "--flag=http://127.0.0.1:1/s/a/echohttp://127.0.0.1:1/s/a/echo"),
            ("{other} {{url", "{other} {{url"),
            ("", ""),
        ];
        for (argument, expected) in table {
            assert_eq!(target.fill(argument), expected, "{argument}");
        }
        assert_eq!(Target::shared("http://a", 3).url, "http://a/echo/3");
    }

    #[test]
    fn the_addresses_are_variables_too_and_no_proxy_is_in_the_way() {
        let target = Target::of("http://a");
        let inherited = |name: &str| (name == "NO_PROXY").then(|| "intranet".into());
        let expected = [
            ("TARGET_URL", "http://a/echo"),
            ("TARGET_BASE_URL", "http://a"),
            ("NO_PROXY", "intranet,127.0.0.1,localhost,::1"),
            ("no_proxy", "intranet,127.0.0.1,localhost,::1"),
        ];
        assert_eq!(target.environment(inherited), expected.map(|(name, value)| (name, value.into())));
    }
}
