//! Credentials of a call: the `Authorization` header in its two common forms. Pure.

use base64::{Engine, engine::general_purpose::STANDARD};
use http::header::{AUTHORIZATION, HeaderValue};

use super::Call;
use crate::error::ErrorKind;

impl<To> Call<To> {
    /// Sets the `Authorization` header to a user name and a password (RFC 7617). It replaces an earlier one.
    ///
    /// A user name that contains `:`, and control characters in either, are rejected when the call is sent. On a
    /// redirect to another origin, the header is dropped.
    #[must_use]
    pub fn basic_auth(mut self, user: impl AsRef<str>, password: impl AsRef<str>) -> Self {
        match basic(user.as_ref(), password.as_ref()) {
            Ok(value) => self.set_header(AUTHORIZATION, value),
            Err(why) => self.spoil(ErrorKind::InvalidHeader, format!("basic_auth: {why}")),
        }
        self
    }

    /// Sets the `Authorization` header to a bearer token (RFC 6750). It replaces an earlier one.
    ///
    /// A token that is empty or has other than visible ASCII characters is rejected when the call is sent. On a
    /// redirect to another origin, the header is dropped.
    #[must_use]
    pub fn bearer_auth(mut self, token: impl AsRef<str>) -> Self {
        match bearer(token.as_ref()) {
            Ok(value) => self.set_header(AUTHORIZATION, value),
            Err(why) => self.spoil(ErrorKind::InvalidHeader, format!("bearer_auth: {why}")),
        }
        self
    }
}

/// The value of a header with a user name and a password. The error repeats neither.
pub(crate) fn basic(user: &str, password: &str) -> Result<HeaderValue, &'static str> {
    if user.contains(':') {
        return Err("the user name must not contain ':'");
    }
    if user.chars().chain(password.chars()).any(char::is_control) {
        return Err("neither the user name nor the password may contain control characters");
    }
    let credentials = STANDARD.encode(format!("{user}:{password}"));
    sensitive(format!("Basic {credentials}")).ok_or("the credentials cannot be a header")
}

fn bearer(token: &str) -> Result<HeaderValue, &'static str> {
    let rule = "the token must be one or more visible ASCII characters";
    if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(rule);
    }
    sensitive(format!("Bearer {token}")).ok_or(rule)
}

fn sensitive(text: String) -> Option<HeaderValue> {
    let mut value = HeaderValue::try_from(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prepare::CallDefaults;

    fn sent(call: Call) -> Result<Vec<String>, crate::Error> {
        let defaults = CallDefaults::new(&crate::ClientConfig::new("http://h")).unwrap();
        let headers = defaults.prepare(call.parts)?.request.headers;
        let values = headers.iter().filter(|(name, _)| name == AUTHORIZATION);
        Ok(values.map(|(_, value)| value.to_str().unwrap().to_owned()).collect())
    }

    #[test]
    fn credentials_become_the_authorization_header() {
        let call = || Call::get("/");
        for (call, value) in [
            (call().basic_auth("Aladdin", "open sesame"), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
            (call().basic_auth("", ""), "Basic Og=="),
            (call().basic_auth("jürgen", "pä:ss"), "Basic asO8cmdlbjpww6Q6c3M="),
            (call().bearer_auth("abc.DEF-1_~+/="), "Bearer abc.DEF-1_~+/="),
            (call().bearer_auth("old").basic_auth("a", "b"), "Basic YTpi"),
            (call().header("authorization", "old").bearer_auth("new"), "Bearer new"),
        ] {
            assert_eq!(sent(call).unwrap(), [value]);
        }
    }

    #[test]
    fn credentials_that_cannot_be_sent_are_rejected_and_not_repeated() {
        for call in [
            Call::get("/").basic_auth("hid:den", "x"),
            Call::get("/").basic_auth("user", "hid\r\nden"),
            Call::get("/").bearer_auth("hid den"),
            Call::get("/").bearer_auth("hid\nden"),
            Call::get("/").bearer_auth(""),
        ] {
            let error = sent(call).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidHeader);
            assert!(!format!("{error} {error:?}").contains("den"), "{error:?}");
        }
    }
}
