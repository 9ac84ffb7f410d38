//! Which headers and query parameters hold what must not be shown. \[pure\]

use std::borrow::Cow;

use url::form_urlencoded;

/// What is shown in place of a secret.
pub const MASK: &str = "***";

/// Parts of names of which none stands in a name of something harmless.
const PARTS: [&str; 14] = [
    "authorization",
    "cookie",
    "token",
    "secret",
    "passw",
    "passphrase",
    "pwd",
    "credential",
    "signature",
    "apikey",
    "accesskey",
    "privatekey",
    "authkey",
    "session",
];

/// Names that are too short to be looked for in others.
const WHOLE: [&str; 9] = ["key", "auth", "xauth", "sig", "pass", "pw", "pin", "otp", "jwt"];

/// Names that hold no secret although a part says so.
const HARMLESS: [&str; 1] = ["xtestsession"];

/// Whether a header or a parameter of this name holds a secret.
#[must_use]
pub fn is_secret(name: &str) -> bool {
    let letters =
        name.bytes().filter(u8::is_ascii_alphanumeric).map(|byte| byte.to_ascii_lowercase() as char);
    let plain: String = letters.collect();
    let names = |list: &[&str]| list.contains(&plain.as_str());
    !names(&HARMLESS) && (names(&WHOLE) || PARTS.iter().any(|part| plain.contains(part)))
}

/// A query in which every value of a secret parameter is masked. Everything else stays as it was sent.
#[must_use]
pub fn mask_query(query: &str) -> Cow<'_, str> {
    let holds_secret = |pair: &str| {
        let name = pair.split_once('=').map(|(name, _)| name)?;
        let decoded = form_urlencoded::parse(name.as_bytes()).next().map(|(name, _)| name)?;
        is_secret(&decoded).then_some(name.len())
    };
    if !query.split('&').any(|pair| holds_secret(pair).is_some()) {
        return Cow::Borrowed(query);
    }
    let masked = query.split('&').map(|pair| match holds_secret(pair) {
        Some(length) => format!("{}={MASK}", &pair[..length]),
        None => pair.to_owned(),
    });
    Cow::Owned(masked.collect::<Vec<_>>().join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_cookies_and_api_keys_are_secret() {
        let secret = [
            "authorization",
            "Proxy-Authorization",
            "cookie",
            "Set-Cookie",
            "x-api-key",
            "apikey",
            "api_key",
            "X-Auth-Token",
            "access_token",
            "client-secret",
            "password",
            "passwd",
            "key",
            "sig",
            "X-Amz-Signature",
            "X-CSRF-Token",
            "sessionid",
            "AWSAccessKeyId",
            "auth",
        ];
        for name in secret {
            assert!(is_secret(name), "{name}");
        }
        let harmless = [
            "host",
            "accept",
            "user-agent",
            "content-type",
            "idempotency-key",
            "x-request-id",
            "x-test-session",
            "x-test-call",
            "traceparent",
            "delay",
            "author",
            "monkey",
            "design",
            "keyword",
            "",
        ];
        for name in harmless {
            assert!(!is_secret(name), "{name}");
        }
    }

    #[test]
    fn values_of_secret_parameters_are_masked_and_the_rest_stays_as_it_was_sent() {
        let table = [
            ("", ""),
            ("a=1&b=%20+x&&c", "a=1&b=%20+x&&c"),
            ("token=abc", "token=***"),
            ("a=1&api_key=x=y&b=2", "a=1&api_key=***&b=2"),
            ("to%6ben=abc&a", "to%6ben=***&a"),
            ("PASSWORD=", "PASSWORD=***"),
            ("token", "token"),
            ("q=token", "q=token"),
        ];
        for (query, expected) in table {
            assert_eq!(mask_query(query), expected, "{query}");
        }
    }
}
